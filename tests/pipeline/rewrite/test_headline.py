"""Title and description of an answer, put right by rule."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.render import MAX_DESCRIPTION_CHARS
from pipeline.rewrite.article_schema import parse_response
from pipeline.rewrite.headline import MAX_TITLE_CHARS, article_description, article_title
from tests.fakes.model_server import article
from tests.pipeline.rewrite.sources import BEAT, source


@pytest.mark.parametrize(
    ("answered", "title"),
    [
        ("Mine raises output", "Mine raises output"),
        ("  ## **Mine raises output** \n", "Mine raises output"),
        ("Mine raises output.", "Mine raises output"),
        ("“Mine raises output”", "Mine raises output"),
        ('"Mine" raises "output"', '"Mine" raises "output"'),
        ("Mine moves to the U.S.", "Mine moves to the U.S."),
        ("Mine raises output…", "Mine raises output…"),
        ("1. FC Arden signs a miner", "1. FC Arden signs a miner"),
        (f"Mine raises output. {'It is the third month in a row. ' * 5}", "Mine raises output"),
        ("NASA, ESA", "NASA, ESA"),
        ("**Mine** raises output to 5.", "Mine raises output to 5"),
        ("", "Output rises"),
        (" \n", "Output rises"),
        ("MINE RAISES OUTPUT AGAIN", "Output rises"),
        ("Mine " * 40, "Output rises"),
    ],
)
def test_a_title_is_put_right_or_is_the_sources(answered: str, title: str) -> None:
    assert article_title(answered, source(title="Output rises"), BEAT) == title


def test_a_beat_may_keep_the_sources_title() -> None:
    kept = BEAT.model_copy(update={"titles": "source"})
    assert article_title("Mine raises output", source(title="Output rises"), kept) == "Output rises"


@pytest.mark.parametrize(
    ("answered", "description"),
    [
        ("The mine raised its output.", "The mine raised its output."),
        ("The mine **raised** its\noutput [again](https://x.example).", "The mine raised its output again."),
        ("The mine raised its output. It will go on.", "The mine raised its output."),
        (f"{'Words ' * 40}end. The mine raised its output.", "The mine raised its output."),
        ("Seit dem 10. Februar fördert die Mine mehr.", "Seit dem 10. Februar fördert die Mine mehr."),
        ("1. FC Arden signs a miner.", "1. FC Arden signs a miner."),
        ("鉱山の生産が増えた。", "鉱山の生産が増えた。"),
        ("เหมืองเพิ่มการผลิต", "เหมืองเพิ่มการผลิต"),
        ("The mine raised its output, and the", ""),
        ("Words " * 40, ""),
        ("", ""),
    ],
)
def test_a_description_is_one_whole_sentence_or_none(answered: str, description: str) -> None:
    assert article_description(answered) == description


def test_an_answer_without_both_gets_the_sources_title_and_no_description() -> None:
    answer = {key: value for key, value in article().items() if key not in ("title", "description")}
    read = parse_response(json.dumps(answer), source(title="Output rises"), BEAT)
    assert (read.title, read.description) == ("Output rises", "")


def test_sections_of_opinion_may_be_empty_where_the_beat_lets_them() -> None:
    lenient = BEAT.model_copy(update={"required_sections": ()})
    read = parse_response(json.dumps(article(from_author=" ", impact=["", "- "])), source(), lenient)
    assert (read.from_author, read.impact) == ("", ())


@given(st.text(max_size=400))
def test_limits_hold_for_any_answer(text: str) -> None:
    assert len(article_title(text, source(title="Output rises"), BEAT)) <= MAX_TITLE_CHARS
    assert len(article_description(text)) <= MAX_DESCRIPTION_CHARS
