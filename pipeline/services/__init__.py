"""Composes the steps: poll a feed into the ledger, turn claimed items into drafts."""

from pipeline.services.backfill import Found, look_back, take, walk
from pipeline.services.budget import BACKFILL, Estimate, estimated
from pipeline.services.context import ItemOutcome, Newsroom, Notify, Parse, PollBook, PollReport, Seen
from pipeline.services.draft import KEPT, draft_feed
from pipeline.services.poll import Look, look, poll
from pipeline.services.work_queue import LEASE_S, left_today

__all__ = [
    "BACKFILL",
    "KEPT",
    "LEASE_S",
    "Estimate",
    "Found",
    "ItemOutcome",
    "Look",
    "Newsroom",
    "Notify",
    "Parse",
    "PollBook",
    "PollReport",
    "Seen",
    "draft_feed",
    "estimated",
    "left_today",
    "look",
    "look_back",
    "poll",
    "take",
    "walk",
]
