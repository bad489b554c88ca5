"""Expressions made of phrases, so that lists of them can be read.

What the checks know of each language: tables under `languages/<code>/`, one file a kind of check.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


def any_of(*phrases: str, flags: int = 0) -> re.Pattern[str]:
    """Return what finds any of these phrases as whole words, whatever their case; a space is any white space.

    Phrases are expressions, whose repeats are to be bounded: time has to grow with the text alone.
    """
    spaced = "|".join(phrase.replace(" ", r"\s{1,3}") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE | flags)


W = r"(?:\w{1,20} )"
"""A word and the space behind it."""
A = r"(?:\S{1,20} )"
"""The same, of any characters."""


_FOLDER = Path(__file__).parent / "languages"


def language_table(language: str, kind: str) -> Mapping[str, Any] | None:
    """Return a language's table for a kind of check; None: that kind is not checked in it.

    `language` is a tag such as `en-GB`; its primary subtag counts.
    """
    return _read(language.lower().replace("_", "-").partition("-")[0], kind)


@lru_cache(maxsize=256)
def _read(code: str, kind: str) -> Mapping[str, Any] | None:
    path = _FOLDER / code / f"{kind}.toml"
    if not code.isalpha() or not path.is_file():
        return None
    return tomllib.loads(path.read_text("utf-8"))
