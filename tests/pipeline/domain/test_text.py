"""Text without HTML elements, for every parser."""

from html import unescape
from html.parser import HTMLParser

import lxml.html
import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.text import without_elements

# fmt: off
PIECES = st.sampled_from((
    "<", ">", "/", "<b>", "</b>", "<script>", "</script>", "<script src=x>", "<img src=x onerror=alert(1)>",
    "<!--", "-->", "<!doctype html>", "<?php", "?>", "<style>", "</STYLE >", "<svg/onload=x>", "<x-a>",
    "<_x>", "<:x>", "<\0b>", "<\u200bb>", "<a href='>'>", '"', "'", "=", " ", "\n", "a", "word", "é", "&lt;",
    "‹", "&#60;b&#62;", "]]>", "<![CDATA[", "<math><mi>", "</", "</ ", "<br/>", "<iframe>", "<TEMPLATE>",
))
# fmt: on


class Elements(HTMLParser):
    """Collects everything that a parser does not read as text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.markup.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.markup.append(tag)

    def handle_comment(self, data: str) -> None:
        self.markup.append(data)

    def handle_decl(self, decl: str) -> None:
        self.markup.append(decl)

    def handle_pi(self, data: str) -> None:
        self.markup.append(data)

    def unknown_decl(self, data: str) -> None:
        self.markup.append(data)


def _without_nul(text: str) -> str:
    return text.replace("\0", "").replace("\ufffd", "")


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text(max_size=60)))
def test_no_parser_sees_an_element(text: str) -> None:
    plain = without_elements(text)
    assert without_elements(plain) == plain
    parser = Elements()
    parser.feed(f"{plain} ")
    parser.close()
    assert parser.markup == []
    # Nothing but NUL is dropped, whatever stands beside it: all of it is text to the parser of browsers.
    shown = nh3.clean(f"x{plain}x", tags=set(), clean_content_tags=set())
    expected = f"x{plain}x".replace("\r\n", "\n").replace("\r", "\n")
    assert _without_nul(unescape(shown)) == _without_nul(unescape(expected))
    # Other control characters a parser may drop, white space it does not.
    visible = "".join(
        char for char in plain if char in "\t\n\f\r" or (char >= " " and not 0x7F <= ord(char) <= 0x9F)
    )
    assert [element.tag for element in lxml.html.fragment_fromstring(f"<p>{visible}</p>").iter()] == ["p"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<b>Zero-day</b> in <script>alert(1)</script> wallet", "Zero-day in wallet"),
        ("Zero-day <img src=x onerror=alert(2)>in wallet", "Zero-day in wallet"),
        ("H<sub>2</sub>O and <a href='https://a.example'>more</a>", "H2O and more"),
        ("One line<br>and<br/>another", "One line and another"),
        ("<p>Hello", "Hello"),
        ("<style>p { color: red }</style>Red <!-- not --> herring", "Red herring"),
        ("<made-up>up</made-up>", "up"),
        ("How to use <div> in HTML", "How to use ‹div› in HTML"),
        ("The <script> tag explained", "The ‹script› tag explained"),
        ("if a<b and c>d", "if a‹b and c›d"),
        ("Where x<p or q>r holds", "Where x‹p or q›r holds"),
        ("<a href='x>y'>t</a>", "t"),
        ('Zero <img alt="a > b" src=x>day', "Zero day"),
        ("<p hidden>Hello", "Hello"),
        ("<a title='>Hello", "Hello"),
        ("Vec<u8> and x<y", "Vec‹u8› and x< y"),
        ("P<0.05, a < b", "P<0.05, a < b"),
        ("&lt;script&gt; explained", "&lt;script&gt; explained"),
        ("Two  spaces stay", "Two  spaces stay"),
    ],
)
def test_markup_is_removed_and_mentioned_tags_stay(text: str, plain: str) -> None:
    assert without_elements(text) == plain


@pytest.mark.parametrize(
    "unit", ["<script>", "<!--", "<b", "</b>", "<a ", '"<a "', "<b>x</b>", "<a ''", "<a '\"", '<a "\'"']
)
def test_repeated_markup_takes_one_pass(unit: str) -> None:
    assert len(without_elements(unit * 20_000)) <= 2 * len(unit) * 20_000
