"""Validators of environment variables: each returns the value, or raises ValueError.

The message of the ValueError is the end of a sentence that begins with the variable and its value.
"""

import contextlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import Binding, parse_stream
from pydantic import SecretStr

from pipeline.config.time_syntax import timezone_of
from pipeline.config.yaml_source import ConfigProblem, config_error
from pipeline.domain.errors import ConfigError
from pipeline.domain.urls import normalize_feed_url

_AMOUNT = re.compile(r"\d{1,6}(?:\.\d{1,9})?")
_HOST = re.compile(r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[1-9]\d{0,4})?")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_MIN_SECRET_CHARS = 16
"""Chosen, not measured."""
_HOST_PORT = re.compile(r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\]):[1-9]\d{0,4}")


class ListenAddress(NamedTuple):
    """Where a server of ours listens."""

    host: str
    """An IP address."""
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback


def listen_address(text: object) -> object:
    """Return the address in `PORT`, which is on loopback, or `ADDRESS:PORT`."""
    if not isinstance(text, str):
        return text
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    try:
        ip_address(host)
    except ValueError:
        port = ""
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65_535):
        raise ValueError("is no port; write one such as 9484, or an IP address and a port: 0.0.0.0:9484")
    return ListenAddress(host, int(port))


def known_zone(name: str) -> str:
    """Return the IANA name of a time zone."""
    try:
        timezone_of(name)
    except ValueError:
        raise ValueError("is no time zone; write one such as UTC or Europe/Paris") from None
    return name


def http_url(url: str) -> str:
    """Return an http(s) URL."""
    if normalize_feed_url(url) is None:
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
    if isinstance(text, tuple) and all(isinstance(part, Decimal) for part in text):
        return text
    parts = [part.strip().removeprefix("$") for part in str(text).split("/")]
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


NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
"""Variables that keep a process and its libraries from reporting their use.

Source: https://consoledonottrack.com and Prefect's settings of these names.
"""
_PYTHON_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SERVER_VARIABLES = (
    "GIT_SSH_COMMAND",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)
_GIT_VARIABLES = {
    "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME", *_SERVER_VARIABLES, *_PROXY_VARIABLES,
}  # fmt: skip
_NO_PROMPTS = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}


def minimal_environment() -> dict[str, str]:
    """Return the variables that a Python worker process needs: no key and no password among them.

    The worker reads hostile text. Its libraries send no telemetry.
    """
    variables = {
        name: value for name, value in os.environ.items() if name in _PYTHON_VARIABLES or name in NO_TELEMETRY
    }
    return NO_TELEMETRY | variables


def git_environment() -> dict[str, str]:
    """Return the variables that git starts with: proxies and SSH agent, but no key of Copydesk.

    git never prompts for a password. GIT_DIR and the like are left out: where a git hook starts Copydesk,
    they name the hook's repository instead of the target.
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        if name in _GIT_VARIABLES or name.lower() in _PROXY_VARIABLES
    }
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", **variables, **_NO_PROMPTS, "LC_ALL": "C"}


def disable_telemetry() -> None:
    """Set the variables of NO_TELEMETRY for this process and its children; a value that is set stays.

    Call it before Prefect is imported: Prefect reads these variables at its first import.
    """
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables that `path` sets; none where the file is missing.

    Values are taken as written: `$OTHER` is not replaced. Raises ConfigError naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{path} cannot be read ({reason}); fix it or remove it", file=str(path)) from error
    bindings = list(parse_stream(io.StringIO(text)))
    problems = [
        ConfigProblem(_line(binding), "not NAME=value; write it so, or put # in front")
        for binding in bindings
        if _is_malformed(binding)
    ]
    if problems:
        raise config_error(path.name, problems)
    return {b.key: b.value for b in bindings if b.key is not None and b.value is not None}


def _is_malformed(binding: Binding) -> bool:
    # A name without `=` is a mistake as well: python-dotenv would skip it without a word.
    return binding.error or (binding.key is not None and binding.value is None)


def _line(binding: Binding) -> int:
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def set_defaults(values: Mapping[str, str]) -> None:
    """Set variables that are not set, for this process and those that it starts."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def variable_set(name: str, value: str) -> Iterator[None]:
    """Set a variable for this process and those that it starts; at the end it is as before."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
