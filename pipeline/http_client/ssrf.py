"""SSRF guard: connections only to addresses of the public internet.

A name is resolved once, and only checked addresses are connected to, so DNS rebinding has no effect.
Addresses that are written in a URL are checked where the socket is created.

Python's `is_global` is not enough: it is true for NAT64 and 6to4 addresses, which can embed a private IPv4
address. Source: IANA special-purpose address registries, RFC 6890, RFC 6052, RFC 3056.
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

_NON_PUBLIC_NETWORKS = tuple(
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
_NUMERIC_HOST = re.compile(r"[0-9a-fx.]{1,60}", re.IGNORECASE)
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")


def is_private_address(address: str) -> bool:
    """Tell whether an IP address is not of the public internet; also true for text that is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id:
        return True
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return True
    return any(ip.version == network.version and ip in network for network in _NON_PUBLIC_NETWORKS)


def is_private_host(host: str) -> bool:
    """Tell whether a URL's host is a private address, or a name of this machine or its network."""
    host = host.strip("[]").rstrip(".").lower()
    if ":" in host:
        return is_private_address(host)
    if _NUMERIC_HOST.fullmatch(host):
        try:  # the system reads `127.1` and `0x7f000001` as addresses too
            return is_private_address(socket.inet_ntoa(socket.inet_aton(host)))
        except OSError:
            return False
    return host.rpartition(".")[2] in _LOCAL_NAMES or host.endswith(".home.arpa")


def origin_of(host: str, port: int) -> str:
    """Return `host:port` as in COPYDESK_ALLOW_HOSTS: lower case, IPv6 in brackets."""
    host = host.strip("[]").lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def url_origin(url: str) -> str:
    """Return a URL's `host:port`. Raises ValueError where it has no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("no host")
    return origin_of(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host and port to IP addresses; raises OSError where there are none."""


class ForbiddenAddress(OSError):
    """A URL leads to an address that is not of the public internet."""


class SystemResolver:
    """The system's name resolution (getaddrinfo), in its own threads.

    A silent name server blocks its thread for many seconds. It must not block other look-ups, nor the
    default thread pool.
    """

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="look-up")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return a host's addresses, best first. Raises OSError."""
        loop, tcp = asyncio.get_running_loop(), socket.SOCK_STREAM
        infos = await loop.run_in_executor(self._threads, socket.getaddrinfo, host, port, 0, tcp)
        return [str(info[4][0]) for info in infos]

    def close(self) -> None:
        """Cancel waiting look-ups without waiting for running ones."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """An aiohttp resolver and socket factory that allow only the public internet.

    `allowed` are exact `host:port` exceptions.
    """

    def __init__(self, allowed: Collection[str], resolve: Resolve) -> None:
        self._allowed = frozenset(allowed)
        self._resolve = resolve
        self._allowed_addresses: set[tuple[str, int]] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the allowed addresses of a name. Raises ForbiddenAddress where there are none."""
        addresses = await self._resolve(host, port)
        if origin_of(host, port) in self._allowed:
            self._allowed_addresses.update((address, port) for address in addresses)
        else:
            addresses = [address for address in addresses if not is_private_address(address)]
            if not addresses:
                raise ForbiddenAddress(host)
        return [_result(host, address, port) for address in addresses]

    def make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address. Raises ForbiddenAddress."""
        family, kind, protocol, _, target = info
        address, port = str(target[0]), int(target[1])
        allowed = (address, port) in self._allowed_addresses or origin_of(address, port) in self._allowed
        if not allowed and is_private_address(address):
            raise ForbiddenAddress(address)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Do nothing: no connection is open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
