"""Structured output: asks a model until an answer fits a JSON schema, or reports why none does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pydantic import BaseModel

from pipeline.domain.errors import FailureCause, LLMError
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.llm.answers import is_complete
from pipeline.llm.breaker import OF_THE_ITEM
from pipeline.llm.chat import (
    TOKEN_LIMIT_FACTOR,
    Attempt,
    ChatResponse,
    FinishReason,
    Message,
    ModelOptions,
    build_request,
    estimate_prompt_tokens,
    first_attempt,
    retry_after_loss,
    retry_after_rejection,
    retry_with_more_tokens,
    retry_with_repair,
)
from pipeline.llm.errors import LostAnswer, UnsupportedMode
from pipeline.llm.refusal_messages import quoted
from pipeline.llm.usage import UpperBound, settle

if TYPE_CHECKING:
    from pipeline.llm.client import LLMClient
    from pipeline.llm.deadline import Deadline

T = TypeVar("T")
Read = TypeVar("Read", covariant=True)
MAX_REQUESTS = 12
"""Requests about one item, including rejected ones: all modes and repairs together need no more."""


class Parse(Protocol[Read]):
    """Parses an answer."""

    def __call__(self, text: str, *, notes: list[str]) -> Read:
        """Return what an answer says; `notes` gets what was read leniently.

        Raises LLMError when it cannot be used; its `reason` is sent to the model.
        """


@dataclass(frozen=True)
class StructuredRequest(Generic[T]):
    """What a model is asked, and how its answer is parsed."""

    messages: Sequence[Message]
    prompt_id: str
    response_model: type[BaseModel]
    """The answer must fit it; its JSON schema is sent."""
    parse: Parse[T]
    purpose: str = "draft"
    max_tokens: int | None = None
    temperature: float | None = None
    once: bool = False
    """No second answer is paid for, in this run or a later one: no repair, no other limit, none discarded
    but one that was lost.

    The wait for the item's turn counts towards the deadline, and an answer that is cut off or withheld ends
    such waits, too.
    """


class CallBudget(Protocol):
    """Accounts for the cost of requests, before and after each."""

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Reserve the highest cost of a request. Return the reservation's number and the tokens allowed.

        Fewer tokens than `answer_tokens` are allowed when less money is left. Raises BudgetExceeded.
        """

    async def release(self, reservation: int | None) -> None:
        """Release a reservation: the request got no answer."""

    def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> Awaitable[None]:
        """Record a billed answer, before it is parsed. It is on its way to the disk when this returns."""

    async def annotate(self, notes: Sequence[str]) -> None:
        """Add what was read leniently to the recorded answer."""

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

    async def annotate(self, notes: Sequence[str]) -> None:
        """Do nothing."""

    async def discard(self, reason: str) -> None:
        """Do nothing: an unusable answer is billed too."""


async def request_structured(
    model: "LLMClient", request: StructuredRequest[T], budget: CallBudget
) -> tuple[LLMResponse, T]:
    """Do as `request_in_turn`, after the wait for the item's turn."""
    async with turn(model, request) as deadline:
        return await request_in_turn(model, request, budget, deadline)


@contextlib.asynccontextmanager
async def turn(model: "LLMClient", request: StructuredRequest[T]) -> "AsyncIterator[Deadline]":
    """Wait while the server has not answered and another item is asked about; yield the item's deadline.

    Raises LLMRejected once the run has ended, LLMError where a request with `once` waits too long.
    """
    deadline = model.deadline()
    async with contextlib.AsyncExitStack() as stack:
        try:
            async with asyncio.timeout_at(deadline.at if request.once else None):
                await stack.enter_async_context(model.breaker.turn())
        except TimeoutError as error:
            message = "the model server did not answer about another item before this one's deadline"
            raise LLMError(message, cause=FailureCause.OUTAGE) from error
        yield deadline if request.once else model.deadline()


async def request_in_turn(
    model: "LLMClient", request: StructuredRequest[T], budget: CallBudget, deadline: "Deadline"
) -> tuple[LLMResponse, T]:
    """Return a usable answer, verbatim, and the value parsed from it; the caller has the item's `turn`.

    For one cause at most two answers are paid for: the first, and one repair, one with a higher limit or one
    after an answer that was lost.
    Raises LLMError (a refusal, a content filter, an answer that is cut off, lost or does not fit),
    LLMRejected when every other item would fail too, BudgetExceeded.
    """
    try:
        result = await _converse(model, request, budget, deadline)
    except LLMError as error:
        if request.once and error.cause in OF_THE_ITEM:
            model.breaker.open()
        counted = model.breaker.fail(error)
        if counted is error:
            raise
        raise counted from error
    model.breaker.succeed()
    return result


