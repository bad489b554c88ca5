"""The frozen records that travel the pipeline: feed, item, source, article, draft, finding, verdict.

Records refuse unknown fields and are never changed, only replaced. Every time is aware and in UTC.
This module imports no sibling.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Window = tuple[datetime | None, datetime | None]
"""A half-open span [since, until) of publication times, aware UTC; None leaves that side open."""


class Record(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Beat(Record):
    """What one newsroom writes about, and how."""

    key: str
    market: str = "market"
    """Ends the heading `## Impact on the <market>`, for example `crypto market`."""
    vocabulary: tuple[str, ...] = ()
    """Upper-case categories and tags that an article may carry."""
    prompt: str = "article"
    """Name of the template under prompts/, without its ending."""
    tone: str = "neutral, precise, concrete"
    overview: str = "Overview"
    from_author: str = "From author"
    impact: str = "Impact on the"


class FeedConfig(Record):
    """One subscription of feeds.yaml."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    previous_keys: tuple[str, ...] = ()
    """Oldest first. The first of all keys is part of every externalId and never changes."""
    name: str
    url: str
    beat: str
    category: str
    language: str = "en"
    max_items: int = Field(default=20, ge=1, le=100_000)
    """Items drafted in one run."""
    max_age_days: float | None = Field(default=7, gt=0)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    enabled: bool = True

    @property
    def first_key(self) -> str:
        """The key this feed was first subscribed under."""
        return self.previous_keys[0] if self.previous_keys else self.key


class Item(Record):
    """One element of a feed, cleaned: plain text, UTC times, http(s) links."""

    guid: str
    """The publisher's id, or one that we derived: identity is (feed, guid)."""
    link: str | None = None
    canonical: str | None = None
    """`link` without tracking parameters, fragment and the like: equal for duplicates."""
    title: str = ""
    text: str = ""
    """Plain text, paragraphs divided by a blank line."""
    author: str | None = None
    published_at: AwareDatetime
    dated: bool = True
    """False where the feed gave no usable date and `published_at` is the time of first sight."""
    updated_at: AwareDatetime | None = None
    image: str | None = None
    categories: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256 over title and text: a change means that the story was updated."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode("utf-8", "replace")).hexdigest()


class Source(Record):
    """The text that we rewrite: an item beside what its feed says of it."""

    item: Item
    feed_key: str
    feed_name: str
    first_key: str
    category: str
    language: str

    @property
    def external_id(self) -> str:
        """16 hex digits of SHA-256 over (the feed's first key, guid)."""
        return external_id(self.first_key, self.item.guid)


def external_id(first_key: str, guid: str) -> str:
    """Return the 16 hex digits that name an item for ever, whatever its feed is called later."""
    return hashlib.sha256(f"{first_key}\0{guid}".encode("utf-8", "replace")).hexdigest()[:16]


def feed_address(url: str) -> str | None:
    """Return what two spellings of one feed's URL share, or None where it is no http(s) URL.

    The scheme, the case of the host, a default port, a closing slash and the fragment do not count.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable() or " " in url:
        return None
    host = parts.hostname if port in {None, 80, 443} else f"{parts.hostname}:{port}"
    return host + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


class Sentiment(StrEnum):
    """How the news falls for the market."""

    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"


class Section(Record):
    """A topical section: a heading and Markdown paragraphs."""

    heading: str
    body: str


class Article(Record):
    """The structured rewrite, before it is laid out as Markdown."""

    title: str
    overview: str
    sections: tuple[Section, ...]
    from_author: str
    impact: tuple[str, ...]
    """Bullets, one sentence or two each."""
    category: str
    tags: tuple[str, ...]
    sentiment: Sentiment
    language: str


class Provenance(Record):
    """Who wrote an article: a model with a prompt, or the offline brief."""

    rewritten: bool
    """True only when a model wrote it."""
    model: str
    prompt: str | None = None
    """`name@hash` of the template; none for the brief."""


class Usage(Record):
    """Tokens that one call was billed for."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Answer(Record):
    """What a model answered, verbatim, to be kept before anything else is done with it."""

    text: str
    provenance: Provenance
    usage: Usage = Usage()


class Severity(StrEnum):
    """What a finding does: block approval, warn the editor, or just be noted."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


class Finding(Record):
    """One check's result, with character spans on both sides."""

    kind: str
    severity: Severity
    message: str
    """One plain sentence for the editor."""
    span: tuple[int, int] | None = None
    """Half-open, in characters of the draft's body."""
    evidence: tuple[tuple[int, int], ...] = ()
    """Half-open, in characters of the source's text."""


class Draft(Record):
    """An article as the bytes of its file."""

    external_id: str
    path: str
    """Relative to the output folder, `drafts/YYYY/MM/<slug>-<short id>.md`."""
    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the bytes that are to stand on disk."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Decision(StrEnum):
    """An editor's verdict on a draft."""

    APPROVE = "approve"
    REJECT = "reject"


class Verdict(Record):
    """Who decided what about a draft, when and why."""

    decision: Decision
    by: str
    at: AwareDatetime
    note: str | None = None
    sha256: str
    """Hash of the text that the editor decided about."""


def utc_iso(moment: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of every time in front matter."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
