"""Composes the steps: poll a feed into the ledger, turn claimed items into drafts."""

from pipeline.work.backfilling import look_back, take, walk
from pipeline.work.books import BACKFILL
from pipeline.work.drafting import draft_feed
from pipeline.work.estimating import Estimate, estimated
from pipeline.work.polling import Look, look, poll
from pipeline.work.queue import LEASE_S, left_today
from pipeline.work.room import ItemOutcome, Newsroom, Notify, Parse, PollBook, PollReport, Seen
from pipeline.work.sourcing import KEPT
from pipeline.work.walking import Found

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