async def _converse(
    model: "LLMClient", request: StructuredRequest[T], budget: CallBudget, deadline: "Deadline"
) -> tuple[LLMResponse, T]:
    """Ask about one item until an answer is usable or no other request can help."""
    options = _options(model.options, request)
    attempt = first_attempt(model.mode, options.max_tokens)
    for _ in range(MAX_REQUESTS):
        try:
            answer, reply = await _send_attempt(model, request, attempt, options, budget, deadline)
        except UnsupportedMode as error:
            attempt = _attempt_or_raise(retry_after_rejection(attempt, error), error.error)
            continue
        except LostAnswer as error:
            has_time = not error.is_running or deadline.left_s() >= model.timeout_s
            can_retry = has_time and not request.once
            following = retry_after_loss(attempt, is_running=error.is_running) if can_retry else None
            attempt = _attempt_or_raise(following, LLMError(str(error), cause=FailureCause.OUTAGE))
            continue
        try:
            result, notes = await _parse(request, reply)
        except LLMError as error:
            following = None
            if not request.once:
                await budget.discard(error.message)
                following = _next_attempt(attempt, reply, error)
            if following:
                _require_time(
                    deadline, answer, following.max_tokens / attempt.max_tokens, model.names.deadline
                )
            attempt = _attempt_or_raise(following, _unusable_error(error, answer, model.names.max_tokens))
            continue
        if notes:
            await budget.annotate(notes)
        await model.remember_mode(attempt.mode, after_misfit=attempt.repaired)
        return answer, result
    raise LLMError("the model server rejects every request mode", cause=FailureCause.FORMAT)


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
    prompt_tokens = estimate_prompt_tokens(body)
    # Where no limit is sent, nothing says how long an answer is. Chosen, not measured.
    limit = attempt.max_tokens * (1 if attempt.mode.length_field else TOKEN_LIMIT_FACTOR)
    with deadline.paused():  # the wait for other calls' reservations does not count
        reservation, max_tokens = await budget.reserve(prompt_tokens, limit)
    if attempt.mode.length_field:
        body[attempt.mode.length_field] = limit = max_tokens
    purpose = "repair" if attempt.repair else request.purpose
    bound = UpperBound(prompt_tokens, limit)
    provenance = Provenance(rewritten=True, model=model.model, prompt=request.prompt_id)
    timeout_s = model.timeout_s * max(1.0, attempt.max_tokens / options.max_tokens)
    try:
        reply = await model.send(body, deadline=deadline, timeout_s=timeout_s)
    except LostAnswer as error:
        usage, estimated = settle(*error.billed, bound, "")
        lost = LLMResponse(text="", provenance=provenance, usage=usage, estimated=estimated, arrived=False)
        await asyncio.shield(budget.record(lost, purpose, reservation))
        await budget.discard(str(error))
        raise
    except Exception:  # not on cancellation: the server may bill the request
        await asyncio.shield(budget.release(reservation))
        raise
    usage, estimated = settle(reply.usage, reply.gaps, bound, reply.text)
    answer = LLMResponse(
        text=reply.text,
        provenance=provenance,
        usage=usage,
        estimated=estimated,
        notes=reply.notes,
        seconds=round(reply.seconds, 3),
    )
    # A cancellation here would lose a billed answer.
    await asyncio.shield(budget.record(answer, purpose, reservation))
    return answer, reply


async def _parse(request: StructuredRequest[T], reply: ChatResponse) -> tuple[T, list[str]]:
    """Return the parsed answer and what was read leniently; parsing runs in a thread. Raises LLMError."""
    if reply.finish_reason is FinishReason.REFUSAL:
        message = f"the model refuses to write this: {quoted(reply.refusal) or 'no reason given'}"
        raise LLMError(message, cause=FailureCause.FILTER)
    if reply.finish_reason is FinishReason.FILTER:
        message = "the server's content filter withheld the answer"
        raise LLMError(message, cause=FailureCause.FILTER)
    notes: list[str] = []
    if reply.finish_reason is FinishReason.LENGTH:
        # Some models write white space after their answer until they are stopped.
        if not is_complete(reply.text):
            message = "the answer was cut off at the length limit"
            raise LLMError(message, cause=FailureCause.LENGTH)
        notes.append("stopped at the length limit, after the whole answer")
    if not reply.text.strip():
        message = "the model's answer is empty"
        raise LLMError(message, cause=FailureCause.FORMAT, reason="it is empty", unfit=True)
    return await asyncio.to_thread(request.parse, reply.text, notes=notes), notes


def _next_attempt(attempt: Attempt, reply: ChatResponse, error: LLMError) -> Attempt | None:
    """Return the attempt after an unusable answer; None if another attempt cannot help."""
    if error.cause is FailureCause.LENGTH:
        return retry_with_more_tokens(attempt)
    if error.cause is FailureCause.FILTER:
        return None
    reason = str(error.context.get("reason", error.message))
    return retry_with_repair(attempt, reply.text, reason, unfit=bool(error.context.get("unfit")))


def _attempt_or_raise(attempt: Attempt | None, error: LLMError) -> Attempt:
    if attempt is None:
        raise error
    return attempt


def _require_time(deadline: "Deadline", answer: LLMResponse, factor: float, setting: str) -> None:
    """Raise LLMError if an answer `factor` times as long, at the pace of the last one, is too late."""
    if factor > 1 and deadline.left_s() < factor * (answer.seconds or 0.0):
        message = "the answer was cut off at the length limit, and a longer one ends after the deadline"
        advice = f"set {setting} higher, or let the feed use its summary"
        raise LLMError(f"{message}; {advice}", retry=True, cause=FailureCause.LENGTH, answer=answer)


def _unusable_error(error: LLMError, answer: LLMResponse, limit: str) -> LLMError:
    """Return the error of an item without a usable answer; it carries the last answer, which was billed."""
    message = error.message
    if error.cause is FailureCause.LENGTH:
        message += f"; set {limit} higher, or let the feed use its summary"
    return LLMError(message, retry=error.retry, cause=error.cause, **error.context | {"answer": answer})


def _options(options: ModelOptions, request: StructuredRequest[T]) -> ModelOptions:
    """Return the operator's options, completed by those of the prompt."""
    requested = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    chosen = options.model_fields_set
    defaults = {name: value for name, value in requested.items() if value is not None and name not in chosen}
    return options.model_copy(update=defaults)
