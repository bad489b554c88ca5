"""Composes publishing: what waits in the ledger is carried to each target, and what came of it kept.

Only text whose hash stands in an approval leaves here, with the keys that a target adds. A target that fails
holds up no other; its rows are tried again by a later drain. Killed anywhere, the next drain does the same
again, which changes nothing.
"""

from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner
from pipeline.publishing.publish import check_target, publish_pending, queue_all

__all__ = ["PublishContext", "TargetResult", "TargetRunner", "check_target", "publish_pending", "queue_all"]
