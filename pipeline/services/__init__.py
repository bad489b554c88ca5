"""Composes the steps: poll a feed into the ledger, turn claimed items into drafts."""

from pipeline.services.backfill import BackfillPreview, admit_preview, backfill_feed, preview_backfill
from pipeline.services.budget import BACKFILL, Estimate, estimate_cost
from pipeline.services.context import (
    ItemOutcome,
    Parse,
    PollReport,
    PollStateCache,
    ProgressCallback,
    RunContext,
    UsageStats,
)
from pipeline.services.draft import KEPT, draft_feed
from pipeline.services.poll import FeedSnapshot, fetch_and_select, poll
from pipeline.services.work_queue import LEASE_S, left_today

__all__ = [
    "BACKFILL",
    "KEPT",
    "LEASE_S",
    "BackfillPreview",
    "Estimate",
    "FeedSnapshot",
    "ItemOutcome",
    "Parse",
    "PollReport",
    "PollStateCache",
    "ProgressCallback",
    "RunContext",
    "UsageStats",
    "admit_preview",
    "backfill_feed",
    "draft_feed",
    "estimate_cost",
    "fetch_and_select",
    "left_today",
    "poll",
    "preview_backfill",
]
