"""Checks the Prefect server that PREFECT_API_URL names before a run uses it."""

import json
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.domain.errors import ConfigError
from pipeline.domain.text import redact_url

_VARIABLE = "PREFECT_API_URL"
_FIX = (
    f"start that server, correct {_VARIABLE} (such as http://127.0.0.1:4200/api), or unset it: Copydesk then "
    "starts its own server"
)
_PASSING_STATUSES = frozenset((401, 403, 404, 408, 409, 425, 429))
"""What a proxy or a server answers while it starts, while its token changes, or where others use it, too."""


def require_api_url() -> None:
    """Raise ConfigError if PREFECT_API_URL is not an http(s) URL.

    Does not import Prefect: with some invalid URLs that import fails.
    """
    url = os.environ.get(_VARIABLE, "").strip()
    if not url:
        return
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        # A URL without a scheme may start with a password.
        shown = "(its value is not shown)" if "@" in url else repr(url[:80])
        raise _url_error(f"{_VARIABLE} {shown} is not an http(s) URL; {_FIX}")


async def require_api() -> None:
    """Raise ConfigError if Prefect's settings name a server that does not answer as a Prefect server."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    shown = f"{_VARIABLE} {redact_url(url)}"
    try:
        async with get_client() as client:
            await client.raise_for_api_version_mismatch_once()
            error = await client.api_healthcheck()  # for Prefect Cloud no version is compared
    except httpx.HTTPStatusError as refused:
        status = refused.response.status_code
        login = f"requires a login (HTTP {status}): set PREFECT_API_KEY or PREFECT_API_AUTH_STRING"
        other = f"answers with HTTP {status}, so it is not a Prefect server; {_FIX}"
        raise _url_error(f"{shown} {login if status in (401, 403) else other}") from refused
    except Exception as failed:
        reason = str(failed).rstrip(".") if "version" in str(failed) else "no Prefect server answers there"
        raise _url_error(f"{shown}: {reason}; {_FIX}") from failed
    if isinstance(error, httpx.TransportError):
        raise _url_error(f"{shown}: no Prefect server answers there; {_FIX}") from error


def _url_error(message: str) -> ConfigError:
    return ConfigError(message, variable=_VARIABLE)


def is_lost(error: Exception) -> bool:
    """Return whether an error says that Prefect's server cannot be reached now. Pure."""
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500
    return isinstance(error, httpx.TransportError)


def may_pass(error: BaseException) -> bool:
    """Return whether the same request may succeed later: the server is lost, or starts, for example. Pure.

    Prefect raises errors of its own from those of HTTP, so the causes of an error count, too.
    """
    return any(
        isinstance(each, json.JSONDecodeError)  # the page of a proxy
        or refusal_status(each) in _PASSING_STATUSES
        or (isinstance(each, Exception) and is_lost(each))
        for each in _with_causes(error)
    )


def refusal_status(error: BaseException) -> int | None:
    """Return the HTTP status with which Prefect's server, or a proxy, refused a request. Pure."""
    import httpx

    refusals = (each for each in _with_causes(error) if isinstance(each, httpx.HTTPStatusError))
    return next((each.response.status_code for each in refusals), None)


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__


def has_server() -> bool:
    """Return whether the environment, `.env` or Prefect's profile names a server."""
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)  # an empty value counts as not set


def refresh_settings() -> None:
    """Make Prefect read PREFECT_API_URL again: the environment changed after its import."""
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
