"""The second reader of a run: asked once about each draft that a model wrote, under the caps of the run."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pipeline.config import Settings
from pipeline.domain.errors import ConfigError, LLMError
from pipeline.domain.models import Beat, LLMResponse, Source
from pipeline.domain.readings import SentenceReading
from pipeline.domain.reviews import Finding, Front
from pipeline.llm.structured_output import StructuredRequest
from pipeline.services.budget import ItemBudget
from pipeline.services.context import ModelContext, Writer
from pipeline.services.writers import ask_writers
from pipeline.storage import CallSubject, Lease
from pipeline.verifier.evaluation.measurement import Measurement, load_measurement
from pipeline.verifier.findings import join_findings, unverified
from pipeline.verifier.numbered_draft import NumberedDraft, number_sentences
from pipeline.verifier.objections import ParsedAnswer
from pipeline.verifier.question import Question
from pipeline.verifier.readings import raw_text, read_findings, unread_sentences
from pipeline.verifier.verify import Verification, prompt_id, verify


class DraftText(NamedTuple):
    """The text of a draft, and what it is held against."""

    source: Source
    beat: Beat
    body: str
    front: Front

    @property
    def numbered(self) -> NumberedDraft:
        """The draft with its sentences numbered; computed at each call."""
        return number_sentences(self.source, self.body, self.beat, self.front)


class VerifiedFindings(NamedTuple):
    """The findings of code and of the second reader about one text."""

    findings: tuple[Finding, ...]
    record: dict[str, Any] | None = None
    """The value of `ai.verified`; None where no second reader read the whole text."""
    note: str = ""
    """Why it was not read, as a clause; empty where it was, or no second reader is set."""


async def verify_text(
    ctx: ModelContext, about: CallSubject, budget: ItemBudget, text: DraftText, code: Sequence[Finding]
) -> VerifiedFindings:
    """Return code's findings about a text joined with the second reader's.

    It is asked only about sentences that it did not read before. Where it fails, or a cap would be passed, a
    note says so. Raises LeaseLost, RateLimited, ShutdownRequested.
    """
    draft = await asyncio.to_thread(lambda: text.numbered)
    readings, note = await read_text(ctx, about, budget, text, draft)
    joined = await asyncio.to_thread(join_readings, code, readings, draft, text, note)
    record = None if note else _record(ctx, readings, draft, text.source)
    return VerifiedFindings(joined, record, note)


def join_readings(
    code: Sequence[Finding],
    readings: Sequence[SentenceReading],
    draft: NumberedDraft,
    text: DraftText,
    note: str = "",
) -> tuple[Finding, ...]:
    """Return code's findings about a text joined with what the second reader said of its sentences."""
    sense, passed = read_findings(readings, draft, text.source, text.beat.checks)
    joined = join_findings(code, sense, draft, passed)
    return (*joined, unverified(note)) if note else joined


async def read_text(
    ctx: ModelContext, about: CallSubject, budget: ItemBudget, text: DraftText, draft: NumberedDraft
) -> tuple[tuple[SentenceReading, ...], str]:
    """Have the sentences read that were not; return all readings, and why there are no new ones."""
    readings = await asyncio.to_thread(ctx.db.readings.of_item, about.item_id)
    reader = ctx.verifier(text.beat)
    unread = unread_sentences(readings, draft, text.source)
    if reader is None or not unread:
        return readings, ""
    done = await _verify(ctx, reader, about, budget, Question(text.source, draft, unread), text.beat)
    if done.readings:
        await asyncio.wrap_future(ctx.db.readings.submit(about.item_id, done.readings))
    return (*readings, *done.readings), done.note


async def _verify(
    ctx: ModelContext,
    reader: Writer,
    about: CallSubject,
    budget: ItemBudget,
    question: Question,
    beat: Beat,
) -> Verification:
    if ctx.verify_prompt is None:
        raise AssertionError("a beat with a second reader has its prompt")
    recorded = (
        about.later_answers.get(prompt_id(ctx.verify_prompt, question)) if isinstance(about, Lease) else None
    )
    ask = partial(_recorded, recorded) if recorded else partial(_ask, ctx, reader, budget)
    done = await verify(question, ctx.verify_prompt, beat, ask, reader.profile)
    if done.error is not None:
        budget.note(f"a draft was not verified: {done.note}")
    return done


async def _ask(
    ctx: ModelContext, reader: Writer, budget: ItemBudget, request: StructuredRequest[ParsedAnswer]
) -> tuple[LLMResponse, ParsedAnswer]:
    if reader.is_gone:
        raise LLMError(f"the model of {reader.profile} is gone", retry=False)
    return await ask_writers((reader,), request, budget, ctx.clock)


async def _recorded(
    answer: LLMResponse, request: StructuredRequest[ParsedAnswer]
) -> tuple[LLMResponse, ParsedAnswer]:
    return answer, request.parse(answer.text, notes=[])


def _record(
    ctx: ModelContext, readings: Sequence[SentenceReading], draft: NumberedDraft, source: Source
) -> dict[str, Any] | None:
    """Return what a draft says of its second reader; None where it has not read all of it."""
    sentences = {(each.field, raw_text(draft, each)) for each in draft.sentences}
    now = source.item.content_hash
    read = {(e.field, e.text): e for e in readings if e.source == now and (e.field, e.text) in sentences}
    if not read or len(read) < len(sentences):
        return None
    last = list(read.values())[-1]
    prompt = ctx.verify_prompt.id if ctx.verify_prompt else ""
    measurement = measurement_of(ctx.settings, last.profile, last.model, prompt)
    return {
        "model": last.model,
        "measured": measurement.measured_at.date().isoformat() if measurement else None,
        "objections": sum(len(each.objections) for each in read.values()),
    }


def measurement_of(settings: Settings, profile: str, model: str, prompt: str) -> Measurement | None:
    """Return how a profile was measured with this model and prompt; None if it was not, or is unreadable."""
    try:
        measurement = load_measurement(settings.base / "evals", profile)
    except ConfigError:
        return None
    return measurement if measurement and measurement.is_of(model, prompt) else None
