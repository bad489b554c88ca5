"""The operator's regular expressions, matched by RE2 in time linear in the text (no ReDoS).

Source of the syntax: https://github.com/google/re2/wiki/Syntax
"""

from functools import lru_cache

import re2

MAX_PATTERN_BYTES = 2**20
"""Bytes that one compiled pattern may take, its automaton included. Chosen, not measured."""

_UNSUPPORTED = (
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
    """One case-insensitive regular expression."""

    def __init__(self, text: str) -> None:
        """Compile `text`. Raises ValueError that says what to write, without the pattern."""
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False  # RE2 writes them to stderr, past every logger
        options.max_mem = MAX_PATTERN_BYTES
        try:
            self._compiled = re2.compile(text.encode("utf-8", "replace"), options)
        except re2.error as error:
            raise ValueError(_advice(text, error)) from None

    def matches(self, text: bytes) -> bool:
        """Tell whether the pattern matches anywhere in UTF-8 text."""
        return self._compiled.search(text) is not None


@lru_cache(maxsize=1024)
def compile_regex(text: str) -> Pattern:
    """Return the compiled pattern, cached. Raises ValueError as Pattern does."""
    return Pattern(text)


def _advice(text: str, error: Exception) -> str:
    raw = error.args[0] if error.args else b""
    message = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    what, _, where = message.partition(": ")
    if what == "invalid escape sequence" and where[1:].isdigit():
        return f"refers back to a group ({where}), which RE2 cannot; write the text itself"
    if what == "invalid escape sequence" and where == r"\Z":
        return r"ends with \Z; write \z"
    if "too large" in what:
        return (
            f"needs more than {MAX_PATTERN_BYTES // 2**20} MB; write it shorter or with smaller repetitions"
        )
    for marks, advice in _UNSUPPORTED:
        if what in {"invalid perl operator", "bad repetition operator"} and where.startswith(marks):
            return advice
    detail = _shortened(message)
    return f"is no regular expression: {detail}; correct it, or write a backslash before ( [ * + ? ."


def _shortened(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= 60 else line[:57] + "..."
