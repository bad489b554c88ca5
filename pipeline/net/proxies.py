"""The proxies of the environment, as httpx takes them where the transport is its own."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.errors import ConfigError
from pipeline.urls import shown_url

T = TypeVar("T")


def mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """Return httpx's `mounts`: URL pattern to what `make` makes of a proxy's URL, None for no proxy.

    Raises ConfigError for a proxy that is neither http nor https.
    """
    return {pattern: None if url is None else make(url) for pattern, url in patterns(getproxies()).items()}


def patterns(found: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL patterns and their proxies, of what `getproxies` found. Pure; raises ConfigError."""
    exempt = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    schemes = [scheme for scheme in ("http", "https") if found.get(scheme)]
    if "*" in exempt:
        return {}
    if found.get("all") and len(schemes) < 2:  # else nothing is left for it
        schemes.append("all")
    proxied: dict[str, str | None] = {f"{scheme}://": _proxy(scheme, found[scheme]) for scheme in schemes}
    return proxied | {_pattern(host): None for host in exempt} if proxied else {}


def _proxy(scheme: str, text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        variable = f"{scheme.upper()}_PROXY"
        raise ConfigError(
            f"{variable} {shown_url(url)} is no http(s) proxy; write one such as http://proxy.example:3128, "
            "or take it out of the environment",
            variable=variable,
        )
    return url


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    host = host.removeprefix("*").strip("[]")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{ip}]" if ip.version == 6 else f"all://{ip}"
