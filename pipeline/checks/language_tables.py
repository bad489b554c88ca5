"""Language tables of the checks, `languages/<code>/<kind>.toml`, and regular expressions made of phrases."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar


def any_of(*phrases: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern for any of these phrases as whole words, in any case; a space matches 1-3 of any kind.

    Phrases are regular expressions; "[- ]" and " ?" match one character of white space at most. Repetitions
    must be bounded, so that matching takes linear time.
    """
    spaced = "|".join(_SPACE.sub(_any_space, phrase) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE | flags)


_SPACE = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]| (?P<repeated>[?*{])?")


def _any_space(match: re.Match[str]) -> str:
    if match[0][0] == " ":
        return rf"\s{match['repeated']}" if match["repeated"] else r"\s{1,3}"
    return match[0].replace(" ", r"\s") if match[0][0] == "[" else match[0]


class Phrases:
    """Whole words and phrases that are tried only where a text has one of their first words.

    `pattern` must not match within a word. `firsts` are texts that begin as its matches do. With `lines`
    it is tried where a line begins as well.
    """

    def __init__(self, pattern: re.Pattern[str], firsts: Iterable[str], *, lines: bool = False) -> None:
        self._pattern, self._lines = pattern, lines
        self._firsts = frozenset(_key(run[0]) for first in firsts if (run := _RUN.match(first))) | {""}

    def finditer(self, text: str, spelled: str | None = None) -> Iterator[re.Match[str]]:
        """Yield the matches that do not overlap, in order.

        `spelled` is a text in lower case as it was before, of the same length.
        """
        words, end = _word_starts(spelled or text), 0
        starts = [at for word in self._firsts & words.keys() for at in words[word]]
        if self._lines:
            starts += (0, *(mark.end() for mark in _LINE_END.finditer(text)))
        for start in sorted(starts):
            if start >= end and (match := self._pattern.match(text, start)):
                end = match.end()
                yield match


_RUN = re.compile(r"\w+")
_LINE_END = re.compile(r"\n")


@lru_cache(maxsize=8)
def _word_starts(text: str) -> Mapping[str, list[int]]:
    """Return key of a word → where the text has such words."""
    spelled, starts = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for run in _RUN.finditer(text):
        spelled[run[0]].append(run.start())
    for word, places in spelled.items():
        starts[_key(word)] += places
    return starts


def _key(word: str) -> str:
    """Return a word in lower case, "0" for one that begins with a digit, nothing for one beyond ASCII."""
    if not word.isascii():
        return ""  # ignoring case makes letters equal that lower case does not: K and the sign of kelvin
    return "0" if word[0].isdigit() else word.lower()


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


_MAX_KEPT = 100_000
"""Words for which a table keeps what it returned. Chosen, not measured."""
_Value = TypeVar("_Value")


class WordTable(dict[str, _Value]):
    """What a function returns for each word, kept for at most `_MAX_KEPT` words."""

    def __init__(self, function: Callable[[str], _Value]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, word: str) -> _Value:
        if len(self) > _MAX_KEPT:
            self.clear()
        value = self[word] = self._function(word)
        return value
