"""What every page works with: ledger, files, subscriptions, checks; opened once."""

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.articles import files
from pipeline.articles.front_matter import loads
from pipeline.checks.pool import CheckPool
from pipeline.checks.tokens import SupportedClaim
from pipeline.config import Settings, Subscriptions, load_feeds
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.models import Beat, FeedConfig, Finding, Source
from pipeline.http_client import HttpClient
from pipeline.services.draft_file import (
    EditorContext,
    beat_of,
    decode_text,
    draft_front,
    draft_source,
    drop_editor_links,
)
from pipeline.services.edit import system_findings
from pipeline.storage import Database, DraftRow


class DraftView(NamedTuple):
    """A draft as an editor sees it: its row, its text on disk, and what the checks say of that."""

    row: DraftRow
    text: str | None
    """None where the file is missing or no text."""
    sha256: str
    findings: tuple[Finding, ...]
    source: Source
    beat: Beat
    feed: FeedConfig | None
    unreadable: str = ""
    """Why there is no text."""


class WebContext:
    """One open desk."""

    def __init__(
        self, settings: Settings, db: Database, checks: CheckPool, net: HttpClient, covers_api: str
    ) -> None:
        self.settings = settings
        self.db = db
        self._checks = checks
        self._net = net
        self._covers_api = covers_api
        self._feeds: tuple[int, Subscriptions] | None = None

    def search(self) -> UnsplashClient | None:
        """Return where covers are searched for; None where there is no key."""
        key = self.settings.unsplash_key
        return UnsplashClient(self._net, key.get_secret_value(), self._covers_api) if key else None

    @property
    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions, read again when their file was changed; the last good ones while it is wrong."""
        path = self.settings.feeds_file
        try:
            changed = path.stat().st_mtime_ns
            if self._feeds is None or self._feeds[0] != changed:
                self._feeds = (changed, load_feeds(path))
        except (OSError, ConfigError):
            if self._feeds is None:
                raise
        return self._feeds[1]

    def editor_context(self, editor: str) -> EditorContext:
        """Return what an editor's action needs."""
        return EditorContext(self.db, self.settings.output, self.subscriptions, editor)

    async def draft_view(self, ref: str) -> DraftView:
        """Return a draft with its text and findings. Raises ReviewError where there is none."""
        row = await asyncio.to_thread(self.db.drafts.get, ref)
        data = await asyncio.to_thread(files.read_bytes, self.settings.output, row.path)
        subscriptions = await asyncio.to_thread(lambda: self.subscriptions)
        source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
        feed = next((one for one in subscriptions.feeds if one.key == row.feed_key), None)
        text, unreadable = _decoded(row, data)
        sha256 = files.sha256_of(data or b"")
        found = row.findings
        known = text == row.version_text and all(one.key for one in found)
        stale = row.was_updated or (not known and row.state == "drafted")
        if text is not None and stale:
            found = await self._found(row, source, beat, text)
        return DraftView(row, text, sha256, found, source, beat, feed, unreadable)

    async def traced(self, seen: DraftView, body: str) -> list[SupportedClaim]:
        """Return the claims of a body that the source bears out, and where."""
        return await self._checks.trace(seen.source, body, seen.beat)

    async def check(
        self, row: DraftRow, source: Source, beat: Beat, metadata: dict[str, Any], body: str
    ) -> tuple[Finding, ...]:
        """Return what the checks say of a text of a draft, and what happened elsewhere."""
        front = draft_front(row, metadata, body, beat)
        found = await self._checks.check(source, body, beat, front)
        return (*drop_editor_links(row, body, found, front), *system_findings(row))

    async def _found(self, row: DraftRow, source: Source, beat: Beat, text: str) -> tuple[Finding, ...]:
        try:
            metadata, body = loads(text)
        except OutputError:  # the page says why it cannot be read
            return system_findings(row)
        return await self.check(row, source, beat, metadata, body)


def body_of(text: str) -> str:
    """Return the body of a draft's text; the whole of it where it has no front matter."""
    try:
        return loads(text)[1]
    except OutputError:
        return text


def _decoded(row: DraftRow, data: bytes | None) -> tuple[str | None, str]:
    """Return a file's text, or why there is none."""
    if data is None:
        return None, f"{row.path} is missing. Put the file back, or restore a version of it."
    try:
        return decode_text(row.path, data), ""
    except ReviewError as error:
        return None, f"{error.message}, or restore a version of it."
