"""JSON Feed: wrong types, truncated documents, and what is no feed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import ParsedFeed, parse_feed
from tests.pipeline.feeds.golden import NOW

VERSION = "https://jsonfeed.org/version/1"
FIELDS = ("id", "url", "external_url", "title", "content_html", "content_text", "summary", "image")
MORE = ("date_published", "date_modified", "author", "authors", "tags")


def parsed(feed: Any) -> ParsedFeed:
    return parse_feed(json.dumps(feed).encode(), "application/feed+json", "https://json.example/feed", NOW)


def test_version_1_0_names_its_one_author() -> None:
    feed = {
        "version": VERSION,
        "title": "T",
        "author": {"name": "By ADA KNOTT"},
        "items": [{"id": "1", "summary": "S"}],
    }
    [item] = parsed(feed).items
    assert (item.author, item.text, item.title) == ("Ada Knott", "S", "S")


def test_invisible_characters_are_removed() -> None:
    feed = {
        "version": VERSION,
        "items": [{"id": "a\u0000\ud800", "title": "Bit\u202ecoin\u200b", "content_text": "\x1b[2J"}],
    }
    [item] = parsed(feed).items
    assert (item.guid, item.title, item.text) == ("a", "Bitcoin", "[2J")


def test_a_byte_order_mark_is_removed() -> None:
    body = b"\xef\xbb\xbf\n " + json.dumps({"version": VERSION, "title": "T", "items": []}).encode()
    assert parse_feed(body, None, "https://json.example/feed", NOW) == ParsedFeed(title="T", items=())


@pytest.mark.parametrize("feed", [[], {}, {"items": []}, {"items": {}, "title": "T"}, {"version": VERSION}])
def test_json_that_is_no_feed_is_named(feed: Any) -> None:
    with pytest.raises(FeedError) as caught:
        parsed(feed)
    assert caught.value.kind == "not-a-feed"


def parse_text(text: str) -> ParsedFeed | str:
    try:
        return parse_feed(text.encode(), None, "https://json.example/feed", NOW)
    except FeedError as error:
        return error.kind


def test_of_a_cut_feed_the_whole_items_are_read() -> None:
    items = [{"id": "1", "content_text": 'a ]}"\\'}, {"id": "2", "authors": [{"name": "B"}], "title": "é"}]
    whole = json.dumps({"version": VERSION, "authors": [{"name": "A"}], "items": items, "title": "T"})
    first, last = whole.index("}, {") + 1, whole.index("}]", whole.index('"2"') + 30) + 1
    for end in range(1, len(whole)):
        result = parse_text(whole[:end])
        if isinstance(result, str):
            assert result == "malformed"
            assert end < first
        else:
            assert result.cut
            assert result.notes
            assert [item.guid for item in result.items] == (["1", "2"] if end >= last else ["1"])


@pytest.mark.parametrize(
    "text",
    ['{"items": [{"a": 1}', '{"items": [{"id": "1"}]}}}', '{"items": [{"id": 1},, {"id": 2}]}', "{]"],
)
def test_what_is_no_cut_feed_is_an_error(text: str) -> None:
    assert isinstance(parse_text(text), str)


def test_line_breaks_in_strings_and_text_after_the_feed_are_accepted() -> None:
    result = parse_text(
        f'{{"version": "{VERSION}", "items": [{{"id": "1", "content_text": "a\nb\tc"}}]}}\n<!-- x -->'
    )
    assert isinstance(result, ParsedFeed)
    assert (result.items[0].text, result.cut) == ("a\nb c", False)


def test_items_of_its_own_make_a_feed_without_version_and_title() -> None:
    assert len(parsed({"items": [{"id": "1", "content_html": "x"}]}).items) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "url")), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS + MORE), values), max_size=3))
def test_no_type_of_any_field_breaks_it(items: list[dict[str, Any]]) -> None:
    feed = parsed({"version": VERSION, "title": 3, "home_page_url": 5, "items": items})
    assert len(feed.items) <= len(items)
    assert feed.title == "3"
