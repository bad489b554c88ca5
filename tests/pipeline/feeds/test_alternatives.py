"""Expressions are chosen by a line's first letter, and match what all of them together match."""

import re
import tomllib
from importlib import resources

import pytest

from pipeline.feeds.boilerplate.alternatives import Alternatives, first_letters

LISTS = tomllib.loads((resources.files("pipeline.feeds.boilerplate") / "lines.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("read more", "r"),
        ("(?:share|email) .{0,60}", "se"),
        ("(?:click to )?(?:share|email)", "cse"),
        (r"\(?(?:photo|foto)s?", "(pf"),
        (r"l[’']article", "l"),
        ("one|two", "ot"),
        ("Été", "é"),
        (r"(?:a(?:b|c)|[de]|f\|g)?h", None),
        (r"(?:a(?:b|c)|f\|g)?h", "afh"),
        (".{1,80} is", None),
        ("x?y", "xy"),
        ("x*y", None),
        ("(?:x){0,3}y", None),
        (r"\w+", None),
    ],
)
def test_the_first_letters_of_a_match(pattern: str, letters: str | None) -> None:
    assert first_letters(pattern) == (None if letters is None else frozenset(letters))


@pytest.mark.parametrize("name", ["labels", "related"])
def test_lines_match_as_by_all_expressions_together(name: str) -> None:
    some, together = Alternatives(LISTS[name]), re.compile("|".join(LISTS[name]), re.IGNORECASE)
    words = re.findall(r"[^\W\d_][\w’' ]{2,30}", "\n".join(LISTS[name]))
    lines = {form for word in words for form in (word.strip(), word.strip().upper(), f"({word.strip()})")}
    assert len(lines) > 200
    matches = {line for line in lines if together.fullmatch(line)}
    assert matches
    assert {line for line in lines if some.fullmatch(line)} == matches
    assert some.fullmatch("") is None
