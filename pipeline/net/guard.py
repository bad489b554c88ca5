"""Checks the address that a connection is made to, where it is made.

Names are resolved once, and only what was checked is connected to: a name whose answer changes between
two questions gains nothing. Addresses written in a URL are checked where the socket is made.
"""

import socket
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from pipeline.net.addresses import forbidden, place

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A host and port to IP addresses; raises OSError where there are none."""


class ForbiddenAddress(OSError):
    """A feed led to an address that is none of the public internet's."""


async def resolve_by_system(host: str, port: int) -> list[str]:
    """Return a host's addresses, as the system's resolver has them."""
    results = await aiohttp.ThreadedResolver().resolve(host, port, family=socket.AF_UNSPEC)
    return [result["host"] for result in results]


class Guard(AbstractResolver):
    """A resolver and a maker of sockets that keep to the public internet.

    `allowed` are exact `host:port` exceptions, as URLs write them.
    """

    def __init__(self, allowed: Collection[str], resolve: Resolve = resolve_by_system) -> None:
        self._allowed = frozenset(allowed)
        self._resolve = resolve
        self._excepted: set[tuple[str, int]] = set()

    def allows(self, host: str, port: int) -> bool:
        """Tell whether the operator made an exception for a host and port."""
        return place(host, port) in self._allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name that may be connected to. Raises ForbiddenAddress."""
        found = await self._resolve(host, port)
        if self.allows(host, port):
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
        excepted = (address, port) in self._excepted or self.allows(address, port)
        if forbidden(address) and not excepted:
            raise ForbiddenAddress(address)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is held open."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
