"""Capabilities: how a server and model are asked for structured output, learned from rejections. Pure.

First strict JSON by JSON schema, then a JSON object with the schema in the prompt, then the prompt only.
What a server accepts is cached for a day, then tried again from the first mode: servers are upgraded.
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
    """What a kind of server needs in a request."""

    name: str
    hosts: tuple[str, ...]
    """Suffixes of host names, or `:port`, that identify it."""
    length_field: str
    """The field that limits the answer, in tokens."""
    extra: Mapping[str, Any]
    """Fields that are added to every request."""


PROFILES = (
    # OpenAI deprecated max_tokens; reasoning models reject it, and every model takes the newer name.
    # Source: https://platform.openai.com/docs/api-reference/chat/create
    Profile("openai", ("api.openai.com",), "max_completion_tokens", {}),
    # Without this field a provider behind OpenRouter may ignore the schema.
    # Source: https://openrouter.ai/docs/features/provider-routing
    Profile("openrouter", ("openrouter.ai",), "max_tokens", {"provider": {"require_parameters": True}}),
    Profile("ollama", (":11434",), "max_tokens", {}),
    # llama.cpp, vLLM and every other compatible server.
    Profile("local", (), "max_tokens", {}),
)
"""The last one is used when no other matches."""


def profile_of(base_url: str, name: str | None = None) -> Profile:
    """Return the profile called `name`; without a name, the one that matches the URL."""
    host = (urlsplit(base_url).hostname or "").lower()
    netloc = f"{host}:{urlsplit(base_url).port or ''}"
    for profile in PROFILES:
        matches = any(_host_matches(netloc if end.startswith(":") else host, end) for end in profile.hosts)
        if profile.name == name or (name is None and matches):
            return profile
    return PROFILES[-1]


def _host_matches(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith(suffix if suffix.startswith(":") else f".{suffix}")


CAPABILITY_TTL = timedelta(days=1)
"""How long a capability is used before the first mode is tried again. Chosen, not measured."""
OPTIONAL_FIELDS = ("temperature", "seed")
"""Fields that can be left out of a request."""
LENGTH_FIELDS = ("max_tokens", "max_completion_tokens")
"""Fields that limit the answer; a request has one of them."""


class OutputMode(StrEnum):
    """How structured output is requested, best mode first.

    Source: https://platform.openai.com/docs/guides/structured-outputs
    """

    JSON_SCHEMA = "strict"
    """`response_format` json_schema: the server enforces the schema."""
    JSON_OBJECT = "json"
    """`response_format` json_object, with the schema in the prompt."""
    PROMPT = "plain"
    """The schema in the prompt, without `response_format`."""


_FALLBACK_ORDER = tuple(OutputMode)


class RequestMode(FrozenModel):
    """How a model on a server is asked. Stored as JSON: the field names must stay."""

    rung: OutputMode = OutputMode.JSON_SCHEMA
    length_field: str | None = "max_tokens"
    """None: the server accepts no limit."""
    dropped: frozenset[str] = frozenset()
    """Optional and length fields that the server rejects."""
    most_tokens: int | None = None
    """The most tokens that the model may answer; None: the server has named no limit."""


class KnownCapability(FrozenModel):
    """A request mode that a server accepted, and when. Stored as JSON: the field names must stay."""

    manner: RequestMode
    at: AwareDatetime


def cached_mode(capability: KnownCapability | None, now: datetime, default: RequestMode) -> RequestMode:
    """Return the cached mode; `default` if there is none or it is older than CAPABILITY_TTL."""
    return capability.manner if capability and now - capability.at < CAPABILITY_TTL else default


def fallback(mode: RequestMode) -> RequestMode | None:
    """Return the mode with the next output mode; None after the last."""
    following = _FALLBACK_ORDER[_FALLBACK_ORDER.index(mode.rung) + 1 :]
    return mode.model_copy(update={"rung": following[0]}) if following else None


def mode_after_rejection(mode: RequestMode, message: str) -> RequestMode | None:
    """Return the mode for the next request after a rejection; None if no other mode can help.

    A field that the message names is left out or renamed. Otherwise the next output mode is used.
    """
    return _without_length(mode, message) or _without_optional(mode, message) or fallback(mode)


def _without_length(mode: RequestMode, message: str) -> RequestMode | None:
    """Return the mode with the other length field, or without one, if the message names the field."""
    if not _mentions(mode.length_field, message):
        return None
    dropped = mode.dropped | {str(mode.length_field)}
    [other] = {*LENGTH_FIELDS} - {mode.length_field}
    return mode.model_copy(update={"length_field": None if other in dropped else other, "dropped": dropped})


def _without_optional(mode: RequestMode, message: str) -> RequestMode | None:
    rejected = {name for name in OPTIONAL_FIELDS if _mentions(name, message)} - mode.dropped
    return mode.model_copy(update={"dropped": mode.dropped | rejected}) if rejected else None


def _mentions(field: str | None, message: str) -> bool:
    return field is not None and re.search(rf"\b{field}\b", message) is not None
