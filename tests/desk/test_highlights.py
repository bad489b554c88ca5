"""Marks surround the text of findings and never break the page."""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from desk.finding_views import numbered
from desk.highlights import Highlight, highlight_markdown, highlight_text, render_markdown, word_diff
from pipeline.domain.reviews import Finding, Front, Severity

BODY = """## Head line

First **bold** text, then [a link](https://x.example/?q=1).

- one
- two `code`

> said
"""


def mark(body: str, words: str, number: int = 1, level: str = "block") -> Highlight:
    start = body.index(words)
    return Highlight(number, start, start + len(words), level, f"c{number}")


def plain(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def marked_words(html: str, number: int) -> str:
    matches = re.findall(r'<mark class="\w+" data-f="([\d ]+)">(.*?)</mark>', html, re.DOTALL)
    return plain("".join(text for numbers, text in matches if str(number) in numbers.split()))


def test_a_mark_is_an_element_around_its_words() -> None:
    html = highlight_markdown(BODY, [mark(BODY, "text, then")])
    assert '<mark class="block" data-f="1">text, then</mark>' in html
    assert '<span id="c1" class="anchor"></span>' in html


def test_a_mark_goes_on_across_emphasis_links_and_paragraphs() -> None:
    words = "First **bold** text, then [a link]"
    assert marked_words(highlight_markdown(BODY, [mark(BODY, words)]), 1) == "First bold text, then a link"
    whole = Highlight(1, 0, len(BODY), "warn", "c1")
    assert marked_words(highlight_markdown(BODY, [whole]), 1).startswith("Head lineFirst bold text")


def test_marks_that_overlap_name_each_other_and_show_the_graver() -> None:
    html = highlight_markdown(
        "alpha beta gamma", [Highlight(1, 0, 10, "note", "c1"), Highlight(2, 6, 16, "block", "c2")]
    )
    assert '<mark class="note" data-f="1">alpha </mark>' in html
    assert '<mark class="block" data-f="1 2">beta</mark>' in html
    assert '<mark class="block" data-f="2"> gamma</mark>' in html


def test_a_mark_at_the_beginning_of_a_block_leaves_it_one() -> None:
    for body in ("## Head\n", "- one\n", "> said\n", "1. one\n", "> - deep\n"):
        html = highlight_markdown(body, [Highlight(1, 0, len(body), "warn", "c1")])
        assert re.sub(r"</?mark[^>]*>|<span[^>]*></span>", "", html) == render_markdown(body)


def test_a_source_is_paragraphs_of_its_own_characters() -> None:
    text = "One <b>\n\nTwo & *three*"
    html = highlight_text(text, [mark(text, "& *three*", level="evidence")])
    assert html == '<p>One &lt;b&gt;</p><p>Two <span id="c1" class="anchor"></span>' + (
        '<mark class="evidence" data-f="1">&amp; *three*</mark></p>'
    )


class Balance(HTMLParser):
    """Fails if elements are not closed in order, or an element or attribute is not allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "style", "img", "svg", "iframe")
        assert all(not name.startswith("on") for name, _ in attrs)
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


MARKDOWN = st.text(
    st.sampled_from("ab <>&\"'#*_`[]()!-\n>1.:/\\|~\U000f0000\U000ffffd\u202e{}="), max_size=60
)
SPANS = st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=8)


@given(MARKDOWN, SPANS)
@example("[a](https://x.example/\U000f0000)", [(0, 3), (2, 20)])
def test_no_marks_break_a_page(body: str, spans: list[tuple[int, int]]) -> None:
    marks = [Highlight(number, *span, "warn", f"c{number}") for number, span in enumerate(spans)]
    for html in (highlight_markdown(body, marks), highlight_text(body, marks)):
        page = Balance()
        page.feed(html)
        page.close()
        assert page.open == []
        assert not re.search("[\U000f0000-\U000ffffd]|%F3%B", html)


@given(MARKDOWN, MARKDOWN)
def test_a_difference_holds_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after
    assert all(piece.kind != other.kind for piece, other in pairwise(pieces))


def test_one_finding_is_marked_in_all_its_places() -> None:
    finding = Finding(
        kind="pair",
        severity=Severity.WARN,
        message="m",
        span=(0, 4),
        also=(("title", (3, 7)), ("description", (0, 4))),
    )
    (shown,) = numbered([finding], [], "rose again", Front(metadata={}))
    assert shown.also_label == "Title, Description"
    assert [finding.spans_in(field) for field in ("body", "title", "description")] == [
        ((0, 4),),
        ((3, 7),),
        ((0, 4),),
    ]
