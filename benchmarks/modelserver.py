"""A model server of fixed latency in a process of its own: it counts what it answers, item by item.

Items are told apart by the words `Varnhem NUMBER` in the request.
"""

import asyncio
import contextlib
import json
import multiprocessing
import random
import re
import sys
import time
import urllib.request
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_ITEM = re.compile(rb"Varnhem (\d+)")
_FRESH_S = 0.5
_FAULTS = (b"429 Too Many Requests", b"500 Internal Server Error", b"503 Service Unavailable", b"")
"""The last one is a connection that ends without an answer."""


class Asked(NamedTuple):
    """What a model server saw."""

    answered: int
    """Completions sent: what would be billed."""
    items: int
    most: int
    """Answers about one item, at most."""
    under_way: int
    fresh: int
    """Answers sent in the last half second: whoever asked may not have written them down yet."""
    peak: int


def stats(base_url: str) -> Asked:
    """Return what a server saw so far."""
    with urllib.request.urlopen(f"{base_url}/stats", timeout=10) as answer:
        return Asked(**json.load(answer))


class _Server:
    def __init__(self, latency_s: float, faults: float) -> None:
        from tests.fakes.model_server import completion, whole_article

        self._latency_s, self._faults, self._chance = latency_s, faults, random.Random(7)
        self._answered: Counter[bytes] = Counter()
        self._under_way = self._peak = 0
        self._sent: deque[float] = deque(maxlen=1000)
        self._body = completion(whole_article()).body or b""
        self._nothing_wrong = completion('{"objections": []}').body or b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while first := await reader.readline():
                length = 0
                while (line := await reader.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                asked = await reader.readexactly(length)
                if not await self._reply(writer, asked if first.startswith(b"POST") else None):
                    break
        writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, asked: bytes | None) -> bool:
        if asked is None:
            return await _send(writer, b"200 OK", json.dumps(self._stats()._asdict()).encode())
        self._under_way += 1
        self._peak = max(self._peak, self._under_way)
        try:
            await asyncio.sleep(self._latency_s)
        finally:
            self._under_way -= 1
        if self._chance.random() < self._faults:
            fault = self._chance.choice(_FAULTS)
            return bool(fault) and await _send(writer, fault, b'{"error": {"message": "injected"}}')
        found = _ITEM.findall(asked)
        self._answered[found[-1] if found else b""] += 1
        self._sent.append(time.monotonic())
        is_verification = b'"objections"' in asked
        return await _send(writer, b"200 OK", self._nothing_wrong if is_verification else self._body)

    def _stats(self) -> Asked:
        counts = self._answered
        most = max(counts.values(), default=0)
        fresh = sum(sent > time.monotonic() - _FRESH_S for sent in self._sent)
        return Asked(counts.total(), len(counts), most, self._under_way, fresh, self._peak)


async def _send(writer: asyncio.StreamWriter, status: bytes, body: bytes) -> bool:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % (status, len(body)) + body)
    await writer.drain()
    return True


def _serve(latency_s: float, faults: float, address: "multiprocessing.Queue[str]") -> None:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    serving = _Server(latency_s, faults)

    async def run() -> None:
        server = await asyncio.start_server(serving.answer, "127.0.0.1", 0, backlog=1024)
        address.put(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        await server.serve_forever()

    asyncio.run(run())


@contextlib.contextmanager
def model_server(latency_s: float, faults: float = 0.0) -> Iterator[str]:
    """Serve, and yield the base URL; `faults` is the share of requests that come to nothing."""
    context = multiprocessing.get_context("spawn")
    address: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_serve, args=(latency_s, faults, address), daemon=True)
    process.start()
    try:
        yield address.get(timeout=30)
    finally:
        process.terminate()
        process.join()
