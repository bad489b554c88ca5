"""The database of feeds, items, drafts, reviews and publications: the only package with SQL."""

from pipeline.storage.backlogs import NO_BACKLOG, FeedBacklog
from pipeline.storage.budget import (
    UNLIMITED,
    CallDetails,
    CallLimits,
    CallSubject,
    LLMCall,
)
from pipeline.storage.caches import CoverRow, PageRow
from pipeline.storage.daily import DayCost, DayItems, SkipReason, WaitingDrafts
from pipeline.storage.database import Database
from pipeline.storage.draft_position import DraftPosition
from pipeline.storage.draft_query import DraftQuery, QueueCounts, QueuePage, QueueRow
from pipeline.storage.drafts import HistoryEvent
from pipeline.storage.engine import file_of
from pipeline.storage.feeds import FeedStatus
from pipeline.storage.finding_counts import OpenFindings
from pipeline.storage.finding_ends import NO_TIME, RECENT, FindingEnd, KindOutcomes
from pipeline.storage.findings import SYSTEM_EDITOR
from pipeline.storage.item_outcomes import OutcomeCount
from pipeline.storage.item_rows import BY_HAND
from pipeline.storage.items import Failure
from pipeline.storage.metrics import LastRun, Latency, LatencyBucket, Metrics, ModelUsage
from pipeline.storage.notices import SourceNotice
from pipeline.storage.page_texts import PageText
from pipeline.storage.poll_records import AdmissionResult, PollResult
from pipeline.storage.publications import Publication, TargetBacklog
from pipeline.storage.published_articles import PublishedPage, PublishedRow
from pipeline.storage.queue_details import QueueDetails
from pipeline.storage.records import (
    SYSTEM_FINDINGS,
    Acknowledgement,
    DraftRow,
    Lease,
    LeaseFilter,
    PreviousVersion,
    Sibling,
    Version,
    duplicate_finding,
    unacknowledged,
)
from pipeline.storage.redraft_requests import FinishedRedraft, RedraftContext, StartableRedraft
from pipeline.storage.reviews import (
    OF_ARTICLES,
    CompletedReview,
    Move,
    PendingReview,
    RecordedReview,
    current_approval,
    last_decision,
)
from pipeline.storage.runs import FeedActivity, ItemCounts, RunCount, RunRow, RunState, RunSummary
from pipeline.storage.schema import OPEN
from pipeline.storage.source_updates import Policy
from pipeline.storage.spending_caps import CallCost, SpendingCap, cost_text, dollars
from pipeline.storage.stored_keys import ExistingItems
from pipeline.storage.versions import PendingSave, Save, ViewedVersion

__all__ = [
    "BY_HAND",
    "NO_BACKLOG",
    "NO_TIME",
    "OF_ARTICLES",
    "OPEN",
    "RECENT",
    "SYSTEM_EDITOR",
    "SYSTEM_FINDINGS",
    "UNLIMITED",
    "Acknowledgement",
    "AdmissionResult",
    "CallCost",
    "CallDetails",
    "CallLimits",
    "CallSubject",
    "CompletedReview",
    "CoverRow",
    "Database",
    "DayCost",
    "DayItems",
    "DraftPosition",
    "DraftQuery",
    "DraftRow",
    "ExistingItems",
    "Failure",
    "FeedActivity",
    "FeedBacklog",
    "FeedStatus",
    "FindingEnd",
    "FinishedRedraft",
    "HistoryEvent",
    "ItemCounts",
    "KindOutcomes",
    "LLMCall",
    "LastRun",
    "Latency",
    "LatencyBucket",
    "Lease",
    "LeaseFilter",
    "Metrics",
    "ModelUsage",
    "Move",
    "OpenFindings",
    "OutcomeCount",
    "PageRow",
    "PageText",
    "PendingReview",
    "PendingSave",
    "Policy",
    "PollResult",
    "PreviousVersion",
    "Publication",
    "PublishedPage",
    "PublishedRow",
    "QueueCounts",
    "QueueDetails",
    "QueuePage",
    "QueueRow",
    "RecordedReview",
    "RedraftContext",
    "RunCount",
    "RunRow",
    "RunState",
    "RunSummary",
    "Save",
    "Sibling",
    "SkipReason",
    "SourceNotice",
    "SpendingCap",
    "StartableRedraft",
    "TargetBacklog",
    "Version",
    "ViewedVersion",
    "WaitingDrafts",
    "cost_text",
    "current_approval",
    "dollars",
    "duplicate_finding",
    "file_of",
    "last_decision",
    "unacknowledged",
]
