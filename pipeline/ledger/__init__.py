"""What is known of every feed and item: the only place that knows SQL."""

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import (
    Admitted,
    Claim,
    DraftRow,
    Failure,
    FeedStatus,
    Met,
    PageRow,
    PendingVerdict,
    Policy,
    Previous,
    Sibling,
    same_story,
)

__all__ = [
    "Admitted",
    "Claim",
    "DraftRow",
    "Failure",
    "FeedStatus",
    "Ledger",
    "Met",
    "PageRow",
    "PendingVerdict",
    "Policy",
    "Previous",
    "Sibling",
    "same_story",
]
