"""The proxies of the environment, as httpx takes them where the transport is its own."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from pipeline.errors import ConfigError
from pipeline.urls import shown_url

T = TypeVar("T")


_SCHEMES = ("http", "https", "all")


def require_usable_proxies() -> None:
    """Raise ConfigError where the environment names a proxy that cannot be used.

    The libraries that ask the model and Prefect take every one of these variables, also where another, or
    NO_PROXY, leaves no host to it, and end with an error of their own.
    """
    found = getproxies()
    if "*" not in _exempt(found):
        for scheme in _SCHEMES:
            if found.get(scheme):
                _proxy(scheme, found[scheme])


def mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """Return httpx's `mounts`: URL pattern to what `make` makes of a proxy's URL, None for no proxy.

    Raises ConfigError for a proxy that is neither http nor https.
    """
    return {pattern: None if url is None else make(url) for pattern, url in patterns(getproxies()).items()}


def patterns(found: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL patterns and their proxies, of what `getproxies` found. Raises ConfigError."""
    exempt = _exempt(found)
    schemes = [scheme for scheme in ("http", "https") if found.get(scheme)]
    if "*" in exempt:
        return {}
    if found.get("all") and len(schemes) < 2:  # else nothing is left for it
        schemes.append("all")
    proxied: dict[str, str | None] = {f"{scheme}://": _proxy(scheme, found[scheme]) for scheme in schemes}
    return proxied | {_pattern(host): None for host in exempt} if proxied else {}


def _exempt(found: Mapping[str, str]) -> list[str]:
    return [host.strip() for host in found.get("no", "").split(",") if host.strip()]


def _proxy(scheme: str, text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _unusable(scheme, url)
    return url


def _unusable(scheme: str, url: str) -> ConfigError:
    lower = f"{scheme}_proxy"  # goes before the other where both are set
    variable = lower if os.environ.get(lower) else lower.upper()
    said = f"{variable} {shown_url(url)} is no http(s) proxy"
    if url.lower().startswith("socks"):
        said = (
            f"{variable} names a SOCKS proxy ({shown_url(url)}), and Copydesk speaks to http(s) proxies only"
        )
    return ConfigError(
        f"{said}; write one such as http://proxy.example:3128, or take {variable} out of the environment",
        variable=variable,
    )


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    host = host.removeprefix("*").strip("[]")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{ip}]" if ip.version == 6 else f"all://{ip}"
