"""Structured output: asks a model until an answer fits a JSON schema, or reports why none does."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pydantic import BaseModel

from pipeline.domain.errors import LLMError
from pipeline.domain.models import LLMResponse, Provenance, TokenUsage
from pipeline.llm.capabilities import is_context_overflow
from pipeline.llm.chat import (
    Attempt,
    ChatResponse,
    FinishReason,
    Message,
    ModelOptions,
    build_request,
    estimate_prompt_tokens,
    retry_in_other_mode,
    retry_with_more_tokens,
    retry_with_repair,
)
from pipeline.llm.errors import UnsupportedMode, quoted

if TYPE_CHECKING:
    from pipeline.llm.client import Deadline, LLMClient

T = TypeVar("T")
MAX_REQUESTS = 12
"""Requests about one item, including rejected ones: all modes and repairs together need no more."""


@dataclass(frozen=True)
class StructuredRequest(Generic[T]):
    """What a model is asked, and how its answer is parsed."""

    messages: Sequence[Message]
    prompt_id: str
    response_model: type[BaseModel]
    """The answer must fit it; its JSON schema is sent."""
    parse: Callable[[str], T]
    """Raises LLMError when an answer cannot be used; its `reason` is sent to the model."""
    purpose: str = "draft"
    max_tokens: int | None = None
    temperature: float | None = None


class CallBudget(Protocol):
    """Accounts for the cost of requests, before and after each."""

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Reserve the highest cost of a request. Return the reservation's number and the tokens allowed.

        Fewer tokens than `answer_tokens` are allowed when less money is left. Raises BudgetExceeded.
        """

    async def release(self, reservation: int | None) -> None:
        """Release a reservation: the request got no answer."""

    async def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        """Record a billed answer, before it is parsed."""

    async def discard(self, reason: str) -> None:
        """Mark the recorded answer as unusable."""


class UnlimitedBudget:
    """A CallBudget without caps or records; it only adds up the usage."""

    def __init__(self) -> None:
        self.usage = TokenUsage()

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Reserve nothing and allow every token."""
        return None, answer_tokens

    async def release(self, reservation: int | None) -> None:
        """Do nothing."""

    async def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        """Add the answer's usage."""
        self.usage += answer.usage

    async def discard(self, reason: str) -> None:
        """Do nothing: an unusable answer is billed too."""


async def request_structured(
    model: "LLMClient", request: StructuredRequest[T], budget: CallBudget
) -> tuple[LLMResponse, T]:
    """Return a usable answer, verbatim, and the value parsed from it.

    Raises LLMError (a refusal, a content filter, an answer that is cut off or does not fit, a server that
    does not answer), LLMRejected when every other item would fail too, BudgetExceeded.
    """
    options = _options(model.options, request)
    attempt = Attempt(mode=model.mode, max_tokens=options.max_tokens)
    async with model.deadline() as deadline:
        for _ in range(MAX_REQUESTS):
            try:
                answer, reply = await _send_attempt(model, request, attempt, options, budget, deadline)
            except UnsupportedMode as error:
                attempt = _attempt_or_raise(
                    retry_in_other_mode(attempt, error.status, error.message), _rejection_error(error)
                )
                continue
            try:
                result = await _parse(request, reply)
            except LLMError as error:
                await budget.discard(error.message)
                attempt = _attempt_or_raise(
                    _next_attempt(attempt, reply, error),
                    _unusable_error(error, answer, model.names.max_tokens),
                )
                continue
            await model.remember_mode(attempt.mode)
            return answer, result
    raise LLMError("the model server rejects every request mode", retry=False)


async def _send_attempt(
    model: "LLMClient",
    request: StructuredRequest[T],
    attempt: Attempt,
    options: ModelOptions,
    budget: CallBudget,
    deadline: "Deadline",
) -> tuple[LLMResponse, ChatResponse]:
    """Send one request: reserve its cost before, record the answer after."""
    body = build_request(request.messages, request.response_model, attempt, options)
    with deadline.paused():  # the wait for other calls' reservations does not count
        reservation, max_tokens = await budget.reserve(estimate_prompt_tokens(body), attempt.max_tokens)
    if attempt.mode.length_field:
        body[attempt.mode.length_field] = max_tokens
    started = time.monotonic()
    try:
        reply = await model.send(body)
    except Exception:  # not on cancellation: the server may bill the request
        await asyncio.shield(budget.release(reservation))
        raise
    answer = LLMResponse(
        text=reply.text,
        provenance=Provenance(rewritten=True, model=model.model, prompt=request.prompt_id),
        usage=reply.usage,
        seconds=round(time.monotonic() - started, 3),
    )
    # A cancellation here would lose a billed answer.
    purpose = "repair" if attempt.is_repair else request.purpose
    await asyncio.shield(budget.record(answer, purpose, reservation))
    return answer, reply


async def _parse(request: StructuredRequest[T], reply: ChatResponse) -> T:
    """Return the parsed answer; parsing runs in a thread. Raises LLMError."""
    if reply.finish_reason is FinishReason.REFUSAL:
        raise LLMError(f"the model refuses to write this: {quoted(reply.refusal, None)}", retry=False)
    if reply.finish_reason is FinishReason.FILTER:
        raise LLMError("the server's content filter withheld the answer", retry=False)
    if reply.finish_reason is FinishReason.LENGTH:
        raise LLMError("the answer was cut off at the length limit", retry=False)
    if not reply.text.strip():
        raise LLMError("the model's answer is empty", retry=False, reason="it is empty")
    return await asyncio.to_thread(request.parse, reply.text)


def _next_attempt(attempt: Attempt, reply: ChatResponse, error: LLMError) -> Attempt | None:
    """Return the attempt after an unusable answer; None if another attempt cannot help."""
    if reply.finish_reason is FinishReason.LENGTH:
        return retry_with_more_tokens(attempt)
    if reply.finish_reason is not FinishReason.STOP:
        return None
    return retry_with_repair(attempt, reply.text, str(error.context.get("reason", error.message)))


def _attempt_or_raise(attempt: Attempt | None, error: LLMError) -> Attempt:
    if attempt is None:
        raise error
    return attempt


def _unusable_error(error: LLMError, answer: LLMResponse, limit: str) -> LLMError:
    """Return the error of an item without a usable answer; it carries the last answer, which was billed."""
    message = error.message
    if "length limit" in message:
        message += f"; set {limit} higher, or let the feed use its summary"
    return LLMError(message, retry=False, cause=error.cause, answer=answer, **error.context)


def _rejection_error(error: UnsupportedMode) -> LLMError:
    """Return the error of an item whose request is rejected in every mode."""
    if is_context_overflow(error.message):
        message = f"prompt and source do not fit into the model's context (the server says: {error.message})"
        return LLMError(f"{message}; use a model with a larger one", retry=False, status=error.status)
    return error.error


def _options(options: ModelOptions, request: StructuredRequest[T]) -> ModelOptions:
    """Return the operator's options, completed by those of the prompt."""
    requested = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    chosen = options.model_fields_set
    defaults = {name: value for name, value in requested.items() if value is not None and name not in chosen}
    return options.model_copy(update=defaults)
