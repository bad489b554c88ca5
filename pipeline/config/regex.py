"""The operator's regular expressions, in RE2's syntax: searching takes time in proportion to the text.

https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache

import re2

LARGEST = 2**20
"""Bytes that one compiled pattern may take, its automaton included."""

_REFUSED = (
    (
        ("(?=", "(?!", "(?<"),
        "looks ahead or behind, which RE2 cannot; split it between include_match and exclude_match",
    ),
    (
        ("(?>", "++", "*+", "?+"),
        "is possessive or atomic, which RE2 neither knows nor needs; leave it greedy",
    ),
    (("(?P", "(?#", "(?("), "has a group of another language; write (…) or (?:…)"),
)


class Pattern:
    """One regular expression that ignores case."""

    def __init__(self, text: str) -> None:
        """Compile `text`. Raises ValueError: what is wrong and what to write, without the pattern itself."""
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False  # they would go to stderr, past every logger
        options.max_mem = LARGEST
        try:
            self._compiled = re2.compile(text.encode("utf-8", "replace"), options)
        except re2.error as error:
            raise ValueError(_advice(text, error)) from None

    def matches(self, text: bytes) -> bool:
        """Tell whether UTF-8 text has a place that matches."""
        return self._compiled.search(text) is not None


@lru_cache(maxsize=1024)
def compile_regex(text: str) -> Pattern:
    """Return the pattern, compiled once. Raises ValueError as Pattern does."""
    return Pattern(text)


def _advice(text: str, error: Exception) -> str:
    detail = error.args[0] if error.args else b""
    said = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    what, _, where = said.partition(": ")
    if what == "invalid escape sequence" and where[1:].isdigit():
        return f"refers back to a group ({where}), which RE2 cannot; write the text itself"
    if what == "invalid escape sequence" and where == r"\Z":
        return r"ends with \Z; write \z"
    if "too large" in what:
        return f"needs more than {LARGEST // 2**20} MB; write it shorter or with smaller repetitions"
    for marks, advice in _REFUSED:
        if what in {"invalid perl operator", "bad repetition operator"} and where.startswith(marks):
            return advice
    return f"is no regular expression: {_shown(said)}; correct it, or write a backslash before ( [ * + ? ."


def _shown(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= 60 else line[:57] + "..."
