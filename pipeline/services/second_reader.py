"""The second reader of a run: asked once about each draft that a model wrote, under the caps of the run."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from pipeline.config import Settings
from pipeline.domain.errors import ConfigError, LLMError
from pipeline.domain.models import Beat, LLMResponse, Source
from pipeline.domain.reviews import Finding, Front
from pipeline.llm.structured_output import StructuredRequest
from pipeline.services.budget import ItemBudget
from pipeline.services.context import ModelContext, Writer
from pipeline.services.writers import ask_writers
from pipeline.storage import Lease
from pipeline.verifier.edits import changed_sentences, keep_findings
from pipeline.verifier.evaluation.measurement import Measurement, load_measurement
from pipeline.verifier.findings import join_findings
from pipeline.verifier.numbered_draft import NumberedDraft, number_sentences
from pipeline.verifier.objections import ParsedAnswer
from pipeline.verifier.question import Question
from pipeline.verifier.verify import PURPOSE, Verification, verify

AFTER_REPAIR = "verify_repair"
"""Purpose of the call about a draft whose sentences were repaired."""


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
    """The value of `ai.verified`; None where no second reader verified the text."""


async def verify_draft(
    ctx: ModelContext,
    lease: Lease,
    budget: ItemBudget,
    text: DraftText,
    code: Sequence[Finding],
    purpose: str = PURPOSE,
) -> VerifiedFindings:
    """Return the findings of code joined with those of the beat's second reader.

    An answer that was paid for earlier is used again. Where the second reader fails, or a cap would be
    passed, a note says so. Raises LeaseLost, RateLimited, ShutdownRequested.
    """
    reader = ctx.verifier(text.beat)
    if reader is None:
        return VerifiedFindings(tuple(code))
    question = Question(text.source, await asyncio.to_thread(lambda: text.numbered))
    recorded = lease.later_answers.get(purpose)
    done = await _verify(ctx, reader, budget, question, text.beat, purpose, recorded)
    joined = join_findings(code, done.findings, question.draft, done.confirmation.passed)
    return VerifiedFindings(joined, await asyncio.to_thread(_record, ctx, reader, done))


async def verify_change(
    ctx: ModelContext,
    lease: Lease,
    budget: ItemBudget,
    before: DraftText,
    after: DraftText,
    code: Sequence[Finding],
) -> tuple[Finding, ...]:
    """Return the findings about a text of which some sentences are new: only those are verified.

    The stored findings are about the text before; `code` are those of code about the new one. Raises as
    `verify_draft` does.
    """
    row = await asyncio.to_thread(ctx.db.drafts.get, after.source.external_id)
    old, new = await asyncio.to_thread(lambda: (before.numbered, after.numbered))
    joined = keep_findings(code, row.findings, old, new, after.source)
    question = Question(after.source, new, changed_sentences(old, new))
    return await verify_sentences(ctx, budget, question, after.beat, joined, lease.later_answers.get(PURPOSE))


async def verify_sentences(
    ctx: ModelContext,
    budget: ItemBudget,
    question: Question,
    beat: Beat,
    present: Sequence[Finding],
    recorded: LLMResponse | None = None,
) -> tuple[Finding, ...]:
    """Return the present findings about a text, joined with the second reader's about some sentences of it.

    `recorded` is its answer, where it was paid for earlier. Raises as `verify_draft` does.
    """
    reader = ctx.verifier(beat)
    if reader is None:
        return tuple(present)
    done = await _verify(ctx, reader, budget, question, beat, PURPOSE, recorded)
    return join_findings(present, done.findings, question.draft, done.confirmation.passed)


async def _verify(
    ctx: ModelContext,
    reader: Writer,
    budget: ItemBudget,
    question: Question,
    beat: Beat,
    purpose: str,
    recorded: LLMResponse | None,
) -> Verification:
    if ctx.verify_prompt is None:
        raise AssertionError("a beat with a second reader has its prompt")
    ask = partial(_recorded, recorded) if recorded else partial(_ask, ctx, reader, budget)
    done = await verify(question, ctx.verify_prompt, beat, ask, purpose)
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


def _record(ctx: ModelContext, reader: Writer, done: Verification) -> dict[str, Any] | None:
    """Return what a draft says of its verification."""
    if done.note or ctx.verify_prompt is None:
        return None
    model = reader.client.model
    measurement = measurement_of(ctx.settings, reader.profile, model, ctx.verify_prompt.id)
    return {
        "model": model,
        "measured": measurement.measured_at.date().isoformat() if measurement else None,
        "objections": len(done.confirmation.confirmed),
    }


def measurement_of(settings: Settings, profile: str, model: str, prompt: str) -> Measurement | None:
    """Return how a profile was measured with this model and prompt; None if it was not, or is unreadable."""
    try:
        measurement = load_measurement(settings.base / "evals", profile)
    except ConfigError:
        return None
    return measurement if measurement and measurement.is_of(model, prompt) else None
