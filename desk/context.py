"""The dependencies of every page: ledger, settings, subscriptions, checks, HTTP client."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from pipeline.articles import files
from pipeline.articles.front_matter import loads
from pipeline.checks.pool import UNCHECKED, CheckPool
from pipeline.checks.tokens import SupportedClaim
from pipeline.config import Settings, Subscriptions
from pipeline.covers import UnsplashClient, cover_url
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.models import Beat, FeedConfig, Source
from pipeline.domain.reviews import Finding, Review, Severity
from pipeline.http_client import HttpClient
from pipeline.services import review
from pipeline.services.cover_images import CoverImages
from pipeline.services.draft_file import (
    EditorContext,
    beat_of,
    decode_text,
    draft_front,
    draft_source,
    join_stored,
    system_findings,
)
from pipeline.services.edit import DraftEdit, apply_edit, save_edit
from pipeline.services.subscriptions import load_subscriptions
from pipeline.services.verify_edit import EditVerifier
from pipeline.storage import Database, DraftRow


class DraftView(NamedTuple):
    """A draft as an editor sees it: its database row, its text on disk, and the findings about that text."""

    row: DraftRow
    text: str | None
    """None if the file is missing or is not text."""
    sha256: str
    """Hash of the file's bytes."""
    findings: tuple[Finding, ...]
    source: Source
    beat: Beat
    feed: FeedConfig | None
    unreadable: str = ""
    """Why `text` is None; empty otherwise."""


class WebContext:
    """The dependencies of a running desk."""

    def __init__(
        self, settings: Settings, db: Database, checks: CheckPool, net: HttpClient, covers_api: str
    ) -> None:
        self.settings = settings
        self.db = db
        self._checks = checks
        self._net = net
        self._covers_api = covers_api
        self.second_reader = EditVerifier(settings, db)
        self.cover_images = CoverImages(db, net)
        self._feeds: tuple[int, Subscriptions] | None = None

    def cover_search(self) -> UnsplashClient | None:
        """Return the client of the cover search; None without an API key."""
        key = self.settings.unsplash_key
        return UnsplashClient(self._net, key.get_secret_value(), self._covers_api) if key else None

    @property
    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions, reloaded when feeds.yaml changes; the last valid ones while it is invalid.

        Raises ConfigError or OSError if there never were valid ones. Reads a file: call it in a thread.
        """
        path = self.settings.feeds_file
        try:
            changed = path.stat().st_mtime_ns
            if self._feeds is None or self._feeds[0] != changed:
                self._feeds = (changed, load_subscriptions(self.settings))
        except (OSError, ConfigError):
            if self._feeds is None:
                raise
        return self._feeds[1]

    def editor_context(self, editor: str) -> EditorContext:
        """Return what an editor's action needs."""
        return EditorContext(self.db, self.settings.output, self.subscriptions, editor)

    async def draft_view(self, ref: str) -> DraftView:
        """Return a draft with its text and findings. Raises ReviewError if `ref` names no draft."""
        row = await asyncio.to_thread(self.db.drafts.get, ref)
        data = await asyncio.to_thread(files.read_bytes, self.settings.output, row.path)
        subscriptions = await asyncio.to_thread(lambda: self.subscriptions)
        source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
        feed = next((feed for feed in subscriptions.feeds if feed.key == row.feed_key), None)
        text, unreadable = _decoded(row, data)
        sha256 = files.sha256_of(data or b"")
        findings = row.findings
        checked = text == row.version_text and all(finding.key for finding in findings)
        stale = row.was_updated or (not checked and row.state == "drafted")
        if text is not None and stale:
            findings = await self._check_text(row, source, beat, text)
        return DraftView(row, text, sha256, findings, source, beat, feed, unreadable)

    def cover_url(self, ref: str) -> str:
        """Return the URL of a draft's cover; empty without one. Does I/O: call it in a thread.

        Raises ReviewError if `ref` names no draft.
        """
        row = self.db.drafts.get(ref)
        text, _ = _decoded(row, files.read_bytes(self.settings.output, row.path))
        try:
            return cover_url(loads(text)[0]) if text is not None else ""
        except OutputError:
            return ""

    def submit_review(self, ref: str, decision: Review) -> None:
        """Approve or reject the text whose hash is `decision.sha256`. Does I/O: call it in a thread.

        Raises ReviewError, EditConflict, ConfigError.
        """
        ctx = replace(self.editor_context(decision.by), clock=lambda: decision.at)
        review.submit_review(ctx, ref, decision.decision, note=decision.note, seen_sha256=decision.sha256)

    async def supported_claims(self, view: DraftView, body: str) -> list[SupportedClaim]:
        """Return the claims of a body that the source supports, with their evidence."""
        return await self._checks.trace(view.source, body, view.beat)

    async def check(
        self, row: DraftRow, source: Source, beat: Beat, metadata: dict[str, Any], body: str
    ) -> tuple[Finding, ...]:
        """Return the findings about a text of a draft, its source and its rewrite requests."""
        front = draft_front(row, metadata, body, beat)
        findings = await self._checks.check(source, body, beat, front)
        joined = await asyncio.to_thread(join_stored, row, source, beat, body, findings, front)
        return (*joined, *system_findings(row))

    async def save(self, view: DraftView, changes: DraftEdit, name: str, *, base: str, form: str = "") -> str:
        """Check and save an editor's changes to the text with the hash `base`; return the new text's hash.

        Raises ReviewError, EditConflict.
        """
        findings: tuple[Finding, ...] = ()
        if view.text is None or view.sha256 != base:
            message = "this text was not checked because the draft had changed: save it again"
            findings = (Finding(kind=UNCHECKED, severity=Severity.BLOCK, message=message),)
        else:
            text = apply_edit(view.text, changes, view.beat, now=self.now, row=view.row)
            metadata, body = loads(text, view.row.path)
            findings = await self.check(view.row, view.source, view.beat, metadata, body)
        save = partial(save_edit, base=base, form=form)
        return await asyncio.to_thread(
            save, self.editor_context(name), view.row.external_id, changes, findings
        )

    async def verify_edit(self, ref: str) -> None:
        """Have the second reader read what was changed in a draft, where its beat says so."""
        row, subscriptions = await asyncio.to_thread(lambda: (self.db.drafts.get(ref), self.subscriptions))
        self.second_reader.start(subscriptions, row)

    async def _check_text(self, row: DraftRow, source: Source, beat: Beat, text: str) -> tuple[Finding, ...]:
        try:
            metadata, body = loads(text)
        except OutputError:  # the page says why it cannot be read
            return system_findings(row)
        return await self.check(row, source, beat, metadata, body)


def body_of(text: str) -> str:
    """Return the body of a draft's text; the whole text if its front matter cannot be read."""
    try:
        return loads(text)[1]
    except OutputError:
        return text


def _decoded(row: DraftRow, data: bytes | None) -> tuple[str | None, str]:
    """Return a file's text and an empty string, or None and why the text cannot be read."""
    if data is None:
        return None, f"{row.path} is missing. Put the file back, or restore a version of it."
    try:
        return decode_text(row.path, data), ""
    except ReviewError as error:
        return None, f"{error.message}, or restore a version of it."
