"""Frozen records of the pipeline: beat, feed, poll state, item, source, model response.

Records reject unknown fields. Every time is aware and in UTC.
"""

import hashlib
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.domain.feed_access import FeedAccess

Window = tuple[datetime | None, datetime | None]
"""A half-open range [since, until) of publication times, aware UTC; None leaves that side open."""
DEFAULT_PROFILE = "default"
"""Name of the model profile that `.env` describes."""
VERIFIER_OFF = "off"
"""What is written in place of a profile's name where no second reader reads."""


class FrozenModel(BaseModel):
    """A frozen record that rejects unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _off(value: object) -> object:
    """Return `off` for False: YAML 1.1 reads an unquoted `off` as False."""
    return "off" if value is False else value


Level = Annotated[Literal["block", "warn", "note", "off"], BeforeValidator(_off)]


OpinionSection = Literal["from_author", "impact"]
"""A section of opinion, by the beat's field for its heading."""


class CheckLevels(FrozenModel):
    """Severity of the check findings of a beat's drafts, by finding kind; None: the check decides."""

    figure: Level | None = None
    """Blocks, warns, notes, or reports nothing; a finding that is a note stays a note."""
    place: Level | None = None
    date: Level | None = None
    name: Level | None = None
    quotation: Level | None = None
    pair: Level | None = None
    sense: Level | None = None
    """Of contradictions that the second reader found; what it only finds not stated warns at most."""
    overlap: Level | None = None
    opinion: Level | None = None
    form: Level | None = None
    overlap_warn_words: int = Field(default=13, ge=5, le=1000)
    """Words in a row copied from the source from which on a finding warns. Chosen, not measured."""
    overlap_block_words: int = Field(default=20, ge=5, le=1000)
    """Words in a row from which on it blocks. Chosen, not measured."""
    overlap_block_share: float = Field(default=0.25, gt=0, le=1)
    """Share of a draft's words in copied runs of 8 or more from which on it blocks. Chosen, not measured."""


class Headings(NamedTuple):
    """The headings that every article of a beat has."""

    overview: str
    from_author: str
    impact: str


class Beat(FrozenModel):
    """A topic area: its vocabulary, prompt, headings and check levels."""

    key: str
    market: str = "market"
    """Last part of the heading `## Impact on the <market>`, for example `crypto market`."""
    vocabulary: tuple[str, ...] = ()
    """Upper-case categories and tags that an article may carry."""
    prompt: str = "article"
    """Name of the template under prompts/, without `.md`."""
    tone: str = "neutral, precise, concrete"
    overview: str = "Overview"
    from_author: str = "From author"
    impact: str = "Impact on the"
    corrections: str = "Corrections"
    """Heading of the section that tells readers what was corrected."""
    titles: Literal["own", "source"] = "own"
    """Whose headline an article has: its own, or the source's."""
    required_sections: tuple[OpinionSection, ...] = ("from_author", "impact")
    """Sections of opinion that every article has; one that is not named is left out where it has no basis."""
    duplicates: Literal["link", "one"] = "link"
    """What near-duplicates become: `link`, a draft each that names the others; `one`, a single draft."""
    verifier: Annotated[str, BeforeValidator(_off)] | None = None
    """Profile of the second reader, or VERIFIER_OFF; None: that of the settings."""
    verify_edits: bool = False
    """Whether the second reader reads what an editor changed."""
    light_reviews: Literal["allow", "refuse"] = "allow"
    """Whether an article may be approved of which not every section was shown to the editor."""
    repair_sentences: bool = False
    """Whether one more model call repairs the sentences with blocks and confirmed contradictions."""
    updates: Literal["flag", "redraft"] = "flag"
    """What happens to an unedited draft when its source changes: a finding, or a redraft."""
    checks: CheckLevels = CheckLevels()
    model: str | None = None
    """Profile of the model that writes; None: that of the feed, or DEFAULT_PROFILE."""
    fallbacks: tuple[str, ...] = ()
    """Profiles that write, in this order, while the model is overloaded, unreachable or gone."""
    example_texts: tuple[str, ...] = ()
    """Texts of the prompt's examples, which no article may copy; not a field of feeds.yaml."""

    @property
    def headings(self) -> Headings:
        """The headings that every article has."""
        return Headings(self.overview, self.from_author, f"{self.impact} {self.market}")


