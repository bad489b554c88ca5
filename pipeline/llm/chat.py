"""The turns of one conversation about one item: what to ask after an answer of no use. Pure.

Lays out one request in a manner: messages, response format, limits. Pure.

What a chat completion says, whatever server made it: the SDK checks nothing of a reply.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

from openai.types.chat import ChatCompletion
from pydantic import BaseModel, Field

from pipeline.domain.models import FrozenModel, TokenUsage
from pipeline.domain.text import replace_surrogates
from pipeline.llm.capabilities import OutputMode, RequestMode, fallback, mode_after_rejection
from pipeline.llm.errors import EndpointNotFoundError, MalformedResponse, WebPageError, is_page

RAISED = 4
"""Times the length cap, once, after an answer was cut off at it."""


class Attempt(NamedTuple):
    """How the next request is asked."""

    manner: RequestMode
    cap: int
    """Tokens that the answer may take."""
    raised: bool = False
    unfit: int = 0
    """Answers of the wrong shape on this rung."""
    mend: tuple[str, str] | None = None
    """An answer, and what is wrong with it: the model is to repair it."""

    @property
    def repairs(self) -> bool:
        """Tell whether this turn quotes an earlier answer."""
        return self.mend is not None


def retry_with_more_tokens(turn: Attempt) -> Attempt | None:
    """Return the turn after an answer that was cut off at the cap: a higher one, once."""
    return None if turn.raised else turn._replace(cap=turn.cap * RAISED, raised=True)


def retry_with_repair(turn: Attempt, text: str, reason: str) -> Attempt | None:
    """Return the turn after an answer of the wrong shape: one repair, then the next rung down."""
    if turn.unfit == 0:
        return turn._replace(unfit=1, mend=(text, reason) if text.strip() else None)
    manner = fallback(turn.manner)
    return None if manner is None else turn._replace(manner=manner, unfit=0, mend=None)


def retry_in_other_mode(turn: Attempt, status: int, said: str) -> Attempt | None:
    """Return the turn after the server refused the request; None where no manner of asking would help."""
    manner = mode_after_rejection(turn.manner, status, said)
    if manner is None:
        return None
    same = manner.rung == turn.manner.rung
    return turn._replace(manner=manner, unfit=turn.unfit if same else 0, mend=turn.mend if same else None)


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


_BYTES_A_TOKEN = 2.5
"""Fewer than any tokenizer needs on the average, so that an estimate is an upper bound."""
_OVERHEAD = 50
"""Tokens around the messages."""


class ModelOptions(FrozenModel):
    """What the operator wants of every request."""

    max_tokens: int = Field(default=4096, ge=16)
    """Tokens that an answer may take; four times as many after one was cut off."""
    temperature: float | None = None
    seed: int | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)
    """Further fields of the body, as the server knows them."""


def build_request(
    messages: Sequence[Message], shape: type[BaseModel], turn: Attempt, options: ModelOptions
) -> dict[str, Any]:
    """Return the body of a request, without the model's name."""
    manner = turn.manner
    body: dict[str, Any] = {"messages": [dict(message) for message in _asked(messages, shape, turn)]}
    if manner.rung is not OutputMode.PROMPT:
        body["response_format"] = _format(manner.rung, shape)
    if manner.length_field:
        body[manner.length_field] = turn.cap
    chosen = {"temperature": options.temperature, "seed": options.seed}
    body |= {name: value for name, value in chosen.items() if value is not None and _taken(name, manner)}
    return body


def estimate_prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return an upper bound of the tokens that a request's messages take."""
    said = sum(len(str(message["content"]).encode("utf-8", "replace")) for message in body["messages"])
    shape = len(str(body.get("response_format", "")))
    return int((said + shape) / _BYTES_A_TOKEN) + _OVERHEAD


def _taken(name: str, manner: RequestMode) -> bool:
    return name not in manner.dropped


