"""Checks the address that a connection is made to, where it is made.

Names are resolved once, and only what was checked is connected to: a name whose answer changes between
two questions gains nothing. Addresses written in a URL are checked where the socket is made.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.net.addresses import forbidden, place

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


class Guard(AbstractResolver):
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
        if place(host, port) in self._allowed:
            self._excepted.update((address, port) for address in found)
        else:
            found = [address for address in found if not forbidden(address)]
            if not found:
                raise ForbiddenAddress(host)
        return [_result(host, address, port) for address in found]

    def make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for the address that is to be connected to. Raises ForbiddenAddress."""
        family, kind, protocol, _, target = info
        address, port = str(target[0]), int(target[1])
        excepted = (address, port) in self._excepted or place(address, port) in self._allowed
        if not excepted and forbidden(address):
            raise ForbiddenAddress(address)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
