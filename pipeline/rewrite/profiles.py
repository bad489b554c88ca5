"""What the known kinds of server want of a request, as one table. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit


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

NAMES = tuple(profile.name for profile in PROFILES)


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