def _asked(messages: Sequence[Message], shape: type[BaseModel], turn: Attempt) -> list[Message]:
    asked = list(messages)
    if (
        turn.manner.rung is not OutputMode.JSON_SCHEMA
    ):  # at the end of what is fixed, so that it can be cached
        asked[0] = Message(role=asked[0]["role"], content=f"{asked[0]['content']}\n\n{_in_words(shape)}")
    if turn.mend is not None:
        text, reason = turn.mend
        asked.append(Message(role="assistant", content=text))
        asked.append(Message(role="user", content=_repair(reason)))
    return asked


@lru_cache(maxsize=16)
def _in_words(shape: type[BaseModel]) -> str:
    schema = json.dumps(shape.model_json_schema(), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. It fits this JSON schema:\n{schema}"


def _repair(reason: str) -> str:
    return (
        f"That answer cannot be used: {reason}. Give the whole answer again, as one JSON object that fits "
        "the schema, with this put right and nothing else changed."
    )


@lru_cache(maxsize=16)
def _format(rung: OutputMode, shape: type[BaseModel]) -> dict[str, Any]:
    if rung is OutputMode.JSON_OBJECT:
        return {"type": "json_object"}
    named = {"name": shape.__name__.removeprefix("Wire").lower(), "strict": True}
    return {"type": "json_schema", "json_schema": named | {"schema": shape.model_json_schema()}}


class FinishReason(StrEnum):
    """How an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "content_filter"
    REFUSAL = "refusal"


class ChatResponse(FrozenModel):
    """One answer of a server, paid for."""

    text: str
    end: FinishReason
    refusal: str = ""
    usage: TokenUsage


def read_reply(completion: ChatCompletion) -> ChatResponse:
    """Return what a completion says. Raises BrokenReplyError where there is nothing to read."""
    choice = _choice(completion)
    message = getattr(choice, "message", None)
    if message is None:
        raise MalformedResponse("it holds no message")
    refusal = getattr(message, "refusal", None)
    return ChatResponse(
        text=replace_surrogates(_content(getattr(message, "content", None))),
        end=FinishReason.REFUSAL if refusal else _end(getattr(choice, "finish_reason", None)),
        refusal=str(refusal or ""),
        usage=_usage(completion),
    )


def read_models(text: str) -> list[str]:
    """Return the names in a list of models, in whichever of the known forms it comes.

    Raises BrokenReplyError, or ValueError where it is no JSON.
    """
    if is_page(text):
        raise WebPageError
    told = json.loads(text)
    listed = told.get("data", told) if isinstance(told, dict) else told
    if listed is None:  # a server without any model
        return []
    if isinstance(listed, list):
        return [str(one["id"]) for one in listed if isinstance(one, dict) and "id" in one]
    broken = _error(told.get("error") if isinstance(told, dict) else None, "it lists no models")
    raise broken if broken.code else EndpointNotFoundError(str(broken))


def _choice(completion: ChatCompletion) -> object:
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        # The SDK hands on as text what its server does not call JSON.
        if isinstance(completion, str) and is_page(completion):
            raise WebPageError
        raise _error(getattr(completion, "error", None), "it holds no choices")
    return choices[0]


def _error(said: object, lacking: str) -> MalformedResponse:
    """Return what an error inside a reply with status 200 says."""
    if isinstance(said, dict):
        return MalformedResponse(str(said.get("message") or said), code=said.get("code"))
    told = str(said) if said else lacking
    # LM Studio's words about a path that it does not have.
    return (
        EndpointNotFoundError(told)
        if told.lower().startswith("unexpected endpoint")
        else MalformedResponse(told)
    )


def _content(content: object) -> str:
    """Return a message's text; some servers send it in parts."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise MalformedResponse("its message is no text")
    return content or ""


def _end(reason: object) -> FinishReason:
    return (
        FinishReason(reason)
        if reason in {FinishReason.LENGTH.value, FinishReason.FILTER.value}
        else FinishReason.STOP
    )


def _usage(completion: ChatCompletion) -> TokenUsage:
    """Return the tokens billed, 0 where a server does not say."""
    usage: Any = getattr(completion, "usage", None)
    return TokenUsage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
    )


def _count(counts: Any, name: str) -> int:  # noqa: ANN401 - an object or a dict, or neither
    value = counts.get(name) if isinstance(counts, dict) else getattr(counts, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
