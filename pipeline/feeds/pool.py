"""Parses feeds and extracts pages in sandboxed worker processes."""

from collections.abc import Collection
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from pipeline.domain.errors import FeedError
from pipeline.domain.text import redact_url
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.reader import READER
from pipeline.sandbox import MEMORY_BYTES, JobError, WorkerPool

CPU_S = 12.0
"""CPU seconds of one document. What is read of a feed is limited by `parsing/newest.py` already; the largest
one takes 2 s on a slow machine. Chosen, not measured."""
_DOCUMENT_ERRORS = {
    "too-costly": (
        "too-costly",
        "takes more time or memory to read than allowed; check its address",
    ),
    "too-deep": ("malformed", "is nested too deeply for a feed"),
}
"""Kinds of the sandbox's errors to the kind and message of a FeedError."""


class ParsePool:
    """A pool of worker processes, started on demand; an async context manager.

    `parse` and `extract` raise the FeedErrors of `parse_feed` and `extract`. They also raise FeedError of
    kind `too-costly` when a document needs more than `cpu_s` seconds or `memory` bytes, and `unexpected` when
    a worker cannot be started.
    """

    def __init__(self, workers: int | None = None, cpu_s: float = CPU_S, memory: int = MEMORY_BYTES) -> None:
        self._pool = WorkerPool("pipeline.feeds.worker", workers, cpu_s, memory)

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(kind, error, trace)

    async def parse(
        self,
        body: bytes,
        content_type: str | None,
        url: str,
        now: datetime,
        reader: int = READER,
        *,
        boilerplate: Collection[str] = (),
    ) -> ParsedFeed:
        """Return the parsed feed; see `parse_feed`."""
        job = {
            "what": "parse",
            "type": content_type,
            "url": url,
            "now": now.isoformat(),
            "reader": reader,
            "boilerplate": list(boilerplate),
        }
        return _FEED.validate_json(await self._run(job, body))

    async def extract(self, body: bytes, content_type: str | None, url: str, selector: str | None) -> Page:
        """Return the article of a page; see `extract`."""
        job = {"what": "extract", "type": content_type, "url": url, "selector": selector}
        return _PAGE.validate_json(await self._run(job, body))

    async def _run(self, job: dict[str, Any], body: bytes) -> bytes:
        try:
            return await self._pool.run(job, body)
        except JobError as error:
            raise _feed_error(error, job["url"]) from error


def _feed_error(error: JobError, url: str) -> FeedError:
    if error.kind in _DOCUMENT_ERRORS:
        kind, description = _DOCUMENT_ERRORS[error.kind]
        return FeedError(f"{redact_url(url)} {description}", kind=kind)
    if error.kind == "no-process":
        return FeedError(error.message, kind="unexpected")
    about = f"{redact_url(url)}: " if error.kind == "unexpected" else ""
    return FeedError(about + error.message, kind=error.kind, **error.context)


_FEED = TypeAdapter(ParsedFeed)
_PAGE = TypeAdapter(Page)
