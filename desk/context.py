"""The dependencies of every page: ledger, settings, subscriptions, checks, HTTP client."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from desk.presence import Presence
from pipeline.articles import files
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.pairs.sentence_pairs import PairedDraft
from pipeline.checks.pool import UNCHECKED, CheckPool
from pipeline.config import Settings, Subscriptions
from pipeline.covers import UnsplashClient, cover_url
from pipeline.domain.errors import EditConflict, OutputError, ReviewError
from pipeline.domain.models import Beat, FeedConfig, Source
from pipeline.domain.review_records import ReviewWay
from pipeline.domain.reviews import Finding, Front, Review, Severity
from pipeline.http_client import HttpClient
from pipeline.services import review
from pipeline.services.cover_images import CoverImages
from pipeline.services.draft_file import (
    DraftOnDisk,
    EditorContext,
    beat_of,
    decode_text,
    draft_front,
    draft_source,
    join_stored,
    system_findings,
)
from pipeline.services.edit import DraftEdit, apply_edit, save_edit
from pipeline.services.feeds_file import FeedsFile
from pipeline.services.merge_edit import Choices
from pipeline.services.merge_save import PlannedSave, plan_save
from pipeline.services.probes import Probes
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


class SavedEdit(NamedTuple):
    """An edit that was saved."""

    sha256: str
    """Hash of the new text."""
    before: DraftView
    """The draft with the text that it replaced."""
    plan: PlannedSave


_MAX_MERGES = 5
"""How often a save is merged with a text that changed again meanwhile. Chosen, not measured."""


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
        self.presence = Presence()
        self._feeds = FeedsFile(settings)
        self.probes = Probes(settings, db, self._feeds)
        self._page_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.cover_images = CoverImages(db, net)
        self.secret = secrets.token_bytes(32)
        """Signs when a page was opened; a page of an earlier process has to be opened again."""

    def cover_search(self) -> UnsplashClient | None:
        """Return the client of the cover search; None without an API key."""
        key = self.settings.unsplash_key
        return UnsplashClient(self._net, key.get_secret_value(), self._covers_api) if key else None

    def page_lock(self, form: str) -> asyncio.Lock:
        """Return the lock under which the saves of one page are carried out in the order of their arrival."""
        lock = self._page_locks.get(form) if form else None
        if lock is None:
            lock = asyncio.Lock()
            self._page_locks[form] = lock
        return lock

    @property
    def now(self) -> datetime:
        """The current time, in UTC."""
        return datetime.now(UTC)

    @property
    def view_time(self) -> datetime | None:
        """The time that is stored of what is shown now; None where times of reviews are not stored."""
        return self.now if self.settings.review_times else None

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions, reloaded when feeds.yaml changes; the last valid ones while it is invalid.

        Raises ConfigError if there never were valid ones. Reads a file: call it in a thread.
        """
        return self._feeds.latest()

    def editor_context(self, editor: str) -> EditorContext:
        """Return what an editor's action needs."""
        times = self.settings.review_times
        return EditorContext(self.db, self.settings.output, self.subscriptions, editor, review_times=times)

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

    def submit_review(
        self, ref: str, decision: Review, *, light: bool = False, way: ReviewWay = "desk"
    ) -> None:
        """Approve or reject the text whose hash is `decision.sha256`. Does I/O: call it in a thread.

        `light` approves although sections were not shown. Raises ReviewError, NotShown, EditConflict,
        ConfigError.
        """
        ctx = replace(self.editor_context(decision.by), clock=lambda: decision.at)
        submit = partial(review.submit_review, note=decision.note, seen_sha256=decision.sha256)
        submit(ctx, ref, decision.decision, light=light, way=way)

    async def paired(self, view: DraftView, body: str, front: Front) -> PairedDraft:
        """Return a draft's sentences with those of its source, and its supported claims."""
        return await self._checks.pair(view.source, body, view.beat, front)

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

        What others changed since is merged. Raises ReviewError, EditConflict.
        """
        return (await self.save_merged(view, changes, name, base=base, form=form)).sha256

    async def save_merged(
        self,
        view: DraftView,
        changes: DraftEdit,
        name: str,
        *,
        base: str,
        form: str = "",
        choices: Choices | None = None,
    ) -> SavedEdit:
        """Check and save an editor's changes, merged with what others saved since the text `base`.

        `choices` settle conflicts. If the file changes meanwhile, it is merged again. Raises ReviewError,
        EditConflict.
        """
        for _ in range(_MAX_MERGES):
            ctx = await asyncio.to_thread(self.editor_context, name)
            if view.text is None:
                plan = PlannedSave(changes)
            else:
                current = DraftOnDisk(view.row, view.text, view.sha256)
                plan = await asyncio.to_thread(
                    partial(plan_save, ctx, current, changes, base=base, form=form, choices=choices)
                )
            try:
                return SavedEdit(await self._save_checked(ctx, view, plan, form), view, plan)
            except EditConflict:
                view = await self.draft_view(view.row.external_id)
        raise ReviewError("the draft is being changed again and again just now: save it once more")

    async def keep_shown(self, view: DraftView) -> None:
        """Keep the text that a page shows for merging, where another program wrote it."""
        if view.text is not None and view.text != view.row.version_text:
            await asyncio.to_thread(self.db.page_texts.keep, view.row, view.text)

    async def saved_view(self, saved: SavedEdit) -> DraftView:
        """Return the draft with a text that was saved and has been changed again since."""
        row = saved.before.row
        text = await asyncio.to_thread(self.db.page_texts.base, row.item_id, saved.sha256)
        return saved.before._replace(text=text.text if text else saved.before.text, sha256=saved.sha256)

    async def _save_checked(self, ctx: EditorContext, view: DraftView, plan: PlannedSave, form: str) -> str:
        """Check and save an edit of the text on disk. Raises EditConflict where that changed meanwhile."""
        findings: tuple[Finding, ...] = ()
        if view.text is None:
            message = "this text was not checked because the draft had changed: save it again"
            findings = (Finding(kind=UNCHECKED, severity=Severity.BLOCK, message=message),)
        else:
            text = apply_edit(view.text, plan.edit, view.beat, now=self.now, row=view.row)
            metadata, body = loads(text, view.row.path)
            findings = await self.check(view.row, view.source, view.beat, metadata, body)
        save = partial(save_edit, base=view.sha256, form=form, sent=plan.sent)
        return await asyncio.to_thread(save, ctx, view.row.external_id, plan.edit, findings)

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


def shown_text(view: DraftView, text: str) -> str:
    """Return a text of a draft with the front matter that its page shows: as an approval would write it."""
    try:
        metadata, body = loads(text)
    except OutputError:
        return text
    front = draft_front(view.row, metadata, body, view.beat)
    return text if front.metadata == metadata else dumps(front.metadata, body)


def _decoded(row: DraftRow, data: bytes | None) -> tuple[str | None, str]:
    """Return a file's text and an empty string, or None and why the text cannot be read."""
    if data is None:
        return None, f"{row.path} is missing. Put the file back, or restore a version of it."
    try:
        return decode_text(row.path, data), ""
    except ReviewError as error:
        return None, f"{error.message}, or restore a version of it."
