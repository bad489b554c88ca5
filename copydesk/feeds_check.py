"""The report of `copydesk feeds check`: fetches and parses one feed and stores nothing."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.cells import cell_len, set_cell_size

from copydesk.console import format_time, pluralize, without_feed_key
from copydesk.forecast import Outcome, Row, ask_pages, forecast, item_outcomes
from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, Item, PollState
from pipeline.feeds.boilerplate.repeats import Repeated
from pipeline.feeds.fetch import FetchedFeed, fetch_feed
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.parsing.parse import ParsedFeed, reserve
from pipeline.feeds.poll_schedule import ReadResult, state_after_read
from pipeline.http_client import HttpClient, redact_url
from pipeline.services.context import Parse

MAX_SHOWN = 20
"""Rows of the table; the totals below it count all items."""
_LABEL, _TITLE, _LINE = 11, 46, 90
_OUTCOME_TEXT: dict[Outcome, str] = {
    "drafted": "drafted",
    "page": "drafted if its page has the text",
    "waits": "left for later runs",
    "skipped": "skipped",
    "merged": "merged",
}


class Answer(FrozenModel):
    """The server's response."""

    url: str
    """Final URL after redirects."""
    moved: bool = False
    """Whether all redirects were permanent."""
    content_type: str | None = None
    size: int
    """Bytes, decompressed."""
    etag: str | None = None
    last_modified: str | None = None
    expired: bool = False
    """`Expires: 0`: the validators are not used."""
    fresh_s: float | None = None
    """Freshness lifetime of the HTTP headers, in seconds."""
    ttl_s: float | None = None
    """Time to live that the feed states, in seconds."""
    again_s: float
    """Seconds until the next poll."""


class FeedCheckReport(FrozenModel):
    """Result of checking one feed."""

    feed: str
    name: str
    asked: str
    """The requested URL."""
    ok: bool
    error: str | None = None
    proposal: str | None = None
    """URL of a feed that the page at this URL links to."""
    answer: Answer | None = None
    title: str = ""
    kind: str = ""
    """`RSS 2.0`, `Atom`, `JSON Feed` and the like."""
    language: str = ""
    """Languages that the items declare, most frequent first."""
    notes: tuple[str, ...] = ()
    """Notes of the parser."""
    odd: tuple[str, ...] = ()
    """Warnings for the operator."""
    excerpts: str | None = None
    """How the feed's texts are excerpts."""
    taken_out: tuple[Repeated, ...] = ()
    """Lines that most of its texts share."""
    rows: tuple[Row, ...] = ()
    """Every item, in the feed's order."""


def page(checkup: FeedCheckReport) -> list[str]:
    """Return the report as lines of plain text."""
    lines = [f"{checkup.name} ({checkup.feed})", _field("url", checkup.asked)]
    if checkup.answer:
        lines += _answer_lines(checkup.answer, checkup.asked)
    if checkup.error:
        lines += ["", f"Cannot be read: {checkup.error}"]
    if checkup.proposal:
        lines.append(f"The page links to a feed: try `copydesk feeds check {checkup.proposal}`")
    if not checkup.ok:
        return lines
    lines += ["", *_content_lines(checkup)]
    if checkup.rows:
        lines += ["", *_table(checkup.rows), "", *_totals(checkup.rows)]
    if checkup.odd:
        lines += ["", "Warnings", *(f"  - {warning}" for warning in checkup.odd)]
    return lines


def _field(label: str, value: object) -> str:
    return f"  {label:<{_LABEL}} {value}"


def _answer_lines(answer: Answer, requested: str) -> Iterator[str]:
    if answer.url != requested:
        yield _field("moved to" if answer.moved else "redirected", answer.url)
    content_type = answer.content_type or "no content type"
    yield _field("response", f"{content_type}, {answer.size:,} bytes")
    yield _field("validators", _validators(answer))
    yield _field("next poll", _next_poll(answer))


def _validators(answer: Answer) -> str:
    headers = (("ETag", answer.etag), ("Last-Modified", answer.last_modified))
    validators = " · ".join(f"{name} {value}" for name, value in headers if value)
    if answer.expired:
        return "not used because of `Expires: 0`: every poll downloads the whole feed"
    return validators or "none: every poll downloads the whole feed"


