"""The style of scalars: that of js-yaml 3.14, except where a reader would type the text."""

import pytest

from pipeline.articles.front_matter import dumps


def written(text: str, key: str = "k") -> str:
    return dumps({key: text}, "").removeprefix(f"---\n{key}: ").removesuffix("\n---\n")


@pytest.mark.parametrize(
    "text",
    ["Bitcoin Falls 50% From Peak", "it's", 'say "hi"', "$5 and more", "a#b", "24/7 trading", "AT&T", "3D",
     "Überraschung", "日本", "x" * 500 + " y", "a - b", "none", "nope", "1st", "a < b", "(x)"],
)  # fmt: skip
def test_ordinary_text_is_plain(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    "text",
    ["y", "N", "yes", "No", "on", "OFF", "nULL", "null", "~", "true", "False", "", "0", "08", "0o17", "0x1f",
     "0b11", "1e3", "1E+3", "1,000", "1_000", "12:30", "12:30:45", "1.5", "-3", "+7", ".5", ".inf", "-.Inf",
     ".NaN", "nan", "=", "<<", "a: b", "a:", "a #b", "# a", "- a", "-a", "? a", "! a", "& a", "* a", "@a",
     "`a`", "%a", "|", ">", "[a]", "{a}", "---", "...", " a", "a ", "2026-02-05", "2026-2-5 10:00:00",
     "2026-02-05T21:10:09.000Z", "-2026-02-05", "https://example.org/?a=b&c", "1234567890123456",
     "00000000e0000000", "12345678e1234567"],
)  # fmt: skip
def test_text_that_a_reader_would_mistake_is_single_quoted(text: str) -> None:
    assert written(text) == f"'{text}'"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a\tb", r"a\tb"), ("\0\a\b\v\f\r\x1b\x7f", r"\0\a\b\v\f\r\e\x7F"), ("a\x85b", r"a\Nb"),
     ("a\xa0b", r"a\_b"), ("a\u2028b\u2029", r"a\Lb\P"), ("\ufeffa", r"\uFEFFa"), ("\ufffe", r"\uFFFE"),
     ("up \U0001f680", r"up \U0001F680"), ('\t"\\', r"\t\"\\"), ("a\n", r"a\n"), ("\na", r"\na"),
     (" a\nb", r" a\nb"), ("a\n  \nb", r"a\n  \nb")],
)  # fmt: skip
def test_what_cannot_stand_as_it_is_gets_escaped(text: str, escaped: str) -> None:
    assert written(text) == f'"{escaped}"'


def test_lines_are_a_literal_block() -> None:
    assert written("first\n\n---\n  third") == "|-\n  first\n\n  ---\n    third"


def test_an_external_id_is_always_quoted() -> None:
    assert written("deadbeefdeadbeef", key="externalId") == "'deadbeefdeadbeef'"
