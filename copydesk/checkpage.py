"""The page of `copydesk feeds check`: how a feed is fetched and read, and what would come of it. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from pydantic import AwareDatetime
from rich.cells import cell_len, set_cell_size

from copydesk.console import counted, moment
from pipeline.models import Record

Fate = Literal["drafted", "page", "waits", "skipped", "merged"]
SHOWN = 20
"""Items in the table; all of them count in what stands below it."""
_LABEL, _TITLE = 11, 46
_FATES: dict[Fate, str] = {
    "drafted": "drafted",
    "page": "drafted if its page has the text",
    "waits": "left for later runs",
    "skipped": "skipped",
    "merged": "merged",
}


class Answer(Record):
    """What the server sent."""

    url: str
    """Where it was found in the end."""
    moved: bool = False
    """Permanent redirects alone led there."""
    content_type: str | None = None
    size: int
    """Bytes, decompressed."""
    etag: str | None = None
    last_modified: str | None = None
    expired: bool = False
    """`Expires: 0`: its validators are not trusted."""
    fresh_s: float | None = None
    """How long its headers say that it stays fresh, in seconds."""
    ttl_s: float | None = None
    """The same, by the feed itself."""
    again_s: float
    """Seconds after which it would be polled again."""


class Row(Record):
    """One item and what would become of it."""

    published_at: AwareDatetime
    dated: bool
    characters: int
    """Of the feed's text."""
    title: str
    fate: Fate
    why: str = ""


class Checkup(Record):
    """All that one check of one feed brought."""

    feed: str
    name: str
    asked: str
    """The URL that was asked."""
    ok: bool
    error: str | None = None
    proposal: str | None = None
    """A feed that the page at this URL names."""
    answer: Answer | None = None
    title: str = ""
    kind: str = ""
    """`RSS 2.0`, `Atom`, `JSON Feed` and the like."""
    language: str = ""
    """What the items declare, most of them first."""
    notes: tuple[str, ...] = ()
    """What the parser says of it."""
    odd: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    """Every item, in the feed's order."""


def page(checkup: Checkup) -> list[str]:
    """Return the page, plain text line by line."""
    lines = [f"{checkup.name} ({checkup.feed})", _field("asked", checkup.asked)]
    if checkup.answer:
        lines += _answer(checkup.answer, checkup.asked)
    if checkup.error:
        lines += ["", f"Cannot be read: {checkup.error}"]
    if checkup.proposal:
        lines.append(f"That page names a feed: try `copydesk feeds check {checkup.proposal}`")
    if not checkup.ok:
        return lines
    lines += ["", *_reading(checkup)]
    if checkup.rows:
        lines += ["", *_table(checkup.rows), "", *_sum(checkup.rows)]
    if checkup.odd:
        lines += ["", "Odd", *(f"  - {said}" for said in checkup.odd)]
    return lines


def _field(label: str, value: object) -> str:
    return f"  {label:<{_LABEL}} {value}"


def _answer(answer: Answer, asked: str) -> Iterator[str]:
    if answer.url != asked:
        yield _field("moved to" if answer.moved else "sent on to", answer.url)
    typed = answer.content_type or "no content type"
    yield _field("answered", f"{typed}, {answer.size:,} bytes")
    yield _field("validators", _validators(answer))
    yield _field("next poll", _next_poll(answer))


def _validators(answer: Answer) -> str:
    held = (("ETag", answer.etag), ("Last-Modified", answer.last_modified))
    told = " · ".join(f"{name} {value}" for name, value in held if value)
    if answer.expired:
        return "not trusted, since it says `Expires: 0`: every poll brings the whole feed"
    return told or "none: every poll brings the whole feed"


def _next_poll(answer: Answer) -> str:
    after = f"after {span(answer.again_s)}" if answer.again_s else "at the next run"
    wishes = [("its headers ask for", answer.fresh_s), ("the feed asks for", answer.ttl_s)]
    said = ", ".join(f"{who} {span(wish)}" for who, wish in wishes if wish is not None)
    return f"{after} ({said or 'its publisher asks for nothing'})"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left, parts = round(seconds), []
    for name, size in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _reading(checkup: Checkup) -> Iterator[str]:
    yield _field("title", checkup.title or "none")
    if checkup.kind:
        yield _field("kind", checkup.kind)
    if checkup.language:
        yield _field("language", checkup.language)
    times = [row.published_at for row in checkup.rows if row.dated]
    between = f", {moment(min(times))} to {moment(max(times))}" if times else ""
    yield _field("items", f"{len(checkup.rows)}{between}")
    for note in checkup.notes:
        yield _field("note", note)


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    yield _cells("published", "text", "title", "would be")
    for row in rows[:SHOWN]:
        published = moment(row.published_at) if row.dated else "no date"
        fate = f"{row.fate} · {row.why}" if row.why else row.fate
        yield _cells(published, f"{row.characters:,}", row.title, fate)
    if len(rows) > SHOWN:
        yield f"  … and {counted(len(rows) - SHOWN, 'item')} more"


def _cells(published: str, text: str, title: str, fate: str) -> str:
    shown = title if cell_len(title) <= _TITLE else set_cell_size(title, _TITLE - 1) + "…"
    return f"  {published:<17}  {text:>7}  {set_cell_size(shown, _TITLE)}  {fate}".rstrip()


def _sum(rows: tuple[Row, ...]) -> Iterator[str]:
    counts = Counter(row.fate for row in rows)
    told = [f"{counts[fate]} {said}" for fate, said in _FATES.items() if counts[fate]]
    yield f"Of {counted(len(rows), 'item')}: {', '.join(told)}."
    reasons = Counter(row.why.partition(":")[0] for row in rows if row.fate == "skipped")
    if reasons:
        yield f"Skipped: {', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}."
