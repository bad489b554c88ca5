"""Tries, of many expressions for whole lines, only those that can begin with a line's first letter."""

import re
from collections.abc import Sequence
from functools import cache


class Alternatives:
    """Matches whole lines with any of several expressions, whatever their case.

    `after` is an expression that stands behind each.
    """

    def __init__(self, patterns: Sequence[str], after: str = "") -> None:
        self._patterns = [(pattern, first_letters(pattern)) for pattern in patterns]
        self._after = after
        self._compiled = cache(self._compile)

    def fullmatch(self, line: str) -> re.Match[str] | None:
        """Return the match of a whole line by the first expression that has one."""
        pattern = self._compiled(line[:1].lower()[:1])
        return pattern.fullmatch(line) if pattern else None

    def _compile(self, letter: str) -> re.Pattern[str] | None:
        any_of = [pattern for pattern, letters in self._patterns if letters is None or letter in letters]
        return re.compile(f"(?:{'|'.join(any_of)}){self._after}", re.IGNORECASE) if any_of else None


def first_letters(pattern: str) -> frozenset[str] | None:
    """Return the characters, in lower case, with which a match can begin; None if they cannot be told.

    Reads literal characters and groups `(?:…|…)`, also optional ones.
    """
    alternatives = _alternatives(pattern)
    if len(alternatives) > 1:
        return _union([first_letters(each) for each in alternatives])
    if pattern.startswith("(?:"):
        end = _end_of_group(pattern) + 1
        first = first_letters(pattern[3 : end - 1])
    elif pattern[:1] == "\\" and not pattern[1:2].isalnum():
        end, first = 2, frozenset((pattern[1:2],))
    elif pattern[:1].isalnum():
        end, first = 1, frozenset((pattern[0].lower()[:1],))
    else:
        return None
    if pattern[end : end + 1] == "?":
        return _union([first, first_letters(pattern[end + 1 :])])
    return None if pattern[end : end + 1] in ("*", "{") else first


def _union(sets: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    letters: set[str] = set()
    for each in sets:
        if each is None:
            return None
        letters |= each
    return frozenset(letters)


def _end_of_group(pattern: str) -> int:
    """Return the index of the parenthesis that closes the first group."""
    return next(at for at, depth in _depths(pattern) if depth == 0 and pattern[at] == ")")


def _alternatives(inner: str) -> list[str]:
    """Return the alternatives of an expression, split at the bars outside of groups."""
    bars = [at for at, depth in _depths(inner) if depth == 0 and inner[at] == "|"]
    return [inner[start + 1 : end] for start, end in zip([-1, *bars], [*bars, len(inner)], strict=True)]


def _depths(pattern: str) -> list[tuple[int, int]]:
    """Return the places of signs that have a meaning, and how many groups are open behind each."""
    depths, depth, at, in_set = [], 0, 0, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            at += 2
            continue
        in_set = (in_set or sign == "[") and sign != "]"
        if not in_set:
            depth += (sign == "(") - (sign == ")")
            depths.append((at, depth))
        at += 1
    return depths
