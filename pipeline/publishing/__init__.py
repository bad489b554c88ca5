"""Publishes approved articles: sends pending publications of the database to their targets.

The table of publications is a transactional outbox: an approval adds rows in its own transaction, and this
package carries them out later. Every step is idempotent, so a killed run is repeated. Only text whose hash is
approved is sent, with the keys that a target adds. A failed target blocks no other, and is retried later.
"""

from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner
from pipeline.publishing.publish import check_target, publish_pending, queue_all

__all__ = ["PublishContext", "TargetResult", "TargetRunner", "check_target", "publish_pending", "queue_all"]
