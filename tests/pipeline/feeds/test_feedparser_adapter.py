"""The adapter finds the same elements as feedparser, within limits."""

import io
from typing import Any

import feedparser
import pytest

from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.parsing.feedparser_adapter import Elements, parse_lenient, parse_strict
from pipeline.feeds.parsing.xml_repair import repair_xml, strip_doctype, strip_preamble
from tests.pipeline.feeds.golden import feed_files

HEADERS = {"content-type": "application/xml; charset=utf-8"}
XML = [path for path in feed_files() if path.suffix == ".xml"]
ATOM = "http://www.w3.org/2005/Atom"


UNREAD = {"published_parsed", "updated_parsed", "created_parsed"}
"""What feedparser makes of dates, which are read elsewhere."""


def plain(value: Any) -> Any:
    """Return feedparser's dictionaries as dictionaries."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in dict.items(value) if key not in UNREAD}
    return [plain(each) for each in value] if isinstance(value, list) else value


def entry(inside: str, about: str = "") -> dict[str, Any]:
    elements = parse_strict(
        f"<rss version='2.0' {about}><channel><item {about}>{inside}</item></channel></rss>"
    )
    assert elements is not None
    return elements.entries[0]


@pytest.mark.parametrize("path", XML, ids=lambda path: path.name)
def test_elements_are_those_that_feedparser_finds(path: Any) -> None:
    text = repair_xml(*strip_doctype(strip_preamble(decode(path.read_bytes(), None))))
    expected = feedparser.parse(
        io.BytesIO(text.encode()), response_headers=HEADERS, sanitize_html=False, resolve_relative_uris=False
    )
    if not text:
        assert parse_lenient(text) == Elements("", {}, [])
        return
    strict = parse_strict(text)
    assert (strict is None) == bool(expected["bozo"])
    elements = strict or parse_lenient(text)
    assert plain(elements.entries) == plain(expected["entries"])
    assert plain(elements.feed) == plain(expected["feed"])


def test_prefixes_mean_their_namespaces() -> None:
    elements = parse_strict(
        f"<a:feed xmlns:a='{ATOM}' xml:base='https://x.example/'><a:title>T</a:title>"
        "<a:entry><a:link href='y'/>"
        "<m:content xmlns:m='http://search.yahoo.com/mrss/' url='z.jpg'/></a:entry></a:feed>"
    )
    assert elements is not None
    assert (elements.version, elements.feed["title"]) == ("atom10", "T")
    assert elements.entries[0]["link"] == "https://x.example/y"
    assert elements.entries[0]["media_content"] == [{"url": "z.jpg"}]


@pytest.mark.parametrize(
    "text",
    ["", "no XML", "<rss><channel>", "<rss>&nbsp;</rss>", "<rss a='1' a='2'/>", "<x:rss/>", "<a/><b/>"],
)
def test_what_is_not_well_formed_is_not_read_strictly(text: str) -> None:
    assert parse_strict(text) is None


def test_text_of_many_lines_and_references_is_one() -> None:
    assert entry("<title>a\n&amp;\n&#98;<!-- c --><![CDATA[<d>]]></title>")["title"] == "a\n&\nb<d>"


def test_what_takes_quadratic_time_is_limited() -> None:
    many = range(5000)
    assert len(entry("".join(f"<category>c{n}</category>" for n in many))["tags"]) == 200
    assert len(entry(f"<author>{'a' * 5000}</author>")["author"]) == 200
    attributes = " ".join(f"a{n}='x'" for n in many)
    assert len(entry(f"<u {attributes}/>")["u"]) == 200
    spaces = " ".join(f"xmlns:n{n}='u{n}'" for n in many)
    assert entry("<title>T</title><n4999:title>U</n4999:title>", spaces)["title"] == "T"


def test_what_is_nested_deeper_than_any_feed_is_not_read() -> None:
    assert parse_strict("<a>" * 900 + "</a>" * 900) is not None
    assert parse_strict("<a>" * 1100 + "</a>" * 1100) is None


@pytest.mark.parametrize("name", ["in_namespace", "limited", "published", "rsl_content"])
def test_an_element_calls_no_method_of_the_adapter_itself(name: str) -> None:
    read = entry(f"<{name}/><title>T</title>")
    assert read["title"] == "T"
