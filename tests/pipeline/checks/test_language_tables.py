"""Expressions made of phrases."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.dates import extract
from pipeline.checks.dates.lexicon import date_lexicon
from pipeline.checks.injection import calls_to_action, non_article
from pipeline.checks.language_tables import Phrases, any_of
from pipeline.checks.numbers import other_readings
from pipeline.checks.numbers.lexicon import number_lexicon

PHRASES = any_of("send (?:us|me)", "send", "100% sure", "don'?t go(?: now)?", "envíe su", "ask (?:us )?below")
FIRSTS = ("send", "100", "don", "dont", "envíe", "ask")
RESTS = (" now", " your password", " us", " the recovery phrase", " your wallet", " in the comments", " here")
PIECES = (
    "send",
    "ſend",
    "us",
    "me",
    "100%",
    "sure",
    "don't",
    "DON’T",
    "go",
    "now",
    "envíe",
    "su",
    "asK",
    "x_send",
)


@given(
    st.lists(st.sampled_from((*PIECES, "below", "\n", "a")), max_size=12), st.sampled_from((" ", "  ", "-"))
)
def test_phrases_are_found_wherever_their_expression_is(words: list[str], space: str) -> None:
    text = space.join(words)
    found = [match.span() for match in Phrases(PHRASES, FIRSTS).finditer(text)]
    assert found == [match.span() for match in PHRASES.finditer(text)]


def test_spaces_in_sets_and_optional_ones() -> None:
    pattern = any_of("risk[- ]free", "log ?in", "at once")
    for text in ("risk-free", "risk free", "login", "log in", "at  once"):
        assert pattern.fullmatch(text)
    for text in ("risk{free", "risk1free", "risk  free"):
        assert not pattern.search(text)


LEXICONS = [lexicon(code) for code in ("en", "de", "es") for lexicon in (number_lexicon, date_lexicon)]
TABLES = [*(vars(each) for each in (calls_to_action, non_article, extract, other_readings))]
TABLES += [each._asdict() for each in LEXICONS if each]
GUARDED = [value for table in TABLES for value in table.values() if isinstance(value, Phrases)]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_an_expression_matches_begins_with_a_first_word(data: st.DataObject) -> None:
    phrases = data.draw(st.sampled_from(GUARDED))
    text = data.draw(st.from_regex(phrases._pattern, fullmatch=True)).lower()
    matches = phrases._pattern.finditer(text)
    assert [each.span() for each in phrases.finditer(text)] == [each.span() for each in matches]


def test_the_first_words_of_phrases_are_all_known() -> None:
    for expression, firsts in (
        (calls_to_action._HARMFUL_PHRASES, calls_to_action._HARMFUL_FIRSTS),
        (calls_to_action._HARMLESS_PHRASES, calls_to_action._HARMLESS_FIRSTS),
        (non_article._PROMPT_PHRASES, non_article._PROMPT_FIRSTS),
    ):
        for word in re.findall(r"[a-zíñ]{2,}", expression.pattern):
            starts = [expression.match(f"{word}{rest}") for rest in RESTS]
            assert word in firsts.split() or not any(starts)
