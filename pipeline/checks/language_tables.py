"""Language tables of the checks, `languages/<code>/<kind>.toml`, and regular expressions made of phrases."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


def any_of(*phrases: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern for any of these phrases as whole words, in any case; a space matches 1-3 of any kind.

    Phrases are regular expressions. Their repetitions must be bounded, so that matching takes linear time.
    """
    spaced = "|".join(phrase.replace(" ", r"\s{1,3}") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE | flags)


W = r"(?:\w{1,20} )"
"""A word and the space after it; for phrases."""
A = r"(?:\S{1,20} )"
"""Up to 20 characters of any kind and the space after them; for phrases."""


_LANGUAGES = Path(__file__).parent / "languages"


def language_table(language: str, kind: str) -> Mapping[str, Any] | None:
    """Return a language's table for a kind of check, None where that kind is not checked in the language.

    `language` is a tag such as `en-GB`, of which the primary subtag counts.
    """
    return _load(language.lower().replace("_", "-").partition("-")[0], kind)


@lru_cache(maxsize=256)
def _load(code: str, kind: str) -> Mapping[str, Any] | None:
    path = _LANGUAGES / code / f"{kind}.toml"
    if not code.isalpha() or not path.is_file():
        return None
    return tomllib.loads(path.read_text("utf-8"))
