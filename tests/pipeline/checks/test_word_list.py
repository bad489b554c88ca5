"""A word list is searched as it is packed, in little memory."""

import pytest

from pipeline.checks.names.word_list import WordList, word_list


@pytest.mark.parametrize("language", ["de", "en", "es"])
def test_the_packed_list_is_sorted_so_that_its_first_words_divide_it(language: str) -> None:
    words = word_list(language)
    assert words._first_words == sorted(words._first_words)
    assert len(words._first_words) > 1_000
    assert "a" in words


def test_words_are_looked_up_whole() -> None:
    words = word_list("de")
    assert all(word in words for word in ("haus", "häuser", "strasse", "weiss", "üppigstes", "zeitung"))
    assert not any(word in words for word in ("", "hau\n", 'haus"', "zeitun", "qwrtz", "schmitthuber"))


def test_frequent_words_have_the_count() -> None:
    words = WordList(b'{\n"a": 5000,\n"b": 999,\n"c": 3000,\n"d": 2999\n}')
    assert words.frequent(3000) == {"a", "c"}
    assert "b" in words


def test_an_empty_list_has_no_word() -> None:
    assert not WordList()
    assert "a" not in WordList()
    assert word_list("es")
