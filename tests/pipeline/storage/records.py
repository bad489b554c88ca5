"""Feeds, items, answers and drafts for the ledger's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.domain.model_calls import LLMResponse, Provenance
from pipeline.domain.models import FeedConfig, Item, PollState, external_id
from pipeline.domain.reviews import Draft, Finding, Severity
from pipeline.storage import AdmissionResult, Database, Lease, Policy, PollResult

NOW = datetime(2026, 2, 5, 12, tzinfo=UTC)
LEASE_S = 900.0


def feed(key: str = "one", **changes: Any) -> FeedConfig:
    values: dict[str, Any] = {
        "key": key,
        "name": key,
        "url": f"https://{key}.example/feed",
        "beat": "b",
        "category": "NEWS",
    }
    values |= {"min_chars": 0, "full_text": "never", "page_delay": 0}
    return FeedConfig(**values | changes)


def item(number: int, **changes: Any) -> Item:
    values = {
        "guid": f"guid-{number}",
        "title": f"Item {number}",
        "text": f"Text {number}",
        "link": f"https://news.example/{number}",
        "canonical": f"https://news.example/{number}",
        "published_at": NOW - timedelta(hours=number),
    }
    return Item(**values | changes)


def admit(
    db: Database, *new: Item, key: str = "one", etag: str | None = None, **other: Any
) -> AdmissionResult:
    policy = other.pop("policy", Policy())
    values: dict[str, Any] = {"updated": [], "skipped": [], "merged": []} | other
    return db.items.admit(key, PollResult(new=new, state=PollState(etag=etag), **values), policy)


def answer(text: str = "an answer") -> LLMResponse:
    return LLMResponse(text=text, provenance=Provenance(rewritten=True, model="m", prompt="article@1"))


def draft(lease: Lease, text: str = "text") -> Draft:
    identity = external_id(lease.first_key, lease.item.guid)
    finding = Finding(kind="form", severity=Severity.BLOCK, message="A section is missing.", key="k1")
    return Draft(
        external_id=identity, path=f"drafts/2026/02/{identity[:8]}.md", text=text, findings=(finding,)
    )


def skip_reasons(db: Database, feed_key: str, *guids: str) -> dict[str, str]:
    """Return why items of a feed are skipped, by guid."""
    stored = db.items.existing(feed_key, guids, []).guids
    return {guid: each.reason or "" for guid, each in stored.items() if each.state == "skipped"}
