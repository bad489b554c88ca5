"""The Prefect server that this process speaks to; one that the operator names is examined first."""

import os
from urllib.parse import urlsplit

from pipeline.domain.errors import ConfigError
from pipeline.domain.text import redact_url

_VARIABLE = "PREFECT_API_URL"
_FIX = (
    f"start that server, correct {_VARIABLE} (such as http://127.0.0.1:4200/api), or unset it: then Copydesk "
    "starts one of its own"
)


def require_api_url() -> None:
    """Raise ConfigError where PREFECT_API_URL is no http(s) URL; Prefect need not be imported for that.

    With some of those it cannot be.
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
        # A URL without its scheme may begin with a password.
        shown = "(its value is not shown)" if "@" in url else repr(url[:80])
        raise _wrong(f"{_VARIABLE} {shown} is no http(s) URL; {_FIX}")


async def require_api() -> None:
    """Raise ConfigError where Prefect is told of a server that does not answer as one."""
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    named = f"{_VARIABLE} {redact_url(url)}"
    try:
        async with get_client() as client:
            await client.raise_for_api_version_mismatch_once()
            error = await client.api_healthcheck()  # Prefect's cloud is of every version
    except httpx.HTTPStatusError as refused:
        status = refused.response.status_code
        login = f"wants a login ({status}): set PREFECT_API_KEY or PREFECT_API_AUTH_STRING"
        other = f"answers {status}, which no Prefect server does; {_FIX}"
        raise _wrong(f"{named} {login if status in (401, 403) else other}") from refused
    except Exception as failed:
        said = str(failed).rstrip(".") if "version" in str(failed) else "no Prefect server answers there"
        raise _wrong(f"{named}: {said}; {_FIX}") from failed
    if isinstance(error, httpx.TransportError):
        raise _wrong(f"{named}: no Prefect server answers there; {_FIX}") from error


def _wrong(message: str) -> ConfigError:
    return ConfigError(message, variable=_VARIABLE)


def is_named() -> bool:
    """Tell whether the environment, `.env` or Prefect's profile names a server."""
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)  # an empty variable names none


def renew() -> None:
    """Take in a PREFECT_API_URL that was put into the environment after Prefect was imported."""
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
