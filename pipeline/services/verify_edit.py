"""The second reader at the desk: reads what an editor changed, where the beat has `verify_edits`."""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from functools import partial

from pipeline.articles.files import sha256_of
from pipeline.config import Settings, Subscriptions
from pipeline.domain.errors import CopydeskError
from pipeline.domain.models import Beat, Source
from pipeline.rewrite.prompt import load_prompt
from pipeline.services.budget import ItemBudget
from pipeline.services.context import ModelContext
from pipeline.services.draft_file import beat_of, draft_front, draft_source, recorded_text
from pipeline.services.second_reader import DraftText, verify_sentences
from pipeline.services.writers import WriterPool, open_client
from pipeline.storage import Database, DraftRow
from pipeline.verifier.edits import changed_sentences
from pipeline.verifier.question import Question
from pipeline.verifier.request import PROMPT

_RUN = "desk-"
"""Prefix of the names under which the desk's calls are recorded."""


class EditVerifier:
    """Verifies edits in the background, one call an edit; its calls count towards the caps."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._run = f"{_RUN}{secrets.token_hex(8)}"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._verified: dict[str, set[str]] = defaultdict(set)
        """Sentences of drafts that were verified since the start, by external id."""

    def is_reading(self, ref: str) -> bool:
        """Return whether the second reader is reading a draft now."""
        return ref in self._tasks and not self._tasks[ref].done()

    def start(self, subscriptions: Subscriptions, row: DraftRow) -> None:
        """Begin to verify what the draft's last version has otherwise than the last text no editor wrote.

        An earlier verification of the draft that still runs goes on: its answer is paid for.
        """
        if beat_of(subscriptions, row.feed_key).verify_edits:
            earlier = self._tasks.get(row.external_id)
            task = asyncio.create_task(self._after(earlier, subscriptions, row))
            self._tasks[row.external_id] = task

    async def close(self) -> None:
        """End what is under way."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _after(
        self, earlier: "asyncio.Task[None] | None", subscriptions: Subscriptions, row: DraftRow
    ) -> None:
        if earlier:
            await asyncio.wait((earlier,))
        with contextlib.suppress(CopydeskError):  # the findings of code stand
            await self._verify(subscriptions, row)

    async def _verify(self, subscriptions: Subscriptions, row: DraftRow) -> None:
        source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
        question = await asyncio.to_thread(self._question, row, source, beat)
        if not question.numbers:
            return
        async with contextlib.AsyncExitStack() as stack:
            ctx = self._context(subscriptions, stack)
            findings = await verify_sentences(ctx, ItemBudget(ctx, row), question, beat, row.findings)
        self._verified[row.external_id] |= set(_sentences(question))
        sha256 = sha256_of(row.version_text.encode())
        await asyncio.to_thread(self._db.findings.replace, row, sha256, findings)

    def _question(self, row: DraftRow, source: Source, beat: Beat) -> Question:
        old, new = (
            DraftText(source, beat, body, draft_front(row, metadata, body, beat)).numbered
            for metadata, body in (recorded_text(row.origin), recorded_text(row.version_text))
        )
        changed, verified = changed_sentences(old, new), self._verified[row.external_id]
        sentences = (each for each in new.sentences if each.number in changed)
        return Question(source, new, frozenset(e.number for e in sentences if new.text_of(e) not in verified))

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
            run=self._run,
            longest_call_s=max(deadlines),
            fatal_errors=fatal_errors,
        )


def _sentences(question: Question) -> list[str]:
    draft = question.draft
    return [draft.text_of(each) for each in draft.sentences if each.number in question.numbers]
