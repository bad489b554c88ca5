"""HTML to plain text: only visible text, with paragraphs and lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.html_text import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a < b and c > d", "a < b and c > d"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("One<br>Two<br/>Three<br><br>Four", "One\nTwo\nThree\n\nFour"),
        ("<p>  many \n\t spaces&nbsp;&nbsp;here </p>", "many spaces here"),
        ("in<b>tra</b>word <i>x</i>", "intraword x"),
        ("<ul><li>A</li><li><p>B</p><p>C</p></li><li></li></ul>after", "- A\n- B\n\nC\n\nafter"),
        ("<ul><li>A<ol><li>A1</ol></li><li>B</ul>", "- A\n- 1. A1\n- B"),
        (
            "<table><tr><td>BTC</td><td>5%</td></tr><tr><td>ETH</td><td>3%</td></tr></table>",
            "BTC | 5%\nETH | 3%",
        ),
        ("<pre>one\n  two</pre>", "one\ntwo"),
        ("&lt;b&gt; &amp;amp; &hellip; &#8217; &#x1F680; &#146; &nope;", "<b> &amp; … ’ 🚀 ’ &nope;"),
        ("<script>if (a < b) alert('</p>')</script>x<style>p{}</style>y", "xy"),
        ("<SCRIPT >x</SCRIPT\n>y", "y"),
        ("a<!-- hidden --> b<!---->c<!-->d", "a bcd"),
        ("<![CDATA[kept]]> text", "kept text"),
        ("<!DOCTYPE html><?php echo 1 ?>x", "x"),
        ("a<p hidden>secret</p>b", "ab"),
        ("a<div style='color:red; DISPLAY : none'>s<div>t</div>u</div>b", "ab"),
        ("a<span style=visibility:hidden>s</span>b", "ab"),
        ("<p hidden>secret<p>shown", "shown"),
        ("<img hidden src=x>shown", "shown"),
        ("<div data-hidden-id=1 class='unhidden'>shown</div>", "shown"),
        ("<noscript>off</noscript><iframe>off</iframe><svg><text>off</text></svg>on", "on"),
        ("<a title='x > y' href=\"<\">link</a>", "link"),
        ("<a href='unclosed>text</a> more", "text more"),
        ("x <3 y </ z", "x <3 y </ z"),
        ("Bit\u200bco\u00adin \u202edlrow\u202c \U000e0041\U000e0042x\x00\x1b", "Bitcoin dlrow x"),
        ("می\u200cخواهم 👩\u200d🚀 a\u200db", "می\u200cخواهم 👩\u200d🚀 ab"),
        ("donâ€™t", "don’t"),
        ("café “quoted” naïve", "café “quoted” naïve"),
    ],
)
def test_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<a x='", '<a "x=">', "<", "</", "<!", "<?", "<![CDATA[", "&", "&#", "<p hidden>", "<script>",
     "<ul><li>", " ", "\n \n", "<b> </b>", "<a b=", "<p style='display:", "<pre>", "\u200d"],
)  # fmt: skip
def test_repeated_markup_takes_linear_time(piece: str) -> None:
    source = piece * (400_000 // len(piece))
    assert len(html_to_text(source)) <= len(source)
    assert len(html_to_text(source + ">")) <= len(source) + 1


def test_noscript_is_read_where_it_is_the_only_text() -> None:
    noscript = "<script>x()</script><noscript><p>The code</p></noscript>"
    assert html_to_text(noscript) == "The code"
    assert html_to_text(f"<p>Text</p>{noscript}") == "Text"
    assert html_to_text(f"<p hidden>Text</p><svg>x</svg>{noscript}") == "The code"


def test_references_of_thousands_of_digits_are_replaced() -> None:
    assert html_to_text("a&#" + "1" * 5000 + ";b&#x" + "f" * 5000 + ";") == "a\ufffdb\ufffd"


@settings(max_examples=150, deadline=None)
@given(st.text("<>/!-'\"=& \n;#[]]ahiddenpstylcr\u200b\x00é", max_size=80))
def test_nothing_raises_and_nothing_invisible_is_left(html: str) -> None:
    text = html_to_text(html)
    assert not set(text) & set("\u200b\x00\r\t")
    assert text == text.strip()
    assert "\n\n\n" not in text
