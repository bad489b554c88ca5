"""Repair of XML for a strict parser."""

import pytest

from pipeline.feeds.parsing.xml_repair import (
    close_truncated,
    declare_namespaces,
    repair_xml,
    strip_doctype,
    strip_empty,
    strip_preamble,
)


@pytest.mark.parametrize(
    ("text", "rest", "names"),
    [
        ("<rss/>", "<rss/>", {}),
        ("<!DOCTYPE rss><rss/>", "<rss/>", {}),
        (
            "<?xml version='1.0'?>\n<!-- a -->\n<!doctype html><a/>",
            "<?xml version='1.0'?>\n<!-- a -->\n<a/>",
            {},
        ),
        ('<!DOCTYPE rss PUBLIC "a>b" "http://x.example/[d].dtd"><rss/>', "<rss/>", {}),
        ("<!DOCTYPE r [<!ELEMENT a (b)><!-- ]> --><!ENTITY c '(C)'>\n] ><r/>", "<r/>", {"c": "(C)"}),
        ('<!DOCTYPE r [<!ENTITY e "&#233;"><!ENTITY f "&#xE9;">]><r/>', "<r/>", {"e": "é", "f": "é"}),
        ("<!DOCTYPE r [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><r/>", "<r/>", {"a": "b"}),
        ("<!DOCTYPE r [<!ENTITY a SYSTEM 'file:///etc/passwd'><!ENTITY % p 'x'>]><r/>", "<r/>", {}),
        (f"<!DOCTYPE r [<!ENTITY long '{'x' * 50}'>]><r/>", "<r/>", {}),
        ("<r><![CDATA[<!DOCTYPE html>]]></r>", "<r><![CDATA[<!DOCTYPE html>]]></r>", {}),
        ("<!DOCTYPE r [<r/>", "<!DOCTYPE r [<r/>", {}),
        ("<!-- <!DOCTYPE r> <r/>", "<!-- <!DOCTYPE r> <r/>", {}),
    ],
)
def test_a_doctype_is_removed_and_its_short_entities_returned(
    text: str, rest: str, names: dict[str, str]
) -> None:
    assert strip_doctype(text) == (rest, names)


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("AT&T &amp; &lt; &#8217; &#x41;", "AT&amp;T &amp; &lt; &#8217; &#x41;"),
        ("&nbsp;&eacute;&LT;&mine;&nope;", "\xa0é&lt;A &amp; B&amp;nope;"),
        ("<![CDATA[&nbsp; &]]><!-- & -->&", "<![CDATA[&nbsp; &]]><!-- & -->&amp;"),
    ],
)
def test_ampersands_and_entities_are_escaped(text: str, repaired: str) -> None:
    assert repair_xml(text, {"mine": "A & B"}) == repaired


@pytest.mark.parametrize(
    ("text", "closed", "cut"),
    [
        ("<rss><item>a</item></rss>", "<rss><item>a</item></rss>", False),
        ("<rss><item>a</item><item>b", "<rss><item>a</item></rss>", True),
        ("<rss><channel><item><p>a</item><it", "<rss><channel><item><p>a</item></channel></rss>", True),
        ("<rss><item>a", "<rss>", True),
        ("<rss><item>a</item></rss", "<rss><item>a</item></rss>", True),
        ("<rss><item>a</item></rss> <script>1 < 2</script>", "<rss><item>a</item></rss>", False),
        ("<rss><item/></rss><rss><item/></rss>", "<rss><item/></rss><rss><item/></rss>", False),
    ],
)
def test_a_truncated_feed_ends_after_its_last_whole_item(text: str, closed: str, cut: bool) -> None:
    assert close_truncated(text) == (closed, cut)


def test_empty_texts_and_preambles_are_removed() -> None:
    assert strip_empty("<a><summary></summary><description><![CDATA[ ]]></description></a>") == "<a></a>"
    feed = "<?xml version='1.0'?><rss version='2.0'/>"
    assert strip_preamble(f"<br>Warning: x{feed}") == feed
    assert strip_preamble(f"\u00ef\u00bb\u00bf {feed}") == feed


def test_undeclared_prefixes_are_declared() -> None:
    feed = "<!-- <x:y/> --><rss xmlns:a='u'><a:b/><MEDIA:c d:e = '1' xml:lang='en'/>f:g <i href='h:j'/></rss>"
    whole = declare_namespaces(feed, {"media": "http://media.example/"})
    assert whole == feed.replace("<rss", '<rss xmlns:MEDIA="http://media.example/" xmlns:d="urn:d"')
    assert declare_namespaces("<rss xmlns:a='u'><a:b/></rss>", {}) is None
    assert declare_namespaces("no root", {}) is None