def _next_poll(answer: Answer) -> str:
    after = f"after {span(answer.again_s)}" if answer.again_s else "at the next run"
    intervals = [("HTTP headers ask for", answer.fresh_s), ("the feed asks for", answer.ttl_s)]
    requests = ", ".join(f"{origin} {span(seconds)}" for origin, seconds in intervals if seconds is not None)
    return f"{after} ({requests or 'the publisher requests no interval'})"


def span(seconds: float) -> str:
    """Return a duration in its two largest units, such as `1 h 30 min`."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left, parts = round(seconds), []
    for name, size in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _content_lines(checkup: FeedCheckReport) -> Iterator[str]:
    yield _field("title", checkup.title or "none")
    if checkup.kind:
        yield _field("kind", checkup.kind)
    if checkup.language:
        yield _field("language", checkup.language)
    times = [row.published_at for row in checkup.rows if row.dated]
    between = f", {format_time(min(times))} to {format_time(max(times))}" if times else ""
    yield _field("items", f"{len(checkup.rows)}{between}")
    if checkup.excerpts:
        yield _field("texts", f"{checkup.excerpts}: the pages of all items are fetched")
    for each in checkup.taken_out:
        shown = each.line if len(each.line) <= _LINE else each.line[: _LINE - 1] + "…"
        yield _field("taken out", f"of {pluralize(each.texts, 'text')}: {shown}")
    for note in checkup.notes:
        yield _field("note", note)


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    yield _cells("published", "text", "title", "outcome")
    for row in rows[:MAX_SHOWN]:
        published = format_time(row.published_at) if row.dated else "no date"
        fate = f"{row.fate} · {row.why}" if row.why else row.fate
        yield _cells(published, f"{row.characters:,}", row.title, fate)
    if len(rows) > MAX_SHOWN:
        yield f"  … and {pluralize(len(rows) - MAX_SHOWN, 'item')} more"


def _cells(published: str, text: str, title: str, fate: str) -> str:
    shown = title if cell_len(title) <= _TITLE else set_cell_size(title, _TITLE - 1) + "…"
    return f"  {published:<17}  {text:>7}  {set_cell_size(shown, _TITLE)}  {fate}".rstrip()


def _totals(rows: tuple[Row, ...]) -> Iterator[str]:
    counts = Counter(row.fate for row in rows)
    parts = [f"{counts[fate]} {text}" for fate, text in _OUTCOME_TEXT.items() if counts[fate]]
    yield f"Of {pluralize(len(rows), 'item')}: {', '.join(parts)}."
    yield f"{forecast(rows)}."


_STALE = timedelta(days=180)
_CHARSET = re.compile(rb"(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)

_ROOT = re.compile(r"<(?:\w{1,20}:)?(rss|RDF|feed)\b([^>]{0,2000})", re.IGNORECASE)
_VERSION = re.compile(r"\bversion\s{0,9}=\s{0,9}[\"']([\w.]{1,9})")
_IGNORED_CODECS = frozenset(("punycode", "idna"))
"""Codecs for host names; with a whole document they take quadratic time."""


async def check_feed(
    net: HttpClient, parse: Parse, feed: FeedConfig, now: datetime, pages: PageFetcher
) -> FeedCheckReport:
    """Fetch and parse a feed like a first poll, and ask for pages; a FeedError becomes part of the report."""
    fields = {"feed": feed.key, "name": feed.name, "asked": redact_url(feed.url)}
    answer = None
    try:
        fetched = await fetch_feed(net, feed, PollState(), now, whole=True)
        if not isinstance(fetched, FetchedFeed):
            raise FeedError("the server answers 304 to a request without validators", kind="http")
        answer = _answer(feed, fetched, now, None)
        parsed = await parse(fetched.body, fetched.content_type, fetched.url, now)
        places = (fetched.declared, parsed.declared)
        if what := await pages.rights.reservation(fetched.url, *places, feed=feed.key):
            parsed = reserve(parsed, what)
    except FeedError as error:
        proposal = error.context.get("proposal")
        return FeedCheckReport(
            **fields,
            ok=False,
            error=without_feed_key(feed.key, error.message),
            proposal=proposal if isinstance(proposal, str) else None,
            answer=answer,
        )
    rows = tuple(item_outcomes(feed, parsed.items, now))
    return FeedCheckReport(
        **fields,
        ok=True,
        answer=_answer(feed, fetched, now, parsed),
        title=parsed.title,
        kind=kind_of(decode(fetched.body, fetched.content_type)),
        language=_languages(parsed.items),
        notes=parsed.notes,
        excerpts=parsed.excerpts,
        taken_out=parsed.repeated,
        odd=(*warnings(fetched, parsed.items, now), *language_advice(feed, parsed.items)),
        rows=await ask_pages(pages, feed, parsed.items, rows),
    )


def _answer(feed: FeedConfig, fetched: FetchedFeed, now: datetime, parsed: ParsedFeed | None) -> Answer:
    ttl_s = parsed.ttl_s if parsed else None
    read = ReadResult(complete=True, ttl_s=ttl_s)
    after = state_after_read(feed, PollState(), fetched, read, now, chance=0.0)
    wait = after.next_poll_at - now if after.next_poll_at else timedelta()
    return Answer(
        url=redact_url(fetched.url),
        moved=fetched.moved_to is not None,
        content_type=fetched.content_type,
        size=len(fetched.body),
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        expired=fetched.hints.expired,
        fresh_s=fetched.hints.fresh_s,
        ttl_s=ttl_s,
        again_s=wait.total_seconds(),
    )


def warnings(fetched: FetchedFeed, items: Sequence[Item], now: datetime) -> Iterator[str]:
    """Yield warnings for the operator, other than the parser's notes."""
    if fetched.moved_to:
        yield f"moved permanently: change its url in feeds.yaml to {redact_url(fetched.moved_to)}"
    yield from _charsets(fetched)
    if not items:
        return
    undated = sum(not item.dated for item in items)
    if undated:
        yield f"{pluralize(undated, 'item')} without a usable date: the time of the first poll is used"
    unlinked = sum(item.link is None for item in items)
    if unlinked:
        yield f"{pluralize(unlinked, 'item')} without a link: there is no page to fetch or to cite"
    media = sum(item.media is not None for item in items)
    if media:
        yield f"{pluralize(media, 'item')} with audio or video: only its text and that of its page are used"
    if not any(item.text for item in items):
        yield "no item has any text: each item's page is fetched, unless the feed has full_text: never"
    if not any(item.image for item in items):
        yield "no item has an image"
    newest = max(item.published_at for item in items)
    if not undated and newest < now - _STALE:
        yield f"no new item since {newest:%Y-%m-%d}: the feed may be abandoned"


