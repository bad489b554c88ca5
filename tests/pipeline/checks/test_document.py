import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.cut_off import check_cut_off
from pipeline.checks.document import DraftDocument
from pipeline.checks.structure import check_structure
from pipeline.domain.models import Beat
from tests.lengths import lengths
from tests.pipeline.checks.articles import ARTICLE, BEAT


def test_markdown_and_fixed_headings_are_blanked_in_place() -> None:
    body = (
        "## Overview\n\nThe [mill](https://news.example/a-1) is **shut**; see https://b.example/9.\n\n"
        "### It closes\n\nSo."
    )
    page = DraftDocument(body, BEAT)
    words = [word.text for word in page.tokens.words]
    assert words == ["The", "mill", "is", "shut", "see", "It", "closes", "So"]
    assert [body[slice(*page.span(word.start, word.end))] for word in page.tokens.words] == words
    assert [body[slice(*page.span(*place))] for place in page.links] == ["mill"]


def test_a_heading_is_a_sentence_of_its_own() -> None:
    page = DraftDocument("It shuts\n## Buyers stayed away\n\nThey did.", BEAT)
    sentences = [page.text[start:end].strip() for start, end in page.tokens.sentences]
    assert sentences == ["It shuts", "Buyers stayed away", "They did."]


def test_sections_are_of_the_second_level() -> None:
    page = DraftDocument(ARTICLE, BEAT)
    assert [section.heading for section in page.sections] == [
        *("Overview", "Buyers stayed away", "From author", "Impact on the paper market")
    ]
    assert [page.text[section.start : section.end].strip()[:9] for section in page.opinion] == [
        "The mayor",
        "- Buyers ",
    ]
    other = DraftDocument(ARTICLE, Beat(key="b", from_author="Buyers stayed away"))
    assert [section.heading for section in other.opinion] == ["Buyers stayed away"]


@pytest.mark.parametrize("length", lengths(600_000))
@pytest.mark.parametrize(
    "piece", [" ", "# ", "[a](", "> — ", "\n## a ", "![", "https://", "der 1. X ", "a. ", "- b.\n"]
)
def test_time_is_linear_in_the_text(piece: str, length: int) -> None:
    text = "## " + piece * (length // len(piece)) + "x"
    begun = time.process_time()
    page = DraftDocument(text, BEAT)
    assert page.tokens.text
    assert page.sections
    assert len(page.sentences) < len(text)
    page.is_quoted(5)
    check_structure(page)
    check_cut_off(page, "en")
    assert time.process_time() - begun < 10


@given(st.text(alphabet="ab1 #*_\\&;>[]()\n\r\u200bｅ.“”-", max_size=80))
def test_spans_lie_in_any_body(body: str) -> None:
    page = DraftDocument(body, BEAT)
    for word in page.tokens.words:
        start, end = page.span(word.start, word.end)
        assert 0 <= start < end <= len(body)
    assert 0 <= page.span(0, 0)[0] <= page.span(0, 0)[1] <= len(body)
