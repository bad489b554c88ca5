"""The second reader's one call about a draft: from the question to the findings. Callers own the model."""

import asyncio
from collections import Counter
from typing import NamedTuple, Protocol

from pipeline.domain.errors import BudgetExceeded, LLMError
from pipeline.domain.model_calls import LLMResponse, TokenUsage
from pipeline.domain.models import Beat
from pipeline.domain.readings import SentenceReading
from pipeline.llm.structured_output import StructuredRequest
from pipeline.rewrite.prompt import Prompt
from pipeline.verifier.confirm import Confirmation, confirm_answer
from pipeline.verifier.objections import ParsedAnswer, WireObjections, parse_answer
from pipeline.verifier.question import Question
from pipeline.verifier.readings import sentence_readings
from pipeline.verifier.request import verify_messages

PURPOSE = "verify"
"""What the calls are for, in the ledger of calls."""


class Ask(Protocol):
    """Sends one request to a model; `request_structured` with its client and budget is one."""

    async def __call__(self, request: StructuredRequest[ParsedAnswer]) -> tuple[LLMResponse, ParsedAnswer]:
        """Return the answer, and what was read from it. Raises LLMError, BudgetExceeded."""


class Verification(NamedTuple):
    """What a second reader found in a draft, as far as code confirms it."""

    confirmation: Confirmation
    """With what was dropped, and the sentences that passed; empty where no answer could be read."""
    readings: tuple[SentenceReading, ...] = ()
    """What it said of each sentence that it was asked about; none where the draft was not verified."""
    note: str = ""
    """Why the draft was not verified, as a clause; empty where it was."""
    objections: int = 0
    """Entries of the answer, confirmed or not."""
    answer: LLMResponse | None = None
    """What was paid for, with model, prompt, usage and seconds; None where there was no answer."""
    error: LLMError | BudgetExceeded | None = None
    """Why there is no answer, where the model or a cap is the reason."""

    @property
    def usage(self) -> TokenUsage:
        """Return the tokens that were paid for."""
        return self.answer.usage if self.answer else TokenUsage()


async def verify(question: Question, prompt: Prompt, beat: Beat, ask: Ask, profile: str) -> Verification:
    """Ask a profile's model about a draft once and return what code confirms.

    Nothing is asked about no sentence. The answer is recorded under the prompt and the question's digest.
    A model that fails, or answers nonsense, is a note. Raises ConfigError for a template that cannot be
    rendered.
    """
    if not question.numbers:
        return Verification(_NOTHING)
    messages = await asyncio.to_thread(verify_messages, prompt, question, beat)
    request = StructuredRequest(
        messages=messages,
        prompt_id=prompt_id(prompt, question),
        response_model=WireObjections,
        parse=parse_answer,
        purpose=PURPOSE,
        max_tokens=prompt.hints.max_tokens,
        temperature=prompt.hints.temperature,
        once=True,
    )
    try:
        answer, parsed = await ask(request)
    except (LLMError, BudgetExceeded) as error:
        paid = error.context.get("answer")
        failed = _unverified(error.message, paid if isinstance(paid, LLMResponse) else None)
        return failed._replace(error=error)
    if parsed.problem:
        return _unverified(parsed.problem, answer)._replace(objections=parsed.malformed)
    return await asyncio.to_thread(_confirmed, question, parsed, answer, profile)


def prompt_id(prompt: Prompt, question: Question) -> str:
    """Return what an answer is recorded under: a later run knows by it that the same was asked."""
    return f"{prompt.id}#{question.digest}"


def _confirmed(question: Question, parsed: ParsedAnswer, answer: LLMResponse, profile: str) -> Verification:
    confirmation = confirm_answer(question, parsed)
    readings = tuple(sentence_readings(question, confirmation, answer.provenance.model, profile))
    objections = len(parsed.objections) + parsed.malformed
    return Verification(confirmation, readings, confirmation.left_out, objections, answer)


def _unverified(reason: str, answer: LLMResponse | None) -> Verification:
    return Verification(_NOTHING, note=reason, answer=answer)


_NOTHING = Confirmation((), frozenset(), Counter(), Counter())
