"""Records to try a ledger with, and short ways to bring them in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.ledger import Admitted, Claim, Ledger
from pipeline.ledger.owner import current_owner
from pipeline.models import (
    Answer,
    Decision,
    Draft,
    FeedConfig,
    Finding,
    Item,
    Provenance,
    Severity,
    Usage,
    Verdict,
    external_id,
)

NOW = datetime(2026, 2, 5, 12, 0, tzinfo=UTC)
LEASE_S = 900.0
ENDED = -1.0
"""A lease that is over when it begins: what a slow holder looks like to others."""


def feed(key: str = "news", **values: Any) -> FeedConfig:
    given = {"name": key.title(), "url": f"https://{key}.example/feed", "beat": "b", "category": "C"}
    return FeedConfig(key=key, **{**given, **values})


FEED = feed()


def item(number: int = 1, **values: Any) -> Item:
    """A higher number is newer."""
    link = f"https://news.example/{number}"
    given: dict[str, Any] = {"guid": f"guid-{number}", "link": link, "canonical": link}
    given |= {"title": f"Title {number}", "text": "Text.", "published_at": NOW + timedelta(minutes=number)}
    return Item(**{**given, **values})


def answer(text: str = "{}") -> Answer:
    usage = Usage(prompt_tokens=7, completion_tokens=3)
    return Answer(text=text, provenance=Provenance(rewritten=True, model="m", prompt="p@1"), usage=usage)


def draft(claim: Claim, text: str = "the draft\n") -> Draft:
    identity = external_id(claim.first_key, claim.item.guid)
    findings = (
        Finding(kind="figure", severity=Severity.BLOCK, message="70 is not in the source.", span=(3, 5)),
        Finding(kind="length", severity=Severity.NOTE, message="Short."),
    )
    path = f"drafts/2026/02/title-{identity[:8]}.md"
    return Draft(external_id=identity, path=path, text=text, findings=findings)


def verdict(decision: Decision, sha256: str) -> Verdict:
    return Verdict(decision=decision, by="ed", at=NOW, note="fine", sha256=sha256)


def admit(ledger: Ledger, new: Sequence[Item] = (), key: str = "news", **values: Any) -> Admitted:
    given: dict[str, Any] = {"updated": (), "skipped": (), "merged": (), "etag": None, "last_modified": None}
    return ledger.admit(key, new=new, now=NOW, **{**given, **values})


def drafted(ledger: Ledger, number: int = 1, text: str = "the draft\n") -> None:
    admit(ledger, [item(number)])
    [claim] = ledger.claim("news", 1, LEASE_S)
    ledger.intend(claim, draft(claim, text))
    ledger.confirm(claim)


def living(number: int) -> str:
    """Return an owner of this living process, apart from its others."""
    return f"{current_owner()}|{number}"


def dead() -> str:
    """Return an owner of this host from before its last start."""
    host, *_ = current_owner().split("|")
    return f"{host}|an earlier boot|1|1"
