"""Composes the steps: poll a feed into the ledger, turn claimed items into drafts."""

from pipeline.work.drafting import LEASE_S, draft_feed
from pipeline.work.estimating import Estimate, estimated
from pipeline.work.polling import Look, look, poll
from pipeline.work.room import ItemOutcome, Newsroom, Notify, Parse, PollBook, PollReport
from pipeline.work.sourcing import KEPT

__all__ = [
    "KEPT",
    "LEASE_S",
    "Estimate",
    "ItemOutcome",
    "Look",
    "Newsroom",
    "Notify",
    "Parse",
    "PollBook",
    "PollReport",
    "draft_feed",
    "estimated",
    "look",
    "poll",
]
