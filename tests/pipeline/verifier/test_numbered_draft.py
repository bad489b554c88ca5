from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.models import Beat
from pipeline.domain.reviews import Front
from pipeline.verifier.numbered_draft import number_sentences
from tests.pipeline.verifier.drafts import BEAT, BODY, draft, source


def test_title_description_headings_and_body_are_numbered_in_order() -> None:
    numbered = draft()
    lines = [
        (each.number, each.field, numbered.text_of(each).split()[0], each.is_heading, each.is_opinion)
        for each in numbered.sentences
    ]
    assert lines == [
        (1, "title", "Norrsund", False, False),
        (2, "description", "The", False, False),
        (3, "body", "The", False, False),
        (4, "body", "Revenue", False, False),
        (5, "body", "Council", True, False),
        (6, "body", "The", False, False),
        (7, "body", "Mayor", False, False),
        (8, "body", "All", False, False),
        (9, "body", "The", False, True),
        (10, "body", "Other", False, True),
        (11, "body", "Fares", False, True),
    ]


def test_spans_are_those_of_the_markdown() -> None:
    numbered = draft()
    sentence = numbered.sentences[6]
    text = numbered.text_of(sentence)
    at = text.index("supported")
    assert BODY[slice(*numbered.span(sentence, at, at + 9))] == "supported"
    bullet = numbered.sentences[9]
    assert BODY[slice(*numbered.span(bullet, 0, len(numbered.text_of(bullet))))] == "Other lines may follow."


def test_the_source_s_title_and_the_beginning_of_the_overview_are_left_out() -> None:
    front = Front(metadata={"title": "Ferry may stop in winter", "description": "The ferry"}, follows=True)
    numbered = number_sentences(source(), BODY, BEAT, front)
    assert {each.field for each in numbered.sentences} == {"body"}


def test_a_heading_s_line_ends_a_sentence_and_an_ordinal_does_not() -> None:
    numbered = number_sentences(
        source(),
        "## Neue Fähre\nSie kam am 12. Mai an. Nicht mehr.\n\n1. Erstens das.\n\n"
        "It has 9 sq. ft. on May 3. Good.",
        BEAT,
        None,
    )
    texts = [numbered.text_of(each) for each in numbered.sentences]
    assert texts == [
        "Neue Fähre",
        "Sie kam am 12. Mai an.",
        "Nicht mehr.",
        "Erstens das.",
        "It has 9 sq. ft. on May 3.",
        "Good.",
    ]


def test_an_empty_draft_has_no_sentences() -> None:
    assert number_sentences(source(), "", BEAT, None).sentences == ()
    assert number_sentences(source(), "## Overview\n\n", BEAT, None).sentence(1) is None


@given(st.text(alphabet="ab1. #*_->\\&;[]()\n\r\u200b“”", max_size=80), st.booleans())
def test_sentences_are_in_order_and_lie_in_any_body(body: str, is_opinion: bool) -> None:
    beat = Beat(key="b", from_author="a" if is_opinion else "From author")
    numbered = number_sentences(source(), body, beat, None)
    places = [numbered.span(each, 0, each.end - each.start) for each in numbered.sentences]
    assert all(0 <= start < end <= len(body) for start, end in places)
    assert [each.number for each in numbered.sentences] == list(range(1, len(places) + 1))
    assert all(
        first.end <= second.start
        for first, second in zip(numbered.sentences, numbered.sentences[1:], strict=False)
    )
    assert all(numbered.text_of(each).strip() == numbered.text_of(each) != "" for each in numbered.sentences)
