"""Answer fields: brings an object into the form that a pydantic model's fields ask for. Pure.

Only the form changes: names in another spelling, lists as one text, words for the members of an enumeration,
line breaks that were escaped twice. Every change is noted; what still does not fit is left for validation.
"""

import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

_BULLET = re.compile(r"(?m)^[ \t]*(?:[-*+•–]|\d{1,2}[.)])(?:[ \t]+|$)")
_INLINE_BULLET = re.compile(r"\s*•\s*")
_LIST_SIGNS = " \t[]'\"`“”#"
_MAX_WORDS = 3
"""Words of an item of a list that is divided by commas; a sentence has more. Chosen, not measured."""
_BREAK = r"(?:\\r)?\\n"
_PARAGRAPH = re.compile(rf"(?:{_BREAK}[ \t]*){{2,}}")
_BEFORE_BULLET = rf"(?={_BREAK}[ \t]*(?:[-*•]|\d{{1,2}}[.)])[ \t])"
_LINE = re.compile(rf"(?:(?<=[.!?;…\"'”’»)\]])|{_BEFORE_BULLET}){_BREAK}[ \t]*")
"""A line break after the end of a sentence or before a bullet; elsewhere it may be a path (`C:\\new`)."""
_STEM_CHARS = 6
"""Letters by which a word is taken for a member, so that `positiv` is POSITIVE. Chosen, not measured."""
_NEGATION = re.compile(r"\b(?:no|not|non|none|neither|nicht|kein\w*|sin|ni)\b", re.IGNORECASE)
_SYNONYMS = {"BULLISH": "POSITIVE", "BEARISH": "NEGATIVE", "MIXED": "NEUTRAL"}
"""Words that models write for a market's sentiment."""


@lru_cache(maxsize=1024)
def plain_name(name: str) -> str:
    """Return a field's name without case and signs: `From Author` and `fromAuthor` are the same."""
    return re.sub(r"[\W_]+", "", name).lower()


@lru_cache(maxsize=32)
def _names(model: type[BaseModel]) -> dict[str, str]:
    """Return a model's names by their plain form."""
    return {plain_name(name): name for name in model.model_fields}


def count_fields(model: type[BaseModel], value: Mapping[str, object]) -> int:
    """Return how many of a model's fields an object has, in any spelling."""
    return len(
        _names(model).keys() & {plain_name(key) for key, inner in value.items() if not _is_schema(inner)}
    )


def _is_schema(value: object) -> bool:
    """Tell whether a value describes a field instead of filling it."""
    return isinstance(value, dict) and ("type" in value or "$ref" in value)


def fit_fields(
    model: type[BaseModel],
    value: Mapping[str, object],
    notes: list[str],
    defaults: Mapping[str, object] = types.MappingProxyType({}),
) -> dict[str, object]:
    """Return an object with the fields of `model` only, each in its form as far as its words allow.

    `defaults` replace fields that are missing, and words that belong to no member of an enumeration.
    """
    by_name = _named(model, value, notes)
    for name, default in defaults.items():
        if by_name.get(name) is None:
            notes.append(f"`{name}` was missing")
            by_name[name] = default
    fields = model.model_fields
    return {
        name: _fitted(fields[name].annotation, inner, _Place(name, notes, defaults.get(name)))
        for name, inner in by_name.items()
    }


class _Place(typing.NamedTuple):
    """Where a value stands."""

    name: str
    notes: list[str]
    default: object = None

    def note(self, text: str) -> None:
        note = f"`{self.name}`: {text}"
        if note not in self.notes:
            self.notes.append(note)


def _named(model: type[BaseModel], value: Mapping[str, object], notes: list[str]) -> dict[str, object]:
    """Return an object's values by the model's own names, without other keys."""
    names = _names(model)
    by_name: dict[str, object] = {key: inner for key, inner in value.items() if key in model.model_fields}
    unknown = []
    for key, inner in value.items():
        name = names.get(plain_name(key))
        if name is None:
            unknown.append(key[:40])
        elif name not in by_name:
            by_name[name] = inner
            notes.append(f"`{key[:40]}` read as `{name}`")
    if unknown:
        notes.append(f"unknown keys ignored: {', '.join(unknown[:5])}")
    return by_name


