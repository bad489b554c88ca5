"""Kind `front-matter`: keys that are missing or of a type that a static site generator cannot use."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline.domain.models import Beat, Sentiment
from pipeline.domain.reviews import Finding, Severity

KIND = "front-matter"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-2]\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
"""Source: RFC 3339, section 5.6, with a capital T and Z."""
_REQUIRED = ("title", "publishedAt", "lang", "category", "tags")
_SENTIMENTS = ", ".join(Sentiment)
_MAX_SHOWN_CHARS = 40
"""Of a value in a message. Chosen, not measured."""


def check_front_matter(metadata: Mapping[str, Any], beat: Beat, published: datetime) -> list[Finding]:
    """Return a blocking finding for each key that is missing or invalid.

    A term outside the beat's vocabulary, which may have changed since, only warns. `published` is the
    source's time, which messages show as an example.
    """
    example_time = f"{published:%Y-%m-%dT%H:%M:%SZ}"
    missing = [_missing(key, example_time) for key in _REQUIRED if key not in metadata]
    wrong = [
        message
        for key, validate in _VALIDATORS.items()
        if key in metadata and (message := validate(key, metadata[key])) is not None
    ]
    times = [
        f"{key} {_shown(metadata[key])} is no time; write {example_time}"
        for key in ("publishedAt", "updatedAt")
        if key in metadata and not _is_time(metadata[key])
    ]
    blocking = [
        Finding(kind=KIND, severity=Severity.BLOCK, message=f"{message}.", field="front matter", firm=True)
        for message in (*missing, *wrong, *times)
    ]
    return [*blocking, *_outside_vocabulary(metadata, beat)]


def _missing(key: str, example_time: str) -> str:
    example = {"title": "write one", "publishedAt": f"write {example_time}", "lang": "write one such as en"}
    return f"{key} is missing; {example.get(key, 'write it')}"


def _is_time(value: object) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _text(key: str, value: object) -> str | None:
    if isinstance(value, str):
        return None if value.strip() else f"{key} is empty; write one"
    if value is None:
        return f"{key} is empty; write one"
    many = isinstance(value, list | dict)
    return f"{key} {_shown(value)} is no text; write {'one alone' if many else 'it in quotes'}"


def _optional_text(key: str, value: object) -> str | None:
    return None if isinstance(value, str) else _text(key, value)


def _language(key: str, value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*", value):
        return None
    problem = "is empty" if value in (None, "") else f"{_shown(value)} is no language"
    return f"{key} {problem}; write a code such as en"


def _texts(key: str, value: object) -> str | None:
    if isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value):
        return None
    return f"{key} {_shown(value)} is no list of words; write each on a line of its own behind `- `"


def _number(key: str, value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    return f"{key} {_shown(value)} is no whole number; write 0 for none"


def _boolean(key: str, value: object) -> str | None:
    return None if isinstance(value, bool) else f"{key} {_shown(value)} is neither true nor false; write true"


def _sentiment(key: str, value: object) -> str | None:
    if isinstance(value, str) and value in set(Sentiment):
        return None
    return f"{key} {_shown(value)} is none of {_SENTIMENTS}; write one of them"


def _mapping(key: str, value: object) -> str | None:
    if isinstance(value, dict):
        return None
    return f"{key} {_shown(value)} is no mapping; write its keys below it, or take it out"


_VALIDATORS: dict[str, Callable[[str, object], str | None]] = {
    "title": _text,
    "description": _optional_text,
    "lang": _language,
    "category": _text,
    "tags": _texts,
    "stickyWeight": _number,
    "sentiment": _sentiment,
    "score": _number,
    "coverImage": _mapping,
    "draft": _boolean,
}


def _outside_vocabulary(metadata: Mapping[str, Any], beat: Beat) -> Iterator[Finding]:
    """Yield a warning for each key with terms that the beat's vocabulary does not have."""
    for key in ("category", "tags") if beat.vocabulary else ():
        value = metadata.get(key)
        terms = value if isinstance(value, list) else [value]
        unlisted = [term for term in terms if isinstance(term, str) and term not in beat.vocabulary]
        if unlisted:
            vocabulary = ", ".join(beat.vocabulary)
            message = f"{key} {', '.join(map(_shown, unlisted))} is not in the vocabulary: {vocabulary}."
            yield Finding(kind=KIND, severity=Severity.WARN, message=message, field="front matter")


def _shown(value: object) -> str:
    """Return a value as a message shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        text = f"[{', '.join(map(str, value))}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(map(str, value))}}}"
    else:
        return '""' if value is None else _quoted(str(value))
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[: _MAX_SHOWN_CHARS - 1]}…"


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f'"{line if len(line) <= _MAX_SHOWN_CHARS else line[: _MAX_SHOWN_CHARS - 1] + "…"}"'