class FeedConfig(FrozenModel):
    """One subscription of feeds.yaml."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    previous_keys: tuple[str, ...] = ()
    """Oldest first. The first key is part of every externalId and never changes."""
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
    """Whole words, in any case."""
    include_match: tuple[str, ...] = ()
    exclude_match: tuple[str, ...] = ()
    """Regular expressions in RE2's syntax, searched in title and text."""
    include_categories: tuple[str, ...] = ()
    exclude_categories: tuple[str, ...] = ()
    """The publisher's own categories, in any case."""
    include_authors: tuple[str, ...] = ()
    exclude_authors: tuple[str, ...] = ()
    """Names of authors, in any case."""
    include_links: tuple[str, ...] = ()
    exclude_links: tuple[str, ...] = ()
    """Regular expressions in RE2's syntax, searched in the item's link."""
    exclude_media: tuple[Literal["audio", "video"], ...] = ()
    """Kinds of items that are not drafted: those with an audio or video file."""
    only_articles: bool = True
    """Whether show notes, advertising, sign-up pages and lists of links are skipped."""
    languages: tuple[str, ...] = ()
    """Languages to draft; `en` includes `en-GB`. An item without a language has its feed's."""
    min_chars: int = Field(default=200, ge=0, le=1_000_000)
    """Characters of text that a source must have to be drafted."""
    max_chars: int | None = Field(default=None, ge=1)
    use: Literal["full", "summary", "link"] = "full"
    """Which text of the feed to use: all, its summary only, or none (only the page's text)."""
    full_text: Literal["auto", "always", "never"] = "auto"
    """When to fetch the item's page: where the feed's text is short or truncated, always, or never."""
    selector: str | None = None
    """CSS selector of the article in its page, where the automatic extraction fails."""
    page_delay: float = 1
    """Least seconds between two pages of one host; the longest of the feeds with pages there counts."""
    max_updates: int = Field(default=3, ge=0, le=1000)
    """Number of changes of an item's text that are stored."""
    poll_minutes: tuple[float, float] = (0, 60)
    """Shortest and longest minutes between two polls; the server's cache headers decide in between."""
    covers: Literal["none", "feed", "unsplash"] = "none"
    """Source of the cover: none, the item's own image, or a search on Unsplash."""
    cover_choice: Literal["editor", "first"] = "editor"
    """Who chooses the search result: the editor at the desk, or the first result when drafting."""
    schedule: str = "15m"
    """When `copydesk serve` polls it: an interval (15m, 2h, 1d), a cron line, or never."""
    jitter: str = "0s"
    """Longest random delay of a scheduled poll (30s, 5m), so that feeds of one schedule spread out."""
    enabled: bool = True
    access: FeedAccess = FeedAccess()
    """What requests to the origin of its URL have in addition."""
    model: str | None = None
    """Profile of the model that writes: the feed's own, else its beat's; None: DEFAULT_PROFILE."""
    fallbacks: tuple[str, ...] = ()
    """Profiles that write, in this order, while the model is overloaded, unreachable or gone."""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles that may write, each once, the writer first."""
        return tuple(dict.fromkeys((self.model or DEFAULT_PROFILE, *self.fallbacks)))

    @property
    def first_key(self) -> str:
        """The key that this feed was first subscribed under."""
        return self.previous_keys[0] if self.previous_keys else self.key


class Credit(FrozenModel):
    """Another publisher that has the same text."""

    name: str
    url: str


class Item(FrozenModel):
    """One feed entry as stored: plain text, UTC times, http(s) links."""

    guid: str
    """The publisher's id, or a derived one. (feed, guid) identifies an item."""
    link: str | None = None
    canonical: str | None = None
    """Canonical URL: `link` without tracking parameters and fragment; equal for duplicates."""
    title: str = ""
    text: str = ""
    """Plain text, with a blank line between paragraphs."""
    author: str | None = None
    published_at: AwareDatetime
    dated: bool = True
    """False where the feed has no usable date and `published_at` is the time of its first poll."""
    utc_offset_min: int | None = Field(default=None, gt=-1440, lt=1440)
    """Minutes ahead of UTC in the feed's own date; None without a zone, and in items stored earlier."""
    updated_at: AwareDatetime | None = None
    image: str | None = None
    image_alt: str | None = None
    """What the publisher says the image shows."""
    image_licence: str | None = None
    """The publisher's words about the image's licence, or its URL."""
    media: Literal["audio", "video"] | None = None
    """Kind of an item that is not text: a podcast episode or a video."""
    language: str | None = None
    """As the publisher declares it, lower case, for example `en-gb`."""
    summary: str = ""
    """The shorter text as plain text, where the feed has two; `text` is the longer one."""
    categories: tuple[str, ...] = ()
    reader: int = 1
    """Version of the reader that made title, text and summary; 1 in items stored earlier."""
    reserved: str | None = None
    """What reserves its text, where its publisher does; such an item is never drafted."""
    unread_date: str | None = None
    """The feed's date as written, where it has one that nobody can read; such an item is not `dated`."""
    link_list: bool = False
    """Its text in the feed is a list of links to other stories."""
    origin: Credit | None = None
    """Whose text it is, where the feed or the page names another publisher."""
    credit: str | None = None
    rights: str | None = None
    """Whose text it is, where its publisher says so, and its line of rights, such as `© 2026 The Gull`."""
    excerpt: Literal["cut", "teaser"] | None = None
    """`cut`: the text breaks off; `teaser`: all texts of its feed are excerpts."""

    @property
    def published_local(self) -> datetime:
        """Return `published_at` at the UTC offset that the feed wrote, in UTC where that is unknown."""
        return self.published_at.astimezone(timezone(timedelta(minutes=self.utc_offset_min or 0)))

    @property
    def content_hash(self) -> str:
        """SHA-256 of title and text, after the reader's version (`2:…`; none is version 1).

        It changes when the publisher updates the item, or with the version.
        """
        digest = hashlib.sha256(f"{self.title}\0{self.text}".encode("utf-8", "replace")).hexdigest()
        return digest if self.reader == 1 else f"{self.reader}:{digest}"


