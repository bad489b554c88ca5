"""OPML in and out, and the YAML that subscribes to its feeds."""

import json
import re
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Subscriptions, load_feeds
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FeedConfig
from pipeline.domain.urls import normalize_feed_url
from pipeline.feeds.opml import OutlineFeed, clean_line, read_opml, to_yaml, write_opml


def opml(body: str) -> bytes:
    return f'<?xml version="1.0"?>\n<opml version="2.0"><head/><body>\n{body}\n</body></opml>'.encode()


def feed(key: str = "one", **changes: object) -> FeedConfig:
    base = {
        "key": key,
        "name": key.title(),
        "url": f"https://{key}.example/feed",
        "beat": "crypto",
        "category": "BTC",
    }
    return FeedConfig.model_validate({**base, **changes})


EXISTING = Subscriptions(
    beats={"crypto": Beat(key="crypto", vocabulary=("MARKET", "BTC")), "law": Beat(key="law")},
    feeds=(feed("one", previous_keys=("older",)),),
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = texts.map(clean_line).filter(bool)
urls = st.builds(
    "https://{}.example/{}?q={}".format,
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    st.integers(0, 99),
    st.sampled_from("ab&<é"),
)


def loaded(text: str) -> Subscriptions:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feeds.yaml")
        path.write_text(text, encoding="utf-8", newline="")
        return load_feeds(path)


def test_nested_outlines_are_categories() -> None:
    feeds, notes = read_opml(
        opml(
            '<outline text="Money"><outline title="Coins"><outline type="rss" text="A &amp; B" '
            'xmlUrl="https://a.example/rss?x=1&amp;y=2" language="de"/></outline></outline>'
            '<outline XMLURL="http://b.example/" title="B"/>'
        )
    )
    assert feeds == [
        OutlineFeed(
            title="A & B", url="https://a.example/rss?x=1&y=2", categories=("Money", "Coins"), language="de"
        ),
        OutlineFeed(title="B", url="http://b.example/"),
    ]
    assert notes == []


def test_each_outline_left_out_has_a_note() -> None:
    feeds, notes = read_opml(
        opml(
            '<outline text="A" xmlUrl="https://a.example/rss"/>\n<outline text="A again" xmlUrl="http://A.example/rss/"/>\n'
            '<outline text="Script" xmlUrl="javascript:alert(1)"/>\n<outline type="rss" text="No address"/>\n'
            '<outline xmlUrl="https://host.example/x"/>'
        ),
        "my.opml",
    )
    assert [f.title for f in feeds] == ["A", "host.example"]
    assert notes == [
        "my.opml:4: A again is listed twice; left out",
        "my.opml:5: Script has no http(s) address; left out",
        "my.opml:6: No address has no http(s) address; left out",
    ]
    assert read_opml(opml(""), "my.opml") == ([], ["my.opml has no feed in it"])


BOMB = b'<!DOCTYPE opml [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>\n<opml><outline xmlUrl="&b;"/></opml>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOMB, "f:1: has a document type"),
        (b'<!DOCTYPE opml SYSTEM "file:///etc/passwd"><opml/>', "f:1: has a document type"),
        (b"<opml>\n<body>\n&undefined;</body></opml>", "f:3: not XML (undefined entity)"),
        (b"<opml>\n<body>", "f:2: not XML (no element found)"),
        (b"", "f:1: not XML"),
        (b"feeds:\n - a", "f:1: not XML"),
        (b"\n<html><body/></html>", "f:2: <html> instead of <opml>"),
        (b'<?xml version="1.0" encoding="klingon"?><opml/>', "f:1: "),
        (b'<?xml version="1.0" encoding="gb18030"?><opml/>', "f:1: "),
        (b"<opml>" * 1000, "f:1: nested more than"),
        (b"\xff\xfe\xff", "f:1: not XML"),
    ],
)
def test_another_file_is_refused_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_opml(data, "f")
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        read_opml(b" " * 10_000_001)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(feed, name=names, url=urls, category=names),
        max_size=6,
        unique_by=lambda f: normalize_feed_url(f.url),
    )
)
def test_what_is_written_is_read_again(feeds: list[FeedConfig]) -> None:
    outlines, _ = read_opml(write_opml(feeds).encode())
    grouped = sorted(feeds, key=lambda f: [g.category for g in feeds].index(f.category))
    assert outlines == [
        OutlineFeed(title=f.name, url=f.url, categories=(f.category,), language=f.language) for f in grouped
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, urls, texts), max_size=6, unique_by=lambda row: row[1]))
def test_any_list_becomes_a_file_that_loads(rows: list[tuple[str, str, str]]) -> None:
    def attribute(text: str) -> str:
        return quoteattr("".join(c for c in text if c >= " " and c not in "\ufffe\uffff"))

    body = "".join(
        f"<outline text={attribute(group)}><outline text={attribute(name)} "
        f"xmlUrl={quoteattr(url)}/></outline>"
        for name, url, group in rows
    )
    outlines, _ = read_opml(opml(body))
    assert [o.url for o in outlines] == [url for _, url, _ in rows]
    fresh = loaded(to_yaml(outlines))
    assert [(f.name, f.url) for f in fresh.feeds] == [(o.title, o.url) for o in outlines]
    addition = to_yaml(outlines, EXISTING)
    missing = re.search(r"^# Add to the vocabulary of beat crypto: (.*)$", addition, re.MULTILINE)
    terms = f"[MARKET, BTC, {json.dumps(missing[1].split(', '))[1:-1]}]" if missing else "[MARKET, BTC]"
    added = loaded(f"{HEAD}{addition}".replace("[MARKET, BTC]", terms))
    assert [f.url for f in added.feeds] == ["https://one.example/feed", *(o.url for o in outlines)]


