"""Validators of environment variables: each returns the value, or raises ValueError.

The message of the ValueError is the end of a sentence that begins with the variable and its value.
"""

import json
import re
from decimal import Decimal
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.config.time_syntax import timezone_of

_AMOUNT = re.compile(r"\d{1,6}(?:\.\d{1,9})?")
_HOST = re.compile(r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[1-9]\d{0,4})?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_MIN_SECRET_CHARS = 16
"""Chosen, not measured."""
_HOST_PORT = re.compile(r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):[1-9]\d{0,4}")


def known_zone(name: str) -> str:
    """Return the IANA name of a time zone."""
    try:
        timezone_of(name)
    except ValueError:
        raise ValueError("is no time zone; write one such as UTC or Europe/Paris") from None
    return name


def http_url(url: str) -> str:
    """Return an http(s) URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http(s) URL; write one such as http://127.0.0.1:11434/v1")
    return url


def header(text: str) -> str:
    """Return text that an HTTP header can carry: printable ASCII."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("has characters that no HTTP header can carry; write plain ASCII on one line")
    return text


def path_list(text: object) -> object:
    """Return the set of `host:port` in a comma-separated text, in lower case."""
    if not isinstance(text, str):
        return text
    places = [place.strip().lower() for place in text.split(",") if place.strip()]
    for place in places:
        if not _HOST_PORT.fullmatch(place) or int(place.rpartition(":")[2]) > 65_535:
            raise ValueError("is no list of host:port; write 127.0.0.1:8080, or several with commas between")
    return frozenset(places)


def json_object(text: object) -> object:
    """Return the JSON object in a text."""
    if not isinstance(text, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError('is no JSON object; write one such as {"top_p": 0.9}')
    return value


def rates(text: object) -> object:
    """Return the prices (prompt, cached, completion) in a text, in US dollars per million tokens.

    The text is `prompt/completion` or `prompt/cached/completion`.
    """
    if not isinstance(text, str):
        return text
    parts = [part.strip().removeprefix("$") for part in text.split("/")]
    if len(parts) not in {2, 3} or not all(_AMOUNT.fullmatch(part) for part in parts):
        raise ValueError("is no price; write 0.4/1.6 (US dollars for a million tokens, prompt/completion)")
    return tuple(Decimal(part) for part in (parts[0], parts[-2] if len(parts) == 3 else parts[0], parts[-1]))


def secret(key: SecretStr) -> SecretStr:
    """Return a key that an HTTP header can carry."""
    header(key.get_secret_value())
    return key


def secret_url(url: SecretStr) -> SecretStr:
    """Return an http(s) URL that is a secret."""
    http_url(url.get_secret_value())
    return url


def long_enough(token: SecretStr) -> SecretStr:
    """Return a secret that is long enough."""
    if len(token.get_secret_value()) < _MIN_SECRET_CHARS:
        raise ValueError(f"is too short to be a secret; write {_MIN_SECRET_CHARS} characters or more")
    return secret(token)


def names(text: object) -> object:
    """Return the set of host names in a comma-separated text, in lower case."""
    if not isinstance(text, str):
        return text
    names = frozenset(name.strip().lower() for name in text.split(",") if name.strip())
    if any(not _HOST.fullmatch(name) for name in names):
        raise ValueError("is no list of host names; write desk.example.org, or several with commas between")
    return names


def header_name(name: str) -> str:
    """Return the name of an HTTP header."""
    if not _HEADER.fullmatch(name):
        raise ValueError("is no name of a header; write one such as X-Forwarded-User")
    return name
