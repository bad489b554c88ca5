"""Feeds to items: golden files, damaged and hostile documents."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import ParsedFeed, parse_feed
from tests.pipeline.feeds.golden import FEEDS, NOW, feed_files, golden_of, read

URL = "https://feeds.example/f"


def outcome(body: bytes, content_type: str | None = None) -> ParsedFeed | str:
    """Return what a feed says, or the kind of its error."""
    try:
        return parse_feed(body, content_type, URL, NOW)
    except FeedError as error:
        return error.kind


@pytest.mark.parametrize("feed", feed_files(), ids=lambda feed: feed.name)
def test_a_feed_reads_as_its_golden(feed: Path) -> None:
    assert read(feed) == json.loads(golden_of(feed).read_text(encoding="utf-8"))


def test_every_golden_has_its_feed() -> None:
    assert {golden_of(feed) for feed in feed_files()} == set(FEEDS.glob("*.golden.json"))


def test_errors_are_one_line_with_the_address() -> None:
    messages = [result["message"] for result in map(read, feed_files()) if "error" in result]
    assert len(messages) >= 8
    for message in messages:
        assert message.startswith("https://feeds.example/")
        assert "\n" not in message


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "application/octet-stream", "nonsense", "", None]
)
def test_a_wrong_content_type_hides_no_feed(kind: str | None) -> None:
    whole = parse_feed((FEEDS / "rss20.xml").read_bytes(), kind, URL, NOW)
    assert len(whole.items) == 3


@pytest.mark.parametrize("name", ["rss20.xml", "atom10.xml", "rdf10.xml", "jsonfeed11.json", "utf16.xml"])
def test_a_truncated_feed_has_only_items_of_the_whole_feed(name: str) -> None:
    body = (FEEDS / name).read_bytes()
    whole = parse_feed(body, None, URL, NOW)
    hashes = {item.content_hash for item in whole.items}
    for end in range(0, len(body) - 2, 7):
        part = outcome(body[:end])
        if isinstance(part, str):
            assert part in {"empty", "malformed", "not-a-feed"}
            continue
        assert {item.content_hash for item in part.items} <= hashes
        assert part.notes or len(part.items) == len(whole.items)


def test_items_in_a_cut_section_of_text_are_not_items() -> None:
    cut = (
        b"<rss version='2.0'><channel><item><title>Whole</title></item>"
        b"<item><title>Half</title><description><![CDATA[ <item><title>Quoted</title></item> and"
    )
    assert [item.title for item in parse_feed(cut, None, URL, NOW).items] == ["Whole"]


def test_an_entity_bomb_is_not_expanded() -> None:
    names = "abcdefghij"
    bomb = "<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in itertools.pairwise(names)
    )
    feed = (
        f"<?xml version='1.0'?><!DOCTYPE rss [{bomb}]>"
        "<rss version='2.0'><channel><item><title>&j;</title></item></channel></rss>"
    )
    parsed = parse_feed(feed.encode(), None, URL, NOW)
    assert sum(len(item.title) for item in parsed.items) <= 1000


def test_external_entities_are_not_read() -> None:
    feed = (
        f"<!DOCTYPE rss [<!ENTITY x SYSTEM '{Path(__file__).as_uri()}'>]><rss version='2.0'><channel>"
        "<item><title>Seen: &x;</title></item></channel></rss>"
    )
    assert "no file of ours" not in str(parse_feed(feed.encode(), None, URL, NOW))


@pytest.mark.parametrize(
    "body",
    [
        "<rss>" + "<item " * 20_000,
        "<rss>" + "<a><b>" * 20_000,
        "<rss>" + "<![CDATA[" * 20_000,
        "<rss>" + "<!--" * 20_000,
        "<rss version='2.0'><channel><item><title>" + "&" * 50_000,
        "[" * 100_000,
        '{"version": "https://jsonfeed.org/version/1", "items": [{"id": ' + "9" * 10_000 + "}]}",
    ],
    ids=lambda body: body[:12],
)
def test_hostile_documents_end_soon(body: str) -> None:
    result = outcome(body.encode())
    if isinstance(result, ParsedFeed):
        assert all(not item.text for item in result.items)
    else:
        assert result in {"malformed", "not-a-feed"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(feed_files()), st.binary(max_size=40), st.integers(0, 3000), st.integers(0, 200))
def test_damage_ends_in_items_or_a_named_error(feed: Path, noise: bytes, at: int, gone: int) -> None:
    body = feed.read_bytes()
    parsed = outcome(body[:at] + noise + body[at + gone :], "text/xml; charset=x")
    if isinstance(parsed, str):
        assert parsed in {"empty", "html", "malformed", "not-a-feed"}
    else:
        guids = [item.guid for item in parsed.items]
        assert all(guids)
        assert len(set(guids)) == len(set(parsed.items)), "one that is repeated in full is one item"
        assert all(item.title or not (item.text or item.link) for item in parsed.items)


@pytest.mark.parametrize("inner", ["<a>" * 20_000, "<title>x</channel>", "<div>" * 3000 + "</div>" * 3000])
def test_an_unreadable_feed_is_not_an_empty_feed(inner: str) -> None:
    assert (
        outcome(f"<rss version='2.0'><channel><title>F</title>{inner}</channel></rss>".encode())
        == "malformed"
    )


@pytest.mark.parametrize("inner", ["AT & T", "<media:rating>x</media:rating>", "&nbsp;"])
def test_a_repairable_feed_may_have_no_items(inner: str) -> None:
    result = outcome(f"<rss version='2.0'><channel><title>F</title>{inner}</channel></rss>".encode())
    assert isinstance(result, ParsedFeed)
    assert result.items == ()


def test_prefixes_that_nobody_declared_keep_their_meaning() -> None:
    feed = (
        "<rss version='2.0'><channel><item><title>AT&T</title><dc:creator>Ann</dc:creator><my:x/>"
        "<content:encoded><![CDATA[<p>All &amp; all</p>]]></content:encoded></item></channel></rss>"
    )
    [item] = parse_feed(feed.encode(), None, URL, NOW).items
    assert (item.title, item.text, item.author) == ("AT&T", "All & all", "Ann")


def test_feedburner_origlink_replaces_the_link_if_it_is_a_url() -> None:
    feed = (
        "<rss version='2.0' xmlns:fb='http://rssnamespace.org/feedburner/ext/1.0'><channel>{}</channel></rss>"
    )
    item = "<item><link>https://host.example/1</link><fb:origLink>{}</fb:origLink></item>"
    items = "".join(map(item.format, ("https://own.example/1", "not a URL")))
    parsed = parse_feed(feed.format(items).encode(), None, URL, NOW).items
    assert [each.link for each in parsed] == ["https://own.example/1", "https://host.example/1"]


def test_undeclared_markup_of_atom_is_recognised() -> None:
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>T</title><content>"
        "&lt;p>One&lt;/p>&lt;p>&lt;img src='a.png'/>Two&lt;/p></content></entry>"
        "<entry><title>U</title><content>a &lt; b\n\nis &lt;b> plain</content></entry></feed>"
    )
    marked, bare = parse_feed(feed.encode(), None, URL, NOW).items
    assert (marked.text, marked.summary, marked.image) == ("One\n\nTwo", "", "https://feeds.example/a.png")
    assert (bare.text, bare.summary) == ("a < b\n\nis <b> plain", "")


def test_references_in_plain_text_of_atom_are_read_but_for_those_of_tags() -> None:
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='text'>Ink &amp;amp; ash</title>"
        "<summary type='text'>End of&amp;nbsp;May &amp;mdash; 5 &amp;lt;b&amp;gt;</summary></entry></feed>"
    )
    [item] = parse_feed(feed.encode(), None, URL, NOW).items
    assert (item.title, item.text) == ("Ink & ash", "End of May — 5 &lt;b&gt;")


def test_of_two_texts_of_one_length_the_one_in_paragraphs_is_used() -> None:
    feed = (
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item>"
        "<description>One. And two.</description>"
        "<content:encoded>&lt;p>One.&lt;/p>&lt;p>And two&lt;/p></content:encoded></item></channel></rss>"
    )
    assert parse_feed(feed.encode(), None, URL, NOW).items[0].text == "One.\n\nAnd two"


@pytest.mark.parametrize("declared", ["", "<!DOCTYPE rss [<!ENTITY id 'tag:example.com,'>]>"])
def test_a_document_s_own_entities_are_read(declared: str) -> None:
    item = "<item><guid>&id;1</guid><title>T</title></item>"
    feed = f"{declared}<rss version='2.0'><channel>{item}</channel></rss>"
    parsed = parse_feed(feed.encode(), None, URL, NOW)
    assert parsed.items[0].guid == ("tag:example.com,1" if declared else "&id;1")
    assert bool(parsed.notes) is not bool(declared)


def test_a_period_of_many_digits_and_a_base_without_an_address_are_none() -> None:
    sy = "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'"
    period = f"<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>{'9' * 5000}</sy:updateFrequency>"
    channel = f"<channel><title>F</title>{period}<item><title>A</title></item></channel>"
    body = f"<rss version='2.0' {sy}>{channel}</rss>"
    assert len(parse_feed(body.encode(), None, URL, NOW).items) == 1
    page = (
        "<html><base href='http://[x'><link rel='alternate' type='application/rss+xml' href='/f.xml'></html>"
    )
    with pytest.raises(FeedError, match="web page"):
        parse_feed(page.encode(), "text/html", URL, NOW)
