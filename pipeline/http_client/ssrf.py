"""Which addresses a feed may lead to: those of the public internet, and no other. Pure.

Python's `is_global` is not enough: it takes NAT64 and 6to4 addresses, which embed any IPv4 address, for
public ones. Sources: IANA's special-purpose address registries, RFC 6890, RFC 6052, RFC 3056.

Checks the address that a connection is made to, where it is made.

Names are resolved once, and only what was checked is connected to: a name whose answer changes between
two questions gains nothing. Addresses written in a URL are checked where the socket is made.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' own
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fec0::/10",  # site-local, once
    )
)
_NUMBERS = re.compile(r"[0-9a-fx.]{1,60}", re.IGNORECASE)
_OWN_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")


def is_private_address(address: str) -> bool:
    """Tell whether an IP address is none of the public internet's; what is no address is forbidden."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id:
        return True
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return True
    return any(ip.version == network.version and ip in network for network in _REFUSED)


def is_private_host(host: str) -> bool:
    """Tell whether a URL's host is forbidden as it is written: an address, or a name for this machine."""
    host = host.strip("[]").rstrip(".").lower()
    if ":" in host:
        return is_private_address(host)
    if _NUMBERS.fullmatch(host):
        try:  # as the system would read `127.1` and `0x7f000001`
            return is_private_address(socket.inet_ntoa(socket.inet_aton(host)))
        except OSError:
            return False
    return host.rpartition(".")[2] in _OWN_NAMES or host.endswith(".home.arpa")


def origin_of(host: str, port: int) -> str:
    """Return `host:port` as an exception is written: lower case, IPv6 in brackets."""
    host = host.strip("[]").lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_origin(url: str) -> str:
    """Return a URL's `host:port`. Raises ValueError for what has none."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host")
    return origin_of(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host and port to IP addresses; raises OSError where there are none."""


class ForbiddenAddress(OSError):
    """A feed led to an address that is none of the public internet's."""


class SystemResolver:
    """The system's look-up, in threads of its own.

    A name whose servers are silent holds its thread for many seconds: it must hold up neither the look-ups
    of others nor what else this process does in threads.
    """

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="look-up")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return a host's addresses, best first. Raises OSError."""
        loop, tcp = asyncio.get_running_loop(), socket.SOCK_STREAM
        found = await loop.run_in_executor(self._threads, socket.getaddrinfo, host, port, 0, tcp)
        return [str(info[4][0]) for info in found]

    def close(self) -> None:
        """Start no more look-ups, and wait for none."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """A resolver and a maker of sockets that keep to the public internet.

    `allowed` are exact `host:port` exceptions, as URLs write them.
    """

    def __init__(self, allowed: Collection[str], resolve: Resolve) -> None:
        self._allowed = frozenset(allowed)
        self._resolve = resolve
        self._excepted: set[tuple[str, int]] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name that may be connected to. Raises ForbiddenAddress."""
        found = await self._resolve(host, port)
        if origin_of(host, port) in self._allowed:
            self._excepted.update((address, port) for address in found)
        else:
            found = [address for address in found if not is_private_address(address)]
            if not found:
                raise ForbiddenAddress(host)
        return [_result(host, address, port) for address in found]

    def make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for the address that is to be connected to. Raises ForbiddenAddress."""
        family, kind, protocol, _, target = info
        address, port = str(target[0]), int(target[1])
        excepted = (address, port) in self._excepted or origin_of(address, port) in self._allowed
        if not excepted and is_private_address(address):
            raise ForbiddenAddress(address)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
