"""The frozen records that travel the pipeline: feed, item, source, article, draft, finding, verdict.

Records refuse unknown fields and are never changed, only replaced. Every time is aware and in UTC.
This module imports no sibling.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Window = tuple[datetime | None, datetime | None]
"""A half-open span [since, until) of publication times, aware UTC; None leaves that side open."""


class FrozenModel(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _off(value: object) -> object:
    """Return the word that YAML reads as "no"."""
    return "off" if value is False else value


Level = Annotated[Literal["block", "warn", "note", "off"], BeforeValidator(_off)]


class CheckLevels(FrozenModel):
    """How hard the checks of a beat's drafts judge. A kind that is not named decides by itself."""

    figure: Level | None = None
    """What the kind objects to blocks, warns, is noted, or is not told at all; notes stay notes."""
    place: Level | None = None
    date: Level | None = None
    name: Level | None = None
    quotation: Level | None = None
    overlap: Level | None = None
    opinion: Level | None = None
    form: Level | None = None
    overlap_warn_words: int = Field(default=13, ge=5, le=1000)
    """Words in a row as the source has them that are warned of."""
    overlap_block_words: int = Field(default=20, ge=5, le=1000)
    """The same, from which on they block."""
    overlap_block_share: float = Field(default=0.25, gt=0, le=1)
    """Part of a draft's words in copied runs of eight or more, from which on it is blocked."""


class Beat(FrozenModel):
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
    duplicates: Literal["link", "one"] = "link"
    """What near-duplicates of one story become: each a draft that names its siblings, or one draft."""
    verify: bool = False
    """One more call mends the sentences of a draft that the checks object to."""
    updates: Literal["flag", "redraft"] = "flag"
    """What a source that changes after it was drafted does to a draft that nobody touched."""
    checks: CheckLevels = CheckLevels()


class FeedConfig(FrozenModel):
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
    max_items_per_day: int | None = Field(default=None, ge=1, le=100_000)
    """Items drafted in one calendar day of the setting `timezone`."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """Words, found whole and in any case."""
    include_match: tuple[str, ...] = ()
    exclude_match: tuple[str, ...] = ()
    """Regular expressions in RE2's syntax, searched in title and text."""
    include_categories: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    """The publisher's own categories, in any case."""
    languages: tuple[str, ...] = ()
    """Wanted languages, `en` standing for `en-GB` as well; an item that names none has its feed's."""
    min_chars: int = Field(default=200, ge=0, le=1_000_000)
    """Characters of text that a source must have: less is too thin to be rewritten."""
    max_chars: int | None = Field(default=None, ge=1)
    use: Literal["full", "summary", "link"] = "full"
    """What of the feed's text to take: all, its summary only, or none (then the page has it)."""
    full_text: Literal["auto", "always", "never"] = "auto"
    """When to fetch the item's page: where the feed's text is thin or cut, always, or never."""
    selector: str | None = None
    """CSS selector of the article in its page, where finding it by itself fails."""
    max_updates: int = Field(default=3, ge=0, le=1000)
    """Changes of an item's text that are taken notice of."""
    poll_minutes: tuple[float, float] = (0, 60)
    """The shortest and the longest time between two polls, within which the publisher's wishes count."""
    covers: Literal["none", "feed", "unsplash"] = "none"
    """Where articles have their cover from: nowhere, the item's own image, a search."""
    cover_choice: Literal["editor", "first"] = "editor"
    """Who chooses among what a search finds: the editor at the desk, or its order at drafting."""
    schedule: str = "15m"
    """When `copydesk serve` runs it: every so many minutes, hours or days (15m, 2h, 1d), cron, or never."""
    jitter: str = "0s"
    """The longest time that a poll on schedule waits, by chance: feeds of one schedule spread over it."""
    enabled: bool = True

    @property
    def first_key(self) -> str:
        """The key this feed was first subscribed under."""
        return self.previous_keys[0] if self.previous_keys else self.key


class Item(FrozenModel):
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
    media: Literal["audio", "video"] | None = None
    """What the item is rather than text: a podcast's episode, a film."""
    language: str | None = None
    """As the publisher declares it, lower case, for example `en-gb`."""
    summary: str = ""
    """Plain text of the shorter of two texts, where the feed has two; `text` is the longer one."""
    categories: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256 over title and text: a change means that the story was updated."""
        return hashlib.sha256(f"{self.title}\0{self.text}".encode("utf-8", "replace")).hexdigest()


class PollState(FrozenModel):
    """What the polls of one feed have taught; decides when it is polled next, and how."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    """SHA-256 of the body that was read last."""
    unchanged: int = 0
    """Answers 304 in a row: a server stuck on them is asked without validators now and then."""
    last_polled_at: AwareDatetime | None = None
    next_poll_at: AwareDatetime | None = None
    ttl_s: float | None = None
    """How long the feed itself wants to be kept, in seconds."""
    wait_until: AwareDatetime | None = None
    """Until when the feed's host asked to be left alone (Retry-After): holds for the whole host."""
    failures: int = 0
    """Polls that failed in a row."""
    last_error: str | None = None
    retired: bool = False
    """The publisher said that the feed is gone for good (410)."""
    moving_to: str | None = None
    """Where permanent redirects of the last polls led."""
    moving: int = 0
    """Polls in a row that were led there."""
    url: str | None = None
    """Where the feed lives since it moved for good; None: at its configured URL."""