def reader_of(content_hash: str) -> int:
    """Return the version of the reader whose text a content hash is of."""
    version, colon, _ = content_hash.partition(":")
    return int(version) if colon else 1


def same_text(content_hash: str, other: str) -> bool:
    """Return whether two content hashes are of one text, whatever versions made it."""
    return content_hash.rpartition(":")[2] == other.rpartition(":")[2]


class PollState(FrozenModel):
    """State of one feed's polls: validators (ETag, Last-Modified), backoff, next poll."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    """SHA-256 of the last body that was read."""
    unchanged: int = 0
    """Responses 304 in a row. After many of them a poll is sent without validators."""
    last_polled_at: AwareDatetime | None = None
    next_poll_at: AwareDatetime | None = None
    ttl_s: float | None = None
    """Seconds that the feed itself asks to be cached (`ttl`)."""
    wait_until: AwareDatetime | None = None
    """End of the cooldown that the host asked for (Retry-After); it applies to the whole host."""
    failures: int = 0
    """Polls that failed in a row."""
    last_error: str | None = None
    retired: bool = False
    """The server said that the feed is gone (410)."""
    moving_to: str | None = None
    """Target of the permanent redirects of the last polls."""
    moving: int = 0
    """Polls in a row that were redirected there."""
    url: str | None = None
    """URL of the feed after a permanent redirect; None: the configured URL."""
    tdm: bool | None = None
    """The TDM reservation in the headers of the last response that was read; None: they had none."""
    boilerplate: tuple[str, ...] = ()
    """Lines that its texts repeat, and that are taken out of them, as `repeats.py` writes them."""
    excerpts: str | None = None
    """How its texts are excerpts; None if they are not."""


class Source(FrozenModel):
    """What a draft is written from and checked against: an item with the fields of its feed."""

    item: Item
    feed_key: str
    feed_name: str
    first_key: str
    category: str
    language: str
    also: tuple[Credit, ...] = ()
    """Publishers of the near-duplicates that were merged into this item."""

    @property
    def external_id(self) -> str:
        """The external id of the item; see the function of this name."""
        return external_id(self.first_key, self.item.guid)


def build_source(
    feed: FeedConfig, item: Item, *, first_key: str | None = None, also: tuple[Credit, ...] = ()
) -> Source:
    """Return the source of an item; `first_key` is the database's, `also` further publishers of its text."""
    return Source(
        item=item,
        feed_key=feed.key,
        feed_name=feed.name,
        first_key=first_key or feed.first_key,
        category=feed.category,
        language=feed.language,
        also=with_origin(item, *also),
    )


def with_origin(item: Item, *also: Credit) -> tuple[Credit, ...]:
    """Return the other publishers of an item's text, the one whose it is first."""
    first = (item.origin,) if item.origin else ()
    return (*first, *(each for each in also if each not in first))


def external_id(first_key: str, guid: str) -> str:
    """Return the permanent id of an item: 16 hex digits of SHA-256 over (the feed's first key, guid)."""
    return hashlib.sha256(f"{first_key}\0{guid}".encode("utf-8", "replace")).hexdigest()[:16]
