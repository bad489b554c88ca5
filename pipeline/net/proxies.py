"""The proxies of the environment, as httpx takes them where the transport is its own."""

import ipaddress
from collections.abc import Callable
from typing import TypeVar
from urllib.request import getproxies

T = TypeVar("T")


def mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """Return httpx's `mounts`: URL pattern to what `make` makes of a proxy's URL, None for no proxy."""
    found = getproxies()
    exempt = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    if "*" in exempt:
        return {}
    by_pattern: dict[str, T | None] = {}
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            by_pattern[f"{scheme}://"] = make(url if "://" in url else f"http://{url}")
    if by_pattern:
        by_pattern |= {_pattern(host): None for host in exempt}
    return by_pattern


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{ip}]" if ip.version == 6 else f"all://{ip}"