def _charsets(fetched: FetchedFeed) -> Iterator[str]:
    """Yield a warning for each declared charset that is unknown or does not match the bytes."""
    head = fetched.body[:200].partition(b"?>")[0]
    content_type = (fetched.content_type or "").encode("ascii", "replace")
    for where, text in {"Content-Type header": content_type, "XML declaration": head}.items():
        match = _CHARSET.search(text)
        name = match[1].decode("ascii", "replace") if match else "latin-1"
        try:
            if name.lower() in _IGNORED_CODECS:
                raise LookupError
            fetched.body.decode(name)
        except LookupError:
            yield f"its {where} names an unknown charset: {name}"
        except UnicodeError:
            yield f"its {where} says {name}, but some bytes are invalid: they are repaired one by one"


def kind_of(text: str) -> str:
    """Return the feed's format, such as `RSS 2.0` or `Atom`; empty if it is unknown."""
    if text.startswith("{"):
        return "JSON Feed"
    root = _ROOT.search(text[:20_000])
    if root is None:
        return ""
    name, version = root[1].lower(), _VERSION.search(root[2])
    if name == "rss":
        return f"RSS {version[1]}" if version else "RSS"
    return "RSS 1.0 (RDF)" if name == "rdf" else "Atom"


def language_advice(feed: FeedConfig, items: Sequence[Item]) -> Iterator[str]:
    """Yield what to write where most items declare another language than feeds.yaml has for the feed."""
    counts = Counter(item.language.partition("-")[0] for item in items if item.language)
    for language, count in counts.most_common(1):
        if 2 * count > len(items) and language != feed.language.lower().partition("-")[0]:
            yield (
                f"its language is {language}, and articles are written in {feed.language}: "
                f"write `language: {language}` in feeds.yaml for articles in {language}"
            )


def _languages(items: Sequence[Item]) -> str:
    counts = Counter(item.language for item in items if item.language)
    return ", ".join(name for name, _ in counts.most_common(5))
