"""One conversation about one item: from the first request to an answer of use, or a named outcome."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from pipeline.domain.errors import LLMError
from pipeline.domain.models import LLMResponse, Provenance
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
from pipeline.llm.client import Deadline, LLMClient
from pipeline.llm.errors import UnsupportedMode, quoted

T = TypeVar("T")
MAX_REQUESTS = 12
"""Requests about one item, refused ones counted: no way down the ladder takes more."""


@dataclass(frozen=True)
class StructuredRequest(Generic[T]):
    """What a model is asked for, and how its answer is read."""

    messages: Sequence[Message]
    prompt_id: str
    shape: type[BaseModel]
    """What the answer must fit; the schema is sent."""
    read: Callable[[str], T]
    """Raises ModelError, whose `reason` is told to the model, where an answer cannot be used."""
    purpose: str = "draft"
    max_tokens: int | None = None
    temperature: float | None = None


class CallBudget(Protocol):
    """Where what is asked is accounted for, before and after."""

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Put down the most that a request may cost; returns a number, and the tokens for the answer.

        Those are fewer than asked for where less money is left. Raises BudgetSpent.
        """

    async def release(self, reservation: int | None) -> None:
        """Take that back: the request was not answered."""

    async def keep(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        """Write down an answer that was paid for, before it is read."""

    async def discard(self, reason: str) -> None:
        """Mark what was kept as of no use."""


async def request_structured(
    model: LLMClient, task: StructuredRequest[T], books: CallBudget
) -> tuple[LLMResponse, T]:
    """Return an answer that can be used, verbatim, and what was read out of it.

    Raises ModelError (a refusal, a filter, an answer cut off or of the wrong shape, a server that does not
    answer), ModelRefused where no other item would fare better, BudgetSpent.
    """
    options = _options(model.options, task)
    turn = Attempt(manner=model.manner, cap=options.max_tokens)
    async with model.deadline() as deadline:
        for _ in range(MAX_REQUESTS):
            try:
                answer, reply = await _send_attempt(model, task, turn, options, books, deadline)
            except UnsupportedMode as error:
                turn = _else(retry_in_other_mode(turn, error.status, error.said), _refused(error))
                continue
            try:
                result = await _read(task, reply)
            except LLMError as error:
                await books.discard(error.message)
                turn = _else(_next(turn, reply, error), _told(error, answer))
                continue
            await model.remember_mode(turn.manner)
            return answer, result
    raise LLMError("the model server refuses every manner of asking", retry=False)


async def _send_attempt(
    model: LLMClient,
    task: StructuredRequest[T],
    turn: Attempt,
    options: ModelOptions,
    books: CallBudget,
    deadline: Deadline,
) -> tuple[LLMResponse, ChatResponse]:
    """Send one request, with its money put aside before and written down after."""
    body = build_request(task.messages, task.shape, turn, options)
    with deadline.paused():  # until other calls leave room for this one
        reservation, cap = await books.reserve(estimate_prompt_tokens(body), turn.cap)
    if turn.manner.length_field:
        body[turn.manner.length_field] = cap
    begun = time.monotonic()
    try:
        reply = await model.send(body)
    except Exception:  # not a cancellation: what was asked then may be billed all the same
        await asyncio.shield(books.release(reservation))
        raise
    answer = LLMResponse(
        text=reply.text,
        provenance=Provenance(rewritten=True, model=model.model, prompt=task.prompt_id),
        usage=reply.usage,
        seconds=round(time.monotonic() - begun, 3),
    )
    # A cancellation in between would lose what was paid for.
    await asyncio.shield(books.keep(answer, "repair" if turn.repairs else task.purpose, reservation))
    return answer, reply


async def _read(task: StructuredRequest[T], reply: ChatResponse) -> T:
    """Read an answer away from the event loop. Raises ModelError."""
    if reply.end is FinishReason.REFUSAL:
        raise LLMError(f"the model refuses to write this: {quoted(reply.refusal, None)}", retry=False)
    if reply.end is FinishReason.FILTER:
        raise LLMError("the server's content filter withheld the answer", retry=False)
    if reply.end is FinishReason.LENGTH:
        raise LLMError("the answer was cut off at the length limit", retry=False)
    if not reply.text.strip():
        raise LLMError("the model's answer is empty", retry=False, reason="it is empty")
    return await asyncio.to_thread(task.read, reply.text)


def _next(turn: Attempt, reply: ChatResponse, error: LLMError) -> Attempt | None:
    """Return what to ask after an answer of no use; None where asking again would be blind."""
    if reply.end is FinishReason.LENGTH:
        return retry_with_more_tokens(turn)
    if reply.end is not FinishReason.STOP:
        return None
    return retry_with_repair(turn, reply.text, str(error.context.get("reason", error.message)))


def _else(turn: Attempt | None, error: LLMError) -> Attempt:
    if turn is None:
        raise error
    return turn


def _told(error: LLMError, answer: LLMResponse) -> LLMError:
    """Return the outcome of an item whose answers were of no use; they were paid for all the same."""
    told = error.message
    if "length limit" in told:
        told += "; set COPYDESK_MAX_TOKENS higher, or let the feed use its summary"
    return LLMError(told, retry=False, answer=answer, **error.context)


def _refused(error: UnsupportedMode) -> LLMError:
    if is_context_overflow(error.said):
        said = f"prompt and source do not fit into the model's context (the server says: {error.said})"
        return LLMError(f"{said}; use a model with a larger one", retry=False, status=error.status)
    return error.trouble


def _options(options: ModelOptions, task: StructuredRequest[T]) -> ModelOptions:
    """Return the operator's wishes, over the prompt's own."""
    hints = {"max_tokens": task.max_tokens, "temperature": task.temperature}
    unset = options.model_fields_set
    told = {name: value for name, value in hints.items() if value is not None and name not in unset}
    return options.model_copy(update=told)
