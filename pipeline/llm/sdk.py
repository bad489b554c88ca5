"""The official SDK: opens its client without its environment variables, and tells its timeouts apart."""

from collections.abc import Mapping

import openai

from pipeline.http_client import require_usable_proxies, tls_context

_NO_KEY = "no-key-needed"
_NOT_SENT = frozenset(("PoolTimeout", "WriteTimeout"))
"""The exceptions of the SDK's HTTP library, whichever that is, for a timeout before the request was sent."""
_BROKEN_OFF = frozenset(
    ("ClientPayloadError", "ServerDisconnectedError", "ClientOSError", "ReadError", "RemoteProtocolError")
)
"""The exceptions of HTTP libraries for a connection that ends after the request was sent."""


def is_late(error: Exception) -> bool:
    """Tell whether the server took a request and its answer did not arrive in time."""
    return isinstance(error, openai.APITimeoutError) and type(error.__cause__).__name__ not in _NOT_SENT


def is_broken_off(error: Exception) -> bool:
    """Tell whether the connection ended between a request and the end of its answer."""
    cause: BaseException | None = error if isinstance(error, openai.APIConnectionError) else None
    while cause is not None and type(cause).__name__ not in _BROKEN_OFF:
        cause = cause.__cause__
    return cause is not None


def as_unreached(error: Exception) -> Exception:
    """Return an error; a timeout of connecting is a server that cannot be reached.

    The transport on aiohttp gives that name to every connection that is refused or lost.
    """
    if isinstance(error, openai.APITimeoutError) and type(error.__cause__).__name__ == "ConnectTimeout":
        unreached = openai.APIConnectionError(request=error.request)
        unreached.__cause__ = error.__cause__
        return unreached
    return error


def open_sdk(
    base_url: str,
    api_key: str | None,
    timeout_s: float,
    headers: Mapping[str, str],
    query: Mapping[str, str],
) -> openai.AsyncOpenAI:
    """Return a client that ignores the SDK's environment variables.

    Headers and query are added to every request. Raises ConfigError when the environment names an unusable
    proxy.
    """
    require_usable_proxies()
    client = openai.AsyncOpenAI(
        api_key=api_key or _NO_KEY,
        admin_api_key="",
        base_url=base_url,
        default_query=dict(query),
        timeout=timeout_s,
        max_retries=0,
        webhook_secret="",
        # On aiohttp: a third of the time for each answer, so that more of them are stored before a kill.
        http_client=openai.DefaultAioHttpClient(verify=tls_context()),
    )
    # Passed as None, the SDK would read these from OPENAI_ORG_ID, OPENAI_PROJECT_ID and
    # OPENAI_CUSTOM_HEADERS and send them to every server.
    client.organization = None
    client.project = None
    client._custom_headers = dict(headers)
    return client


def omitted_headers(api_key: str | None, headers: Mapping[str, str]) -> dict[str, openai.Omit]:
    """Return the Authorization that the SDK would make up, where the key is in a header of its own.

    A server may refuse a request for what stands in another header than its own.
    """
    if not headers or api_key or "authorization" in {name.lower() for name in headers}:
        return {}
    return {"Authorization": openai.Omit()}
