"""The second reader of a run: asked once about each draft that a model wrote, under the caps of the run."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pipeline.config import Settings
from pipeline.domain.errors import ConfigError, LLMError
from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import Beat, Source
from pipeline.domain.readings import SentenceReading
from pipeline.domain.reviews import Finding, Front
from pipeline.llm.structured_output import StructuredRequest
from pipeline.services.budget import ItemBudget
from pipeline.services.context import ModelContext, Writer
from pipeline.services.writers import ask_writers
from pipeline.storage import CallSubject, Lease
from pipeline.verifier.evaluation.measurement import Measurement, load_measurement
from pipeline.verifier.findings import unverified
from pipeline.verifier.numbered_draft import NumberedDraft, number_sentences
from pipeline.verifier.objections import ParsedAnswer
from pipeline.verifier.question import Question
from pipeline.verifier.readings import join_readings, unread_sentences
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
    levels = text.beat.checks
    joined = await asyncio.to_thread(join_readings, code, readings, draft, text.source, levels)
    record = _record(ctx, readings, draft, text.source)
    return VerifiedFindings(with_note(joined, note), record, note)


def with_note(findings: tuple[Finding, ...], note: str) -> tuple[Finding, ...]:
    """Return findings with why the second reader did not read the draft, where it did not."""
    return (*findings, unverified(note)) if note else findings


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
    if unread_sentences(readings, draft, source) or not draft.sentences:
        return None
    now = source.item.content_hash
    texts = {(each.field, draft.raw_text_of(each)) for each in draft.sentences}
    read = [each for each in readings if each.source == now and (each.field, each.text) in texts]
    last = read[-1]
    prompt = ctx.verify_prompt.id if ctx.verify_prompt else ""
    measurement = measurement_of(ctx.settings, last.profile, last.model, prompt)
    return {
        "model": last.model,
        "measured": measurement.measured_at.date().isoformat() if measurement else None,
        "objections": sum(len(each.objections) for each in read),
    }


def measurement_of(settings: Settings, profile: str, model: str, prompt: str) -> Measurement | None:
    """Return how a profile was measured with this model and prompt; None if it was not, or is unreadable."""
    try:
        measurement = load_measurement(settings.base / "evals", profile)
    except ConfigError:
        return None
    return measurement if measurement and measurement.is_of(model, prompt) else None
