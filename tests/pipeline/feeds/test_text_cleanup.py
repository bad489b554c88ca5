"""Mojibake, invisible characters and white space."""

import pytest
from ftfy.badness import is_bad
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.text_cleanup import collapse_spaces, fix_mojibake, is_clean, is_mojibake, strip_invisible

WRONG = ("cp1252", "latin-1", "mac-roman", "cp1250", "cp1251", "cp1253", "cp1257", "cp437")


@settings(max_examples=300, deadline=None)
@given(st.text("añéöß’“”—…œŒ€£ÃÂжщяλή中 .,A\x80\x9f\xa0", max_size=30), st.sampled_from(WRONG))
def test_no_damage_is_overlooked(text: str, charset: str) -> None:
    wrong = text.encode("utf-8").decode(charset, "replace")
    for each in (text, wrong):
        assert is_mojibake(each) or not is_bad(each)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=30)
    | st.text("a\n\u200b\u200d\ufeff\u202e\U000e0041\U000e0100é\x00\x85\u2028", max_size=9)
)
def test_what_is_called_clean_has_nothing_to_hide(text: str) -> None:
    assert not is_clean(text) or strip_invisible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"), [("a", True), ("é’ 👍\n中", True), ("a\u200bb", False), ("\U000e0100", False)]
)
def test_clean(text: str, expected: bool) -> None:
    assert is_clean(text) is expected


def test_one_bad_line_spoils_no_other() -> None:
    assert fix_mojibake("donâ€™t\n“naïve” café\nplain") == "don’t\n“naïve” café\nplain"


def test_white_space_of_any_length_is_one_space() -> None:
    assert collapse_spaces("a" + " \n\t\r\xa0" * 1000 + "b") == "a b"
