"""What the ledger hands out: frozen records."""

from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime

from pipeline.models import Answer, Draft, Finding, Item, PollState, Record, Request, Severity


class Policy(Record):
    """How a feed's items are taken in."""

    merge_among: frozenset[str] = frozenset()
    """Keys of the feeds whose near-duplicates become one draft; a feed's that are not here, siblings."""
    max_updates: int = 3
    """Changes of an item's text that are taken notice of."""
    redraft: bool = False
    """A source that changed is drafted again, where nobody touched its draft."""


class Sibling(Record):
    """Another item that tells the same story."""

    feed_key: str
    feed_name: str
    title: str
    url: str | None
    external_id: str
    state: str
    path: str | None


def same_story(feed_name: str, title: str, path: str | None = None) -> Finding:
    """Return the note that tells an editor of another item with the same story."""
    where = f", drafted as {path}" if path else ""
    said = f"{feed_name} tells the same story: {title}{where}"
    return Finding(kind="story", severity=Severity.NOTE, message=said)


class PageRow(Record):
    """What was kept of a web page: its text, or why there is none."""

    at: AwareDatetime
    payload: str | None
    error: str | None


class Cap(NamedTuple):
    """A limit on spending."""

    name: str
    """What it is a limit of: run, day, month."""
    micros: int
    since: datetime | None
    """When the day or month began; None for the run."""


class Asked(NamedTuple):
    """What is asked for of a draft, and that draft."""

    request: Request
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


class Version(Record):
    """A text that a draft has had."""

    label: str
    """By which it is restored: its number, with its cause where it is not the first of that number."""
    number: int
    """`ai.version`."""
    cause: str
    """draft, repair, redraft, edit or restore."""
    at: datetime
    sha256: str
    text: str


class Previous(Record):
    """The draft that an item has already."""

    path: str
    sha256: str
    text: str
    version: int
    """Its `ai.version`."""


class Met(NamedTuple):
    """What is known of the items of one poll."""

    guids: dict[str, tuple[str, str]]
    """Guid → (state, content hash), in the same feed."""
    canonicals: dict[str, tuple[str, str]]
    """Canonical URL → (feed key, guid) of the item that is drafted for it."""
    forgotten: frozenset[str]
    """Canonical URLs that are never to be taken again."""


class Admitted(Record):
    """What became of the items of one poll."""

    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0


class Claim(Record):
    """An item that this process works on, until its lease ends; `token` fences off earlier holders."""

    item_id: int
    token: int
    feed_key: str
    first_key: str
    item: Item
    attempts: int
    """This one counted: one more than came to nothing before."""
    answer: Answer | None = None
    """Paid for before, and still to be used."""
    intent: Draft | None = None
    """Meant to be written before, and not known to be."""
    previous: Previous | None = None
    """Drafted before."""
    request: Request | None = None
    """Why it is to be written anew."""
    mended: Answer | None = None
    """Paid for before: the sentences that a repair pass put right."""


class FeedStatus(Record):
    """A feed as its last poll left it."""

    key: str
    url: str
    poll: PollState
    counts: dict[str, int]
    """Items by state."""


class Failure(Record):
    """An item that came to nothing so far, and why."""

    feed_key: str
    title: str
    state: str
    reason: str


class DraftRow(Record):
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
    """`ai.version` of what we wrote."""
    version_text: str
    """As we wrote it, before any edit."""
    request: Request | None = None
    """What waits to be written anew."""

    @property
    def short_id(self) -> str:
        """The first 8 digits of the external id, as in the file's name."""
        return self.external_id[:8]

    @property
    def open_findings(self) -> int:
        """How many findings block or warn."""
        return sum(finding.severity is not Severity.NOTE for finding in self.findings)


class PendingVerdict(Record):
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