class Credit(FrozenModel):
    """Somebody else who told the same story."""

    name: str
    url: str


class Source(FrozenModel):
    """The text that we rewrite: an item beside what its feed says of it."""

    item: Item
    feed_key: str
    feed_name: str
    first_key: str
    category: str
    language: str
    also: tuple[Credit, ...] = ()
    """Those whose items were merged into this one."""

    @property
    def external_id(self) -> str:
        """16 hex digits of SHA-256 over (the feed's first key, guid)."""
        return external_id(self.first_key, self.item.guid)


def build_source(
    feed: FeedConfig, item: Item, *, first_key: str | None = None, also: tuple[Credit, ...] = ()
) -> Source:
    """Return an item beside what its feed says of it; `first_key` as the ledger has it, if it is known."""
    return Source(
        item=item,
        feed_key=feed.key,
        feed_name=feed.name,
        first_key=first_key or feed.first_key,
        category=feed.category,
        language=feed.language,
        also=also,
    )


def external_id(first_key: str, guid: str) -> str:
    """Return the 16 hex digits that name an item for ever, whatever its feed is called later."""
    return hashlib.sha256(f"{first_key}\0{guid}".encode("utf-8", "replace")).hexdigest()[:16]


def normalize_feed_url(url: str) -> str | None:
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


class Section(FrozenModel):
    """A topical section: a heading and Markdown paragraphs."""

    heading: str
    body: str


class Article(FrozenModel):
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


class Provenance(FrozenModel):
    """Who wrote an article: a model with a prompt, or the offline brief."""

    rewritten: bool
    """True only when a model wrote it."""
    model: str
    prompt: str | None = None
    """`name@hash` of the template; none for the brief."""


class TokenUsage(FrozenModel):
    """Tokens that one call was billed for."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt's, those that the server had at hand."""
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Of the completion's, those that nobody gets to read."""

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        """Return the sum of two calls' tokens, count by count."""
        counts = type(self).model_fields
        return TokenUsage(**{name: getattr(self, name) + getattr(other, name) for name in counts})


class LLMResponse(FrozenModel):
    """What a model answered, verbatim, to be kept before anything else is done with it."""

    text: str
    provenance: Provenance
    usage: TokenUsage = TokenUsage()
    seconds: float | None = None
    """From the request to the answer, repeated attempts included."""


class Severity(StrEnum):
    """What a finding does: block approval, warn the editor, or just be noted."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


Place = Literal["body", "title", "description", "front matter"]
"""What of a draft a finding is about. In front matter as a whole it has no span."""
LINES: tuple[Place, ...] = ("title", "description")
"""Keys of front matter that readers see as text."""


class Finding(FrozenModel):
    """One check's result, with character spans on both sides."""

    kind: str
    severity: Severity
    message: str
    """One plain sentence for the editor."""
    field: Place = "body"
    """In what of the draft `span` lies."""
    span: tuple[int, int] | None = None
    """Half-open, in characters of the draft's body, or of another field's text."""
    evidence: tuple[tuple[int, int], ...] = ()
    """Half-open, in characters of the source's text."""
    key: str = ""
    """What an acknowledgement of it is tied to: `claim_key` over what it says."""
    firm: bool = False
    """It has to be mended: nobody can answer for it."""

    @property
    def body_span(self) -> tuple[int, int] | None:
        """Return its place in the body; None where it is about the whole, or about another field."""
        return self.span if self.field == "body" else None


class Front(FrozenModel):
    """Front matter as an approval would write it, beside what its checks have to know."""

    metadata: dict[str, Any]
    follows: bool = False
    """The description is the Overview's beginning, which is checked with the body."""
    is_ours: bool = True
    """It is an article's of ours, which has all its keys."""
    notes: tuple[Finding, ...] = ()
    """What an approval changes in the file's front matter."""

    def text(self, field: Place) -> str:
        """Return the text of the title or the description; empty for anything else."""
        told = self.metadata.get(field) if field in LINES else None
        return told if isinstance(told, str) else ""


def claim_key(kind: str, claim: str, evidence: Iterable[str] = ()) -> str:
    """Return what names a claim beside its evidence, 16 hex digits; white space does not count."""
    told = json.dumps([kind, " ".join(claim.split()), [" ".join(text.split()) for text in evidence]])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


class Draft(FrozenModel):
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


class RedraftRequest(FrozenModel):
    """What an editor, or a changed source, wants written anew."""

    id: int
    by: str
    at: AwareDatetime
    note: str | None = None
    """The editor's instruction to the model."""
    section: str | None = None
    """The one heading that is to be written anew; None: the whole article."""


class ReviewDecision(StrEnum):
    """An editor's verdict on a draft."""

    APPROVE = "approve"
    REJECT = "reject"
    UNDO = "undo"


class Review(FrozenModel):
    """Who decided what about a draft, when and why."""

    decision: ReviewDecision
    by: str
    at: AwareDatetime
    note: str | None = None
    sha256: str
    """Hash of the text that the editor decided about."""


def utc_iso(moment: datetime) -> str:
    """Return `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of every time in front matter."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
