"""A sentence that is replaced in a draft's text."""

import pytest

from pipeline.articles.front_matter import dumps, loads
from pipeline.domain.errors import ReviewError
from pipeline.services.sentence import Span, field_text, replace_sentence, span_in, span_of

BODY = (
    "## Overview\n\nOne is here. Two is here. Three is here.\n\n- First item.\n- Second item.\n\n"
    "Alone.\n\n## Head\n\n> Quoted.\n\nEnd.\n"
)
FRONT = {
    "title": "A title",
    "description": "Its words.",
    "category": "BTC",
    "tags": ["BTC", "ETH"],
    "sentiment": "NEUTRAL",
    "stickyWeight": 0,
    "coverImage": {"regular": "https://x.example/a.jpg", "alt": "A picture"},
}


def replaced(words: str, new: str, body: str = BODY) -> str:
    start = body.index(words)
    edit = replace_sentence(dumps(FRONT, body), Span("body", start, start + len(words)), words, new)
    assert edit.text == edit.edit.body
    assert edit.text[edit.span.start : edit.span.end] == new.strip()
    return edit.text


def test_a_sentence_is_replaced_and_nothing_else() -> None:
    assert replaced("Two is here.", "2 is *there*.") == BODY.replace("Two is here.", "2 is *there*.")
    assert replaced(" Two is here. ", "2.") == BODY.replace("Two is here.", "2.")


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("One is here.", "One is here. "),
        ("Two is here.", "Two is here. "),
        ("Three is here.", " Three is here."),
        ("First item.", "- First item.\n"),
        ("Second item.", "- Second item.\n"),
        ("Alone.", "Alone.\n\n"),
        ("Quoted.", "> Quoted.\n\n"),
        ("Head", "## Head\n\n"),
        ("End.", "End.\n"),
    ],
)
def test_without_words_a_sentence_is_deleted_with_its_space_or_marker(words: str, gone: str) -> None:
    assert replaced(words, " ") == BODY.replace(gone, "", 1)
    crlf = BODY.replace("\n", "\r\n")
    assert replaced(words, "", crlf) == crlf.replace(gone.replace("\n", "\r\n"), "", 1)


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("words", ["One is here.", "Three is here.", "First item.", "Second item.", "Alone."])
def test_words_written_where_a_sentence_was_deleted_have_its_place(words: str, eol: str) -> None:
    body = BODY.replace("\n", eol)
    start = body.index(words)
    deleted = replace_sentence(dumps(FRONT, body), Span("body", start, start + len(words)), words, "")
    again = replace_sentence(dumps(FRONT, deleted.text), deleted.span, "", "New words.")
    assert again.text == body.replace(words, "New words.")
    assert again.text[again.span.start : again.span.end] == "New words."


def test_line_ends_of_the_text_are_kept() -> None:
    crlf = BODY.replace("\n", "\r\n")
    start = crlf.index("Alone.")
    edit = replace_sentence(dumps(FRONT, crlf), Span("body", start, start + 6), "Alone.", "A.\n\nB.")
    assert edit.text == crlf.replace("Alone.", "A.\r\n\r\nB.")


def test_fields_of_the_front_matter_are_edited() -> None:
    text = dumps(FRONT, BODY)
    assert replace_sentence(text, Span("title", 2, 7), "title", "head\nline").edit.title == "A head line"
    assert replace_sentence(text, Span("description", 0, 10), "Its words.", "").edit.description == ""
    alt = replace_sentence(text, Span("alt", 2, 9), "picture", "photo").edit
    assert (alt.alt, alt.cover) == ("A photo", None), "the cover stays"
    tags = replace_sentence(text, Span("tags", 0, 8), "BTC, ETH", "BTC,  SOL ,").edit
    assert (tags.tags, tags.description, tags.cover, tags.body) == (("BTC", "SOL"), None, None, BODY)


def test_words_that_moved_are_found_if_they_stand_once() -> None:
    text = dumps(FRONT, BODY)
    assert "2 here" in replace_sentence(text, Span("body", 0, 3), "Two is here", "2 here").text
    for before in ("is here", "No such words", " "):
        with pytest.raises(ReviewError, match="not at that place"):
            replace_sentence(text, Span("body", 0, 3), before, "New")


def test_what_cannot_be_edited_is_refused() -> None:
    text = dumps({**FRONT, "coverImage": None}, BODY)
    with pytest.raises(ReviewError, match="no cover image"):
        field_text(text, "alt")
    with pytest.raises(ReviewError, match="restore a version"):
        field_text("nothing", "body")
    with pytest.raises(ReviewError, match="no field that is edited"):
        span_of("sentiment", "0", "1")
    with pytest.raises(ReviewError, match="load the page again"):
        span_of("title", "-1", "1")
    broken = dumps({**FRONT, "sentiment": "GLUM"}, BODY)
    with pytest.raises(ReviewError, match="save it once"):
        replace_sentence(broken, Span("title", 0, 1), "A", "B")


def test_the_new_sentence_is_found_in_the_merged_text() -> None:
    text = dumps(FRONT, BODY)
    start = BODY.index("Two")
    edit = replace_sentence(text, Span("body", start, start + 12), "Two is here.", "2 is here.")
    merged = edit.text.replace("## Overview\n\n", "## Overview\n\nNew. 2 is here. ")
    span = span_in(merged, edit)
    assert merged[span.start : span.end] == "2 is here."
    assert span.start == merged.rindex("2 is here.")
    assert loads(text)[1] == BODY