HEAD = """\
beats: {crypto: {vocabulary: [MARKET, BTC]}, law: {}}
feeds:
  - {key: one, name: One, url: "https://one.example/feed", beat: crypto, category: BTC,
     previous_keys: [older]}
"""


def test_yaml_to_add() -> None:
    outlines = [
        OutlineFeed(title="One, of old", url="http://ONE.example/feed/"),
        OutlineFeed(title="Older", url="https://new.example/a", categories=("Coins", "btc")),
        OutlineFeed(title="Older", url="https://new.example/b", categories=("Law", "Courts")),
        OutlineFeed(title="日本", url="https://new.example/c", categories=("market", "Else")),
        OutlineFeed(title="2024", url="https://new.example/d"),
    ]
    text = to_yaml(outlines, EXISTING)
    assert "  # One, of old is subscribed to already, as one\n" in text
    feeds = loaded(HEAD + text).feeds[1:]
    assert [(f.key, f.beat, f.category) for f in feeds] == [
        ("older-2", "crypto", "BTC"),
        ("older-3", "law", "COURTS"),
        ("ri-ben", "crypto", "MARKET"),
        ("2024", "crypto", "BTC"),
    ]


def test_a_folder_that_the_vocabulary_lacks_is_a_category_to_add() -> None:
    outlines = [
        OutlineFeed(title="A", url="https://new.example/a", categories=("Crypto", "Real Estate")),
        OutlineFeed(title="B", url="https://new.example/b", categories=("Crypto",), language="pt-BR"),
    ]
    text = to_yaml(outlines, EXISTING)
    assert text.splitlines()[1] == "# Add to the vocabulary of beat crypto: REAL-ESTATE"
    feeds = loaded(HEAD.replace("BTC]", "BTC, REAL-ESTATE]") + text).feeds[1:]
    assert [(f.category, f.language) for f in feeds] == [("REAL-ESTATE", "en"), ("BTC", "pt-br")]


def test_beats_are_folders_where_there_are_several() -> None:
    feeds = [feed("one"), feed("two", beat="law", category="COURTS", language="de")]
    outlines, _ = read_opml(write_opml(feeds).encode())
    assert [(o.categories, o.language) for o in outlines] == [
        (("crypto", "BTC"), "en"),
        (("law", "COURTS"), "de"),
    ]
    added = loaded(HEAD + to_yaml(outlines, EXISTING)).feeds[1:]
    assert [(f.beat, f.category, f.language) for f in added] == [("law", "COURTS", "de")]


def test_a_category_attribute_counts_without_folders() -> None:
    row = '<outline text="A" xmlUrl="https://a.example/" category="/Money/Coins,/Law"/>'
    assert read_opml(opml(row))[0][0].categories == ("Money", "Coins")


def test_a_title_cannot_write_yaml_of_its_own() -> None:
    evil = OutlineFeed(title="x\n  - key: evil", url="https://one.example/feed")
    assert to_yaml([evil], EXISTING).splitlines()[1:] == [
        "  # x - key: evil is subscribed to already, as one"
    ]
