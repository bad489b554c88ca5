"""Mistakes in what an operator wrote, and the words that tell how to mend them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic_core import ErrorDetails

from pipeline.errors import ConfigError


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: the line it stands in (from 1; 0 where none is known), and what to write instead."""

    line: int
    text: str


def failure(file: str, problems: Sequence[Problem], **context: object) -> ConfigError:
    """Return the error for a file's mistakes: the first one in the message, all in `context["problems"]`."""
    ordered = sorted(set(problems))
    lines = [f"{file}:{problem.line}: {problem.text}" for problem in ordered]
    more = f" (and {len(lines) - 1} more in this file)" if len(lines) > 1 else ""
    return ConfigError(lines[0] + more, file=file, line=ordered[0].line, problems=tuple(lines), **context)


def shown(value: object) -> str:
    """Return `value` as it may stand in a one-line message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?`, or the list of what is known where nothing is near."""
    known = sorted(known)
    return near(word, known) or (f"known are: {', '.join(known)}" if known else "none is known")


def near(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?`, or nothing where nothing is near."""
    known = sorted(known)
    found = get_close_matches(word, known, n=1) or get_close_matches(word.upper(), known, n=1)
    return f"did you mean {found[0]}?" if found else ""


ADVICE = {
    "string_type": "is not text; put it in quotes",
    "string_pattern_mismatch": "has other characters than a-z, 0-9, - and _; write it like my-feed",
    "int_type": "is not a whole number; write one without quotes, such as 20",
    "int_parsing": "is not a whole number; write one such as 8",
    "int_from_float": "is not a whole number; write one such as 8",
    "float_type": "is not a number; write one without quotes, such as 7",
    "float_parsing": "is not a number; write one such as 120",
    "decimal_parsing": "is not a number; write one such as 2.50",
    "decimal_type": "is not a number; write one such as 2.50",
    "finite_number": "is not a finite number; write one such as 120",
    "bool_type": "is neither true nor false; write one of the two without quotes",
    "bool_parsing": "is neither yes nor no; write one of the two",
    "tuple_type": "is not a list; write it as [one, two]",
    "dict_type": "is not a mapping; write `name: value` lines under it, indented",
    "model_type": "is not a mapping; write `name: value` lines under it, indented",
}


def advice(error: ErrorDetails) -> str:
    """Return what is wrong with a value, by pydantic's account, and what to write instead."""
    kind, limits = error["type"], error.get("ctx", {})
    if "ge" in limits or "gt" in limits:
        return (
            f"is too small; write {limits['ge']} or more" if "ge" in limits else "is not above zero; write 1"
        )
    if "le" in limits:
        return f"is too large; write {limits['le']} or less"
    if kind == "literal_error":
        return _choices(error)
    if kind == "value_error":
        return str(limits["error"])
    return ADVICE.get(kind, f"is wrong: {error['msg']}")


def _choices(error: ErrorDetails) -> str:
    expected = str(error["ctx"]["expected"])
    near = get_close_matches(str(error["input"]).lower(), re.findall(r"'([^']*)'", expected), n=1)
    hint = f"did you mean {near[0]}?" if near else "write one of them"
    return f"is not one of {expected.replace(chr(39), '')}; {hint}"
