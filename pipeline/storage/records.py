"""What the ledger hands out: frozen records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime

from pipeline.domain.models import (
    Draft,
    Finding,
    FrozenModel,
    Item,
    LLMResponse,
    PollState,
    RedraftRequest,
    ReviewDecision,
    Severity,
)


class Policy(FrozenModel):
    """How a feed's items are taken in."""

    merge_among: frozenset[str] = frozenset()
    """Keys of the feeds whose near-duplicates become one draft; a feed's that are not here, siblings."""
    max_updates: int = 3
    """Changes of an item's text that are taken notice of."""
    redraft: bool = False
    """A source that changed is drafted again, where nobody touched its draft."""


class Sibling(FrozenModel):
    """Another item that tells the same story."""

    feed_key: str
    feed_name: str
    title: str
    url: str | None
    external_id: str
    state: str
    path: str | None


FLAGS = ("story", "source-updated", "redraft")
"""Kinds of findings that no check makes: they tell what happened elsewhere."""


def same_story(feed_name: str, title: str, path: str | None = None) -> Finding:
    """Return the note that tells an editor of another item with the same story."""
    where = f", drafted as {path}" if path else ""
    said = f"{feed_name} tells the same story: {title}{where}"
    return Finding(kind="story", severity=Severity.NOTE, message=said)


class PageRow(FrozenModel):
    """What was kept of a web page: its text, or why there is none."""

    at: AwareDatetime
    payload: str | None
    error: str | None


Which = Literal["all", "asked", "new"]
"""Which items of a feed are claimed: all that wait; those that editors ask for, or whose text only has to be
written; those that nothing was written about yet."""


class Limits(NamedTuple):
    """Limits on the calls of all runs together; None: none."""

    at_once: int | None = None
    a_minute: int | None = None


UNLIMITED = Limits()


class Cap(NamedTuple):
    """A limit on spending."""

    name: str
    """What it is a limit of: run, day, month."""
    micros: int
    since: datetime | None
    """When the day or month began; None for the run."""
    runs: str = ""
    """Only runs whose names begin so count; empty: all."""


class Asked(NamedTuple):
    """What is asked for of a draft, and that draft."""

    request: RedraftRequest
    previous: "Previous"


class CallRow(NamedTuple):
    """One answer that was paid for."""

    at: datetime
    feed_key: str
    model: str
    purpose: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    micros: int | None
    """Millionths of a US dollar; None where the price is not known."""


class Version(FrozenModel):
    """A text that a draft has had."""

    label: str
    """By which it is restored: its number, with its cause where it is not the first of that number."""
    number: int
    """`ai.version`."""
    cause: str
    """draft, repair, redraft, edit, restore or revise."""
    at: datetime
    sha256: str
    text: str
    by: str | None = None
    """The editor who wrote it."""
    aside: bool = False
    """It never stood on disk: it came when another text stood that nobody may overwrite."""


class Previous(FrozenModel):
    """The draft that an item has already."""

    path: str
    sha256: str
    text: str
    version: int
    """Its `ai.version`."""
    edited_at: datetime | None = None
    """When an editor wrote it."""
    origin: str = ""
    """The last text before it, or itself, that no editor wrote or brought about by hand."""


class Met(NamedTuple):
    """What is known of the items of one poll."""

    guids: dict[str, tuple[str, str]]
    """Guid → (state, content hash), in the same feed."""
    canonicals: dict[str, tuple[str, str]]
    """Canonical URL → (feed key, guid) of the item that is drafted for it."""
    forgotten: frozenset[str]
    """Canonical URLs that are never to be taken again."""


class Admitted(FrozenModel):
    """What became of the items of one poll."""

    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0


class Claim(FrozenModel):
    """An item that this process works on, until its lease ends; `token` fences off earlier holders."""

    item_id: int
    token: int
    feed_key: str
    first_key: str
    item: Item
    attempts: int
    """This one counted: one more than came to nothing before."""
    answer: LLMResponse | None = None
    """Paid for before, and still to be used."""
    intent: Draft | None = None
    """Meant to be written before, and not known to be."""
    previous: Previous | None = None
    """Drafted before."""
    request: RedraftRequest | None = None
    """Why it is to be written anew."""
    updated: Item | None = None
    """What its feed says now, where that changed: the whole of a draft is written anew from it."""
    mended: LLMResponse | None = None
    """Paid for before: the sentences that a repair pass put right."""


