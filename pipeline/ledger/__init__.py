"""What is known of every feed and item: the only place that knows SQL."""

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.money import dollars
from pipeline.ledger.records import (
    Admitted,
    Asked,
    CallRow,
    Cap,
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
    Version,
    same_story,
)

__all__ = [
    "Admitted",
    "Asked",
    "CallRow",
    "Cap",
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
    "Version",
    "dollars",
    "same_story",
]
