"""A feed of very many or very long items is cut down to its newest ones before it is parsed."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from pipeline.feeds.parsing.dates import DateReader
from pipeline.feeds.parsing.newest import MAX_CHARS, MAX_ITEMS, keep_newest_json, keep_newest_xml
from pipeline.feeds.parsing.parse import parse_feed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = MAX_ITEMS + 100


def item(number: int, at: datetime | None, text: str = "") -> str:
    date = f"<pubDate>{format_datetime(at)}</pubDate>" if at else ""
    return f"<item><title>No {number}</title>{date}<description><![CDATA[{text}]]></description></item>\n"


def rss(*items: str) -> str:
    return f"<rss version='2.0'><channel><title>F</title>{''.join(items)}</channel></rss>"


def test_the_newest_of_very_many_items_are_read_wherever_they_stand() -> None:
    times = [NOW - timedelta(minutes=MANY - number) for number in range(MANY)]
    feed = parse_feed(rss(*map(item, range(MANY), times)).encode(), None, "https://a.example/f", NOW)
    assert [entry.title for entry in feed.items] == [f"No {number}" for number in range(100, MANY)]
    assert feed.notes == (f"{MANY:,} items: only the newest {MAX_ITEMS:,} are read",)
    assert not feed.cut, "the older ones are not asked for again"


def test_items_without_a_usable_date_stay_with_those_before_them() -> None:
    times: list[datetime | None] = [NOW - timedelta(minutes=number) for number in range(MANY)]
    times[5], times[-1] = None, NOW + timedelta(days=900)
    text, _ = keep_newest_xml(rss(*map(item, range(MANY), times)), DateReader(NOW))
    assert "<title>No 5<" in text
    assert f"<title>No {MANY - 1}<" not in text, "a date in the far future is none"


def test_markup_within_a_text_is_no_item() -> None:
    inner = "<item><title>An example</title></item>"
    times = [NOW - timedelta(minutes=number) for number in range(MANY)]
    feed = rss(*(item(number, at, inner) for number, at in enumerate(times)))
    text, note = keep_newest_xml(feed, DateReader(NOW))
    assert note.startswith(f"{MANY:,} items")
    assert text == rss(*(item(number, at, inner) for number, at in enumerate(times[:MAX_ITEMS])), "\n" * 100)


def test_long_items_count_by_their_length() -> None:
    times = [NOW - timedelta(hours=number) for number in range(4)]
    feed = rss(*(item(number, at, "x" * (MAX_CHARS // 3)) for number, at in enumerate(times)))
    text, note = keep_newest_xml(feed, DateReader(NOW))
    assert note == "4 items: only the newest 2 are read"
    assert "No 1" in text
    assert "No 2" not in text
    giant = item(9, NOW + timedelta(hours=1), "x" * (MAX_CHARS + 1))
    text, note = keep_newest_xml(rss(giant, item(1, NOW), item(2, NOW)), DateReader(NOW))
    assert note == "3 items: only the newest 2 are read", "one huge item hides no other"
    assert "No 9" not in text
    alone = rss(item(1, NOW, "x" * (MAX_CHARS + 1)))
    assert keep_newest_xml(alone, DateReader(NOW)) == (alone, "")


def test_a_json_feed_has_the_same_limits() -> None:
    items = [
        {
            "id": str(number),
            "content_text": "x",
            "date_published": (NOW - timedelta(minutes=number)).isoformat(),
        }
        for number in range(MANY)
    ]
    kept, note = keep_newest_json(items[::-1], DateReader(NOW))
    assert kept == items[:MAX_ITEMS][::-1]
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items})
    feed = parse_feed(body.encode(), "application/json", "https://a.example/f", NOW)
    assert (len(feed.items), feed.notes) == (MAX_ITEMS, (note,))
    assert keep_newest_json([1, None, "x"], DateReader(NOW)) == ([1, None, "x"], "")
