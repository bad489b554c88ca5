"""The second reader at the desk: reads what an editor changed, where the beat has `verify_edits`."""

import asyncio
import contextlib
import logging
import secrets
from functools import partial

from pipeline.articles.files import sha256_of
from pipeline.config import Settings, Subscriptions
from pipeline.domain.errors import CopydeskError
from pipeline.domain.reviews import Finding
from pipeline.rewrite.prompt import load_prompt
from pipeline.services.budget import ItemBudget
from pipeline.services.context import ModelContext
from pipeline.services.draft_file import beat_of, draft_front, draft_source, recorded_text
from pipeline.services.second_reader import DraftText, read_text, with_note
from pipeline.services.writers import WriterPool, open_client
from pipeline.storage import Database, DraftRow
from pipeline.verifier.findings import KIND
from pipeline.verifier.readings import join_readings
from pipeline.verifier.request import PROMPT

log = logging.getLogger("copydesk.desk")


class EditVerifier:
    """Has edits read in the background, one call at a time for each draft, under the caps."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._pending: dict[str, Subscriptions] = {}
        """Drafts with a text that is to be read, by external id."""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_reading(self, ref: str) -> bool:
        """Return whether a draft is being read now."""
        return ref in self._tasks

    def start(self, subscriptions: Subscriptions, row: DraftRow) -> None:
        """Begin to read the sentences of a draft's last version that were not read before.

        While an earlier text of it is read, the last one waits for its turn.
        """
        ref = row.external_id
        if not beat_of(subscriptions, row.feed_key).verify_edits:
            return
        self._pending[ref] = subscriptions
        if ref not in self._tasks:
            self._tasks[ref] = asyncio.create_task(self._work(ref))

    async def close(self) -> None:
        """End what is under way; nothing new begins."""
        self._pending.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, ref: str) -> None:
        try:
            while subscriptions := self._pending.pop(ref, None):
                await self._verify(subscriptions, ref)
        except Exception:  # nobody waits for the task: the findings of code stand
            log.exception("an edit of draft %s was not verified", ref)
        finally:
            self._tasks.pop(ref, None)

    async def _verify(self, subscriptions: Subscriptions, ref: str) -> None:
        row = await asyncio.to_thread(self._db.drafts.get, ref)
        if row.state != "drafted":
            return
        text = await asyncio.to_thread(_text_of, row, subscriptions)
        draft = await asyncio.to_thread(lambda: text.numbered)
        try:
            async with contextlib.AsyncExitStack() as stack:
                ctx = self._context(subscriptions, stack)
                readings, note = await read_text(ctx, row, ItemBudget(ctx, row), text, draft)
        except CopydeskError as error:
            readings, note = row.readings, error.message

        def change(current: tuple[Finding, ...]) -> tuple[Finding, ...]:
            code = [each.model_copy(update={"shared": None}) for each in current if each.kind != KIND]
            return with_note(join_readings(code, readings, draft, text.source, text.beat.checks), note)

        sha256 = sha256_of(row.version_text.encode())
        await asyncio.to_thread(self._db.findings.change, row, sha256, change)

    def _context(self, subscriptions: Subscriptions, stack: contextlib.AsyncExitStack) -> ModelContext:
        settings, models = self._settings, subscriptions.models
        fatal_errors: list[CopydeskError] = []
        pool = WriterPool(settings, models, partial(open_client, self._db, fatal_errors), stack)
        deadlines = [settings.deadline_s, *(each.deadline or 0 for each in models.values())]
        return ModelContext(
            settings=settings,
            db=self._db,
            verifier=pool.verifier,
            verify_prompt=load_prompt(settings.prompts, PROMPT),
            run=f"desk-{secrets.token_hex(8)}",
            longest_call_s=max(deadlines),
            fatal_errors=fatal_errors,
        )


def _text_of(row: DraftRow, subscriptions: Subscriptions) -> DraftText:
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    metadata, body = recorded_text(row.version_text)
    return DraftText(source, beat, body, draft_front(row, metadata, body, beat))