def _fitted(annotation: Any, value: object, place: _Place) -> object:  # noqa: ANN401 - a type
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        if value is None:
            return None
        annotation = next(arg for arg in typing.get_args(annotation) if arg is not types.NoneType)
    if typing.get_origin(annotation) is list:
        [item] = typing.get_args(annotation)
        return [_fitted(item, inner, place._replace(default=None)) for inner in _as_list(item, value, place)]
    if not isinstance(annotation, type):
        return value
    if issubclass(annotation, BaseModel):
        return fit_fields(annotation, value, place.notes) if isinstance(value, dict) else value
    if issubclass(annotation, StrEnum):
        return _member(annotation, value, place)
    return _as_text(value, place) if annotation is str else value


def _as_list(item: Any, value: object, place: _Place) -> Iterable[object]:  # noqa: ANN401 - a type
    """Return the items of a value that should be a list."""
    if isinstance(value, list):
        return value if item is not str else [part for inner in value for part in _parts(inner, place)]
    if isinstance(value, str) and item is str:
        place.note("a text read as a list")
        return _split(value)
    if isinstance(value, dict) and isinstance(item, type) and issubclass(item, BaseModel):
        place.note("an object read as a list")
        return _objects(item, value)
    return [] if value is None else [value]


def _objects(item: type[BaseModel], value: dict[str, object]) -> list[object]:
    """Return the items of an object that stands for a list: itself, or one item per key."""
    fields = list(item.model_fields)
    if count_fields(item, value):
        return [value]
    if all(isinstance(inner, dict) for inner in value.values()):
        return list(value.values())
    return (
        [{fields[0]: key, fields[-1]: inner} for key, inner in value.items()] if len(fields) == 2 else [value]
    )


def _parts(inner: object, place: _Place) -> list[object]:
    """Return the items in one item of a list of texts: an object's only text, or several bullets."""
    if isinstance(inner, dict) and len(inner) == 1:
        place.note("objects read as texts")
        [inner] = inner.values()
    if isinstance(inner, str) and len(_BULLET.findall(inner)) > 1:
        place.note("bullets in one text read as a list")
        return list(_split(inner))
    return [inner]


def _split(text: str) -> list[str]:
    """Return the items of a text: a JSON list, bullets, lines, or short words divided by commas."""
    text = _with_breaks(text)
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            return listed
    if text.count("•") > 1 and "\n" not in text.strip():
        parts = _INLINE_BULLET.split(text)
    elif _BULLET.search(text):
        parts = _BULLET.split(text)
        if parts[0].rstrip().endswith(":"):  # it only announces the list
            del parts[0]
    elif "\n" in text.strip():
        parts = text.splitlines()
    else:
        parts = [part.strip(_LIST_SIGNS) for part in re.split(r"[,;|]", text)]
        if any(len(part.split()) > _MAX_WORDS for part in parts):
            parts = [text]
    return [part.strip() for part in parts if part.strip()]


def _member(enumeration: type[StrEnum], value: object, place: _Place) -> object:
    """Return the member that a value names; else the default, or the value itself."""
    if isinstance(value, list) and len(value) == 1:
        [value] = value
    text = str(value).strip().upper()
    if text in {member.value for member in enumeration}:
        return text
    words = [_SYNONYMS.get(word, word) for word in re.findall(r"\w+", text)]
    named = {member for member in enumeration for word in words if word.startswith(member[:_STEM_CHARS])}
    if len(named) == 1 and not _NEGATION.search(text):
        [member] = named
        place.note(f"{str(value)[:40]!r} read as {member}")
        return member
    if place.default is None:
        return value
    place.note(f"{str(value)[:40]!r} is none of its words")
    return place.default


def _as_text(value: object, place: _Place) -> object:
    """Return a value that should be a text: paragraphs joined, breaks that were escaped twice as breaks."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        place.note("a list read as paragraphs")
        value = "\n\n".join(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    text = _with_breaks(value)
    if text != value:
        place.note("breaks that were escaped twice")
    return text


def _with_breaks(text: str) -> str:
    """Return a text with its escaped line breaks as line breaks, where it has no real one."""
    if "\\n" not in text or "\n" in text.strip():
        return text
    return _LINE.sub("\n", _PARAGRAPH.sub("\n\n", text)).replace('\\"', '"')
