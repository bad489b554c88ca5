"""Queues what targets lack, have too much, or have in another form than their settings now say."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.ledger import Ledger
from pipeline.publish.places import outdated
from pipeline.settings import FeedTarget, HookTarget, Target


def queue_all(ledger: Ledger, targets: Sequence[Target], now: datetime) -> None:
    """Queue all that keeps targets from holding what is approved, as their settings are now."""
    ledger.publish_all([target.name for target in targets], now)
    hooks = [target.name for target in targets if isinstance(target, HookTarget)]
    waiting = {(row.item_id, row.target) for row in ledger.publications()}
    for target in targets:
        if isinstance(target, HookTarget | FeedTarget):
            continue
        for item_id in outdated(ledger, target):
            if (item_id, target.name) not in waiting:
                ledger.publish_again(item_id, [target.name, *hooks], now)