class FeedStatus(FrozenModel):
    """A feed as its last poll left it."""

    key: str
    url: str
    poll: PollState
    counts: dict[str, int]
    """Items by state."""


class Failure(FrozenModel):
    """An item that came to nothing so far, and why."""

    feed_key: str
    title: str
    state: str
    reason: str


class Acknowledgement(FrozenModel):
    """A finding that an editor answers for."""

    key: str
    kind: str
    message: str
    reason: str
    by: str
    at: datetime


class DraftRow(FrozenModel):
    """A draft as the ledger knows it; its text is the file's."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    path: str
    state: str
    published_at: datetime
    drafted_at: datetime
    findings: tuple[Finding, ...]
    item: Item
    siblings: tuple[Sibling, ...] = ()
    version: int = 1
    """`ai.version` of the last text that we know."""
    version_text: str
    """That text: what stands on disk, unless somebody changed it there."""
    cause: str = "draft"
    """How it came about."""
    request: RedraftRequest | None = None
    """What waits to be written anew."""
    acknowledged: tuple[Acknowledgement, ...] = ()
    """Those of its findings, and others, that an editor answers for."""
    origin: str = ""
    """The last text that no editor wrote or brought about by hand, where one draft is looked at."""
    written_by_model: str = ""
    """Every text of it that a model or the brief wrote, where one draft is looked at."""
    updated: Item | None = None
    """The source as it is now, where it changed since."""
    was_updated: bool = False
    """The source changed at some time after the first text: findings of before may not hold."""

    @property
    def source(self) -> Item:
        """The source as it is now: what the draft is checked against."""
        return self.updated or self.item

    @property
    def short_id(self) -> str:
        """The first 8 digits of the external id, as in the file's name."""
        return self.external_id[:8]

    @property
    def open_findings(self) -> int:
        """How many findings block or warn, and nobody answers for."""
        return len(unanswered(self.findings, self.acknowledged))


def unanswered(findings: Sequence[Finding], acknowledged: Sequence[Acknowledgement]) -> list[Finding]:
    """Return the findings that block or warn and that nobody answers for."""
    answered = {one.key for one in acknowledged}
    return [
        one for one in findings if one.severity is not Severity.NOTE and (one.firm or one.key not in answered)
    ]


class Given(NamedTuple):
    """A verdict that was carried out."""

    id: int
    item_id: int
    decision: ReviewDecision
    by: str
    at: datetime
    note: str | None
    old_path: str
    new_path: str
    sha256_before: str
    sha256_after: str
    text: str
    """The file at its new place."""
    undoes: int | None
    """The verdict that it takes back."""


class Move(NamedTuple):
    """What a verdict does to a draft's file."""

    old_path: str
    new_path: str
    text: str
    """The file at its new place."""
    sha256_after: str
    """Its hash."""
    replaces: str | None = None
    """Hash of what may be replaced there."""
    leaves: str | None = None
    """Text that comes to stand at the old place; None: the file goes."""
    undoes: int | None = None
    """The verdict that is taken back."""


class Event(NamedTuple):
    """Something that happened to a draft."""

    at: datetime
    by: str | None
    what: str
    """draft, edit, …, approve, …, asked, acknowledged, withdrawn, published …"""
    detail: str | None = None


class PendingText(NamedTuple):
    """What an editor wrote and is to stand on disk."""

    version_id: int
    item_id: int
    path: str
    sha256: str
    text: str
    base: str | None
    """Hash of what it replaces; None: nothing stands there."""
    earlier: int | None
    """The number of a version that this one takes the place of."""


class PendingVerdict(FrozenModel):
    """A verdict that is to be carried out on disk."""

    verdict_id: int
    item_id: int
    state: str
    """The item's state once it is carried out."""
    old_path: str
    new_path: str
    sha256_before: str
    text: str
    """The file at its new place."""
    replaces: str | None
    """Hash of what may be replaced there."""
    leaves: str | None
    """Text that comes to stand at the old place; None: the file goes."""
    path: str
    """Where the item's file is once it is carried out."""
