"""The report of `copydesk feeds check`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from copydesk.feeds_check import MAX_SHOWN, Answer, FeedCheckReport, page, span
from copydesk.forecast import Row
from pipeline.feeds.boilerplate.repeats import Repeated

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answer(**changes: Any) -> Answer:
    base: dict[str, Any] = {"url": "https://w.example/f", "size": 12_345, "again_s": 0}
    return Answer.model_validate(base | {"content_type": "application/rss+xml", "etag": '"1"'} | changes)


def row(**changes: Any) -> Row:
    base = {
        "published_at": NOON,
        "dated": True,
        "characters": 1234,
        "title": "Miners sell",
        "fate": "drafted",
    }
    return Row.model_validate(base | changes)


def checkup(**changes: Any) -> FeedCheckReport:
    base: dict[str, Any] = {"feed": "wire", "name": "Wire", "asked": "https://w.example/f", "ok": True}
    return FeedCheckReport.model_validate(
        base | {"title": "The Wire", "answer": answer(), "rows": (row(),)} | changes
    )


def test_the_report_goes_from_the_response_to_the_outcomes() -> None:
    rows = (
        row(),
        row(title="Hashprice", fate="page", why="120 characters, fewer than 200", characters=120),
        row(title="Old", fate="skipped", why="too old: published 2026-02-01, more than 7 days ago"),
        row(title="Buy", fate="skipped", why="excluded word: buy", dated=False),
    )
    report = checkup(rows=rows, language="en", notes=("not well-formed XML",), odd=("no item has an image",))
    assert page(report) == [
        "Wire (wire)",
        "  url         https://w.example/f",
        "  response    application/rss+xml, 12,345 bytes",
        '  validators  ETag "1"',
        "  next poll   at the next run (the publisher requests no interval)",
        "",
        "  title       The Wire",
        "  language    en",
        "  items       4, 2026-03-01 12:00Z to 2026-03-01 12:00Z",
        "  note        not well-formed XML",
        "",
        "  published             text  title                                           outcome",
        "  2026-03-01 12:00Z    1,234  Miners sell                                     drafted",
        "  2026-03-01 12:00Z      120  Hashprice                                       "
        "page · 120 characters, fewer than 200",
        "  2026-03-01 12:00Z    1,234  Old                                             "
        "skipped · too old: published 2026-02-01, more than 7 days ago",
        "  no date              1,234  Buy                                             "
        "skipped · excluded word: buy",
        "",
        "Of 4 items: 1 drafted, 1 drafted if its page has the text, 2 skipped.",
        "2 of 4 items can be drafted: 1 older than 7 days; 1 excluded word.",
        "",
        "Warnings",
        "  - no item has an image",
    ]


def test_an_unreadable_feed_has_a_short_report_with_a_fix() -> None:
    failed = checkup(
        ok=False, error="a web page, not a feed", proposal="https://w.example/rss", rows=(), title=""
    )
    assert page(failed)[-2:] == [
        "Cannot be read: a web page, not a feed",
        "The page links to a feed: try `copydesk feeds check https://w.example/rss`",
    ]
    assert page(checkup(ok=False, error="no answer", answer=None, rows=())) == [
        "Wire (wire)",
        "  url         https://w.example/f",
        "",
        "Cannot be read: no answer",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"url": "https://w.example/g", "moved": True}, "  moved to    https://w.example/g"),
        ({"url": "https://w.example/g"}, "  redirected  https://w.example/g"),
        ({"content_type": None}, "  response    no content type, 12,345 bytes"),
        ({"etag": None}, "  validators  none: every poll downloads the whole feed"),
        ({"etag": None, "last_modified": "Sun"}, "  validators  Last-Modified Sun"),
        ({"last_modified": "Sun"}, '  validators  ETag "1" · Last-Modified Sun'),
        (
            {"expired": True, "etag": None},
            "  validators  not used because of `Expires: 0`: every poll downloads the whole feed",
        ),
        (
            {"again_s": 3600, "fresh_s": 7200, "ttl_s": 60},
            "  next poll   after 1 h (HTTP headers ask for 2 h, the feed asks for 1 min)",
        ),
    ],
)
def test_each_response_field_is_one_line(changes: dict[str, Any], line: str) -> None:
    assert line in page(checkup(answer=answer(**changes)))


def test_what_was_taken_out_of_the_texts_and_whether_they_are_excerpts_is_shown() -> None:
    taken_out = (Repeated(line="Be a friend", texts=7), Repeated(line="f" * 99, texts=6))
    lines = page(checkup(excerpts="its texts are teasers", taken_out=taken_out))
    assert "  texts       its texts are teasers: the pages of all items are fetched" in lines
    assert "  taken out   of 7 texts: Be a friend" in lines
    assert f"  taken out   of 6 texts: {'f' * 89}…" in lines


def test_a_long_feed_shows_its_first_items_and_counts_all() -> None:
    lines = page(checkup(rows=tuple(row(title=f"No {number}") for number in range(MAX_SHOWN + 2))))
    assert sum("  No " in line for line in lines) == MAX_SHOWN
    assert "  … and 2 items more" in lines
    assert f"Of {MAX_SHOWN + 2} items: {MAX_SHOWN + 2} drafted." in lines


def test_a_feed_without_items_has_no_table() -> None:
    assert page(checkup(rows=()))[-1] == "  items       0"


@pytest.mark.parametrize("title", ["比特币" * 40, "a" * 200, "🙂" * 100])
def test_a_column_stays_in_its_place_under_a_wide_or_long_title(title: str) -> None:
    from rich.cells import cell_len

    lines = page(checkup(rows=(row(title=title), row(title="short"))))
    ends = {cell_len(line.removesuffix("drafted")) for line in lines if line.endswith(" drafted")}
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (3601, "1 h 1 s"),
    ],
)
def test_a_duration_has_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text
