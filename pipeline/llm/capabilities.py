"""What the known kinds of server want of a request, as one table. Pure.

The ladder: in which manner a server and model can be asked, learned from what they refuse. Pure.

Strict JSON by schema first, then JSON with the schema in words, then words alone. What was learned is kept,
and tried again from the top after a day: servers are upgraded.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AwareDatetime

from pipeline.domain.models import FrozenModel


class Profile(NamedTuple):
    """How a kind of server is spoken to."""

    name: str
    hosts: tuple[str, ...]
    """Ends of host names, or `:port`, by which it is known."""
    length_field: str
    """The field that limits the answer, in tokens."""
    extra: Mapping[str, Any]
    """Fields that every request carries besides."""


PROFILES = (
    # OpenAI took max_tokens out for its reasoning models; the newer name works for all.
    Profile("openai", ("api.openai.com",), "max_completion_tokens", {}),
    # Without this a provider behind it may drop the schema silently.
    Profile("openrouter", ("openrouter.ai",), "max_tokens", {"provider": {"require_parameters": True}}),
    Profile("ollama", (":11434",), "max_tokens", {}),
    # llama.cpp, vLLM and whatever else speaks the protocol.
    Profile("local", (), "max_tokens", {}),
)
"""The last one is for every server that no other fits."""


def profile_of(base_url: str, named: str | None = None) -> Profile:
    """Return the profile that somebody named, or else the one that the URL speaks for."""
    host = (urlsplit(base_url).hostname or "").lower()
    place = f"{host}:{urlsplit(base_url).port or ''}"
    for profile in PROFILES:
        known = any(_ends(place if end.startswith(":") else host, end) for end in profile.hosts)
        if profile.name == named or (named is None and known):
            return profile
    return PROFILES[-1]


def _ends(place: str, end: str) -> bool:
    return place == end or place.endswith(end if end.startswith(":") else f".{end}")


KEPT = timedelta(days=1)
REFUSED = frozenset({400, 404, 422})
"""Statuses that may be about the manner rather than the item."""
OPTIONAL = ("temperature", "seed")
"""Fields that a request can do without."""
_LENGTHS = ("max_tokens", "max_completion_tokens")
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|size|window)|maximum context|too many tokens|prompt is too long|exceed_context"
    r"|longer than the model|input is too long",
    re.IGNORECASE,
)
_FORMAT = re.compile(
    r"response[ _]format|json_schema|json_object|structured output|grammar|schema", re.IGNORECASE
)
_SUPPORT = re.compile(r"parameter|support|endpoints? found", re.IGNORECASE)
_TOO_LARGE = re.compile(r"too large|too high|at most|exceeds|less than or equal", re.IGNORECASE)


class OutputMode(StrEnum):
    """How an answer's shape is asked for."""

    JSON_SCHEMA = "strict"
    """`response_format` with the schema: the server keeps the model to it."""
    JSON_OBJECT = "json"
    """`response_format` json_object, the schema in the prompt."""
    PROMPT = "plain"
    """The schema in the prompt, and nothing else."""


_RUNGS = tuple(OutputMode)


class RequestMode(FrozenModel):
    """How a model on a server is asked."""

    rung: OutputMode = OutputMode.JSON_SCHEMA
    length_field: str | None = "max_tokens"
    """None: the server takes no limit at all."""
    dropped: frozenset[str] = frozenset()
    """Optional fields that it refuses."""


class KnownCapability(FrozenModel):
    """A manner in which a server answered, and since when that is known."""

    manner: RequestMode
    at: AwareDatetime


def cached_mode(learned: KnownCapability | None, now: datetime, fresh: RequestMode) -> RequestMode:
    """Return what was learned, or `fresh` where that is a day old or nothing was."""
    return learned.manner if learned and now - learned.at < KEPT else fresh


def fallback(manner: RequestMode) -> RequestMode | None:
    """Return the manner one rung down; None at the bottom."""
    place = _RUNGS.index(manner.rung) + 1
    return manner.model_copy(update={"rung": _RUNGS[place]}) if place < len(_RUNGS) else None


def mode_after_rejection(manner: RequestMode, status: int, said: str) -> RequestMode | None:
    """Return how to ask after a request was refused in this manner; None where that would change nothing.

    A field that the refusal names is left out or called by its other name; else the shape is asked for one
    rung down. A prompt that is too long stays too long.
    """
    if status >= 500:
        return fallback(manner) if _FORMAT.search(said) else None
    if status == 404 and not (_FORMAT.search(said) or _SUPPORT.search(said)):
        return None
    if status not in REFUSED or (is_context_overflow(said) and not _names(manner.length_field, said)):
        return None
    return _without_length(manner, said) or _without_optional(manner, said) or fallback(manner)


def is_context_overflow(said: str) -> bool:
    """Tell whether a refusal means that the request does not fit into the model's context."""
    return _TOO_LONG.search(said) is not None


def _without_length(manner: RequestMode, said: str) -> RequestMode | None:
    """Return the manner with the length field's other name, where that is asked for, or without any limit."""
    if not _names(manner.length_field, said):
        return None
    [other] = {*_LENGTHS} - {manner.length_field}
    swap = _names(other, said) and not _TOO_LARGE.search(said) and not is_context_overflow(said)
    return manner.model_copy(update={"length_field": other if swap else None})


def _without_optional(manner: RequestMode, said: str) -> RequestMode | None:
    named = {name for name in OPTIONAL if _names(name, said)} - manner.dropped
    return manner.model_copy(update={"dropped": manner.dropped | named}) if named else None


def _names(field: str | None, said: str) -> bool:
    return field is not None and re.search(rf"\b{field}\b", said) is not None
