import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.document import DraftDocument
from pipeline.checks.structure import check_structure
from pipeline.domain.models import Beat
from tests.lengths import lengths
from tests.pipeline.checks.articles import ARTICLE, BEAT


def test_markdown_and_fixed_headings_are_blanked_and_nothing_moves() -> None:
    body = (
        "## Overview\n\nThe [mill](https://news.example/a-1) is **shut**; see https://b.example/9.\n\n"
        "### It closes\n\nSo."
    )
    page = DraftDocument(body, BEAT)
    words = [word.text for word in page.reading.words]
    assert words == ["The", "mill", "is", "shut", "see", "It", "closes", "So"]
    assert [body[slice(*page.span(word.start, word.end))] for word in page.reading.words] == words
    assert [body[slice(*page.span(*place))] for place in page.links] == ["mill"]


def test_a_heading_is_a_sentence_of_its_own() -> None:
    page = DraftDocument("It shuts\n## Buyers stayed away\n\nThey did.", BEAT)
    found = [page.text[start:end].strip() for start, end in page.reading.sentences]
    assert found == ["It shuts", "Buyers stayed away", "They did."]


def test_sections_are_those_of_the_second_level_and_opinion_those_of_the_beat() -> None:
    page = DraftDocument(ARTICLE, BEAT)
    assert [one.heading for one in page.sections] == [
        *("Overview", "Buyers stayed away", "From author", "Impact on the paper market")
    ]
    assert [page.text[one.body : one.end].strip()[:9] for one in page.opinion] == ["The mayor", "- Buyers "]
    other = DraftDocument(ARTICLE, Beat(key="b", from_author="Buyers stayed away"))
    assert [one.heading for one in other.opinion] == ["Buyers stayed away"]


@pytest.mark.parametrize("length", lengths(600_000))
@pytest.mark.parametrize("piece", [" ", "# ", "[a](", "> — ", "\n## a ", "![", "https://"])
def test_time_grows_with_the_text_alone(piece: str, length: int) -> None:
    text = "## " + piece * (length // len(piece)) + "x"
    begun = time.process_time()
    page = DraftDocument(text, BEAT)
    assert page.reading.text
    assert page.sections
    page.quotes(5)
    check_structure(text, BEAT)
    assert time.process_time() - begun < 10


@given(st.text(alphabet="ab1 #*_\\&;>[]()\n\r\u200bｅ.“”-", max_size=80))
def test_places_lie_in_the_body_whatever_it_is(body: str) -> None:
    page = DraftDocument(body, BEAT)
    for word in page.reading.words:
        start, end = page.span(word.start, word.end)
        assert 0 <= start < end <= len(body)
    assert 0 <= page.span(0, 0)[0] <= page.span(0, 0)[1] <= len(body)
