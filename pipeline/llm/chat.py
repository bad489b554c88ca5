"""Chat completions: builds a request, reads the response, decides how to ask after an unusable answer. Pure.

Responses are validated here: the OpenAI SDK does not do it.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from pydantic import BaseModel, Field

from pipeline.domain.models import FrozenModel, TokenUsage
from pipeline.domain.text import replace_surrogates
from pipeline.llm.capabilities import OutputMode, RequestMode, fallback, mode_after_rejection
from pipeline.llm.errors import EndpointNotFoundError, MalformedResponse, WebPageError, is_page
from pipeline.llm.usage import BYTES_PER_TOKEN, UsageGaps, read_usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

TOKEN_LIMIT_FACTOR = 4
"""Multiplies the token limit, once, after an answer was cut off. Chosen, not measured."""

LEAST_TOKENS = 512
"""A lower limit leaves no room for an article. Chosen, not measured."""


class Attempt(NamedTuple):
    """One request of a conversation about an item."""

    mode: RequestMode
    max_tokens: int
    """Tokens that the answer may take."""
    limit_changed: bool = False
    """The limit was raised or lowered after an answer; it is changed once."""
    invalid_answers: int = 0
    """Answers in this output mode that did not fit the schema."""
    repair: tuple[str, str] | None = None
    """An answer and what is wrong with it: the model is asked to repair it."""

    @property
    def is_repair(self) -> bool:
        """Tell whether the request asks to repair an earlier answer."""
        return self.repair is not None


def retry_with_more_tokens(attempt: Attempt) -> Attempt | None:
    """Return the attempt after an answer that was cut off; None if the limit was raised already."""
    if attempt.limit_changed:
        return None
    return attempt._replace(max_tokens=attempt.max_tokens * TOKEN_LIMIT_FACTOR, limit_changed=True)


def retry_with_fewer_tokens(attempt: Attempt) -> Attempt | None:
    """Return the attempt after an answer did not arrive in time; None if a lower limit cannot help.

    The same request is not sent again unchanged: the server may still work on it, and would do it twice.
    """
    half = attempt.max_tokens // 2
    if attempt.limit_changed or attempt.mode.length_field is None or half < LEAST_TOKENS:
        return None
    return attempt._replace(max_tokens=half, limit_changed=True)


def retry_with_repair(attempt: Attempt, text: str, reason: str) -> Attempt | None:
    """Return the attempt after an answer that does not fit: a repair, then the next mode, at last None."""
    if attempt.invalid_answers == 0:
        return attempt._replace(invalid_answers=1, repair=(text, reason) if text.strip() else None)
    mode = fallback(attempt.mode)
    return None if mode is None else attempt._replace(mode=mode, invalid_answers=0, repair=None)


def retry_in_other_mode(attempt: Attempt, status: int, message: str) -> Attempt | None:
    """Return the attempt after the server rejected the request; None if no other mode can help."""
    mode = mode_after_rejection(attempt.mode, status, message)
    if mode is None:
        return None
    if mode.rung == attempt.mode.rung:
        return attempt._replace(mode=mode)
    return attempt._replace(mode=mode, invalid_answers=0, repair=None)


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


_OVERHEAD_TOKENS = 50
"""Tokens besides the messages' text. Chosen, not measured."""


class ModelOptions(FrozenModel):
    """The operator's settings for every request."""

    max_tokens: int = Field(default=4096, ge=16)
    """Tokens that an answer may take; TOKEN_LIMIT_FACTOR times as many after an answer was cut off."""
    temperature: float | None = None
    seed: int | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)
    """More fields of the request body, as the server defines them."""


def build_request(
    messages: Sequence[Message], response_model: type[BaseModel], attempt: Attempt, options: ModelOptions
) -> dict[str, Any]:
    """Return the body of a request for an answer that fits `response_model`, without the model's name."""
    mode = attempt.mode
    sent = _build_messages(messages, response_model, attempt)
    body: dict[str, Any] = {"messages": [dict(message) for message in sent]}
    if mode.rung is not OutputMode.PROMPT:
        body["response_format"] = _response_format(mode.rung, response_model)
    if mode.length_field:
        body[mode.length_field] = attempt.max_tokens
    optional = {"temperature": options.temperature, "seed": options.seed}
    supported = {name: value for name, value in optional.items() if name not in mode.dropped}
    return body | {name: value for name, value in supported.items() if value is not None}


def estimate_prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return an upper bound of the tokens of a request's messages and response format."""
    contents = (str(message["content"]) for message in body["messages"])
    message_bytes = sum(len(content.encode("utf-8", "replace")) for content in contents)
    format_chars = len(str(body.get("response_format", "")))
    return int((message_bytes + format_chars) / BYTES_PER_TOKEN) + _OVERHEAD_TOKENS


def _build_messages(
    messages: Sequence[Message], response_model: type[BaseModel], attempt: Attempt
) -> list[Message]:
    result = list(messages)
    if attempt.mode.rung is not OutputMode.JSON_SCHEMA:
        # In the system message, which is the same for every item, so that providers can cache it.
        system = f"{result[0]['content']}\n\n{_schema_instruction(response_model)}"
        result[0] = Message(role=result[0]["role"], content=system)
    if attempt.repair is not None:
        text, reason = attempt.repair
        result.append(Message(role="assistant", content=text))
        result.append(Message(role="user", content=_repair_instruction(reason)))
    return result


@lru_cache(maxsize=16)
def _schema_instruction(response_model: type[BaseModel]) -> str:
    schema = json.dumps(response_model.model_json_schema(), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. It fits this JSON schema:\n{schema}"


def _repair_instruction(reason: str) -> str:
    return (
        f"That answer cannot be used: {reason}. Give the whole answer again, as one JSON object that fits "
        "the schema, with this put right and nothing else changed."
    )


@lru_cache(maxsize=16)
def _response_format(mode: OutputMode, response_model: type[BaseModel]) -> dict[str, Any]:
    if mode is OutputMode.JSON_OBJECT:
        return {"type": "json_object"}
    # The class's name and docstrings become part of the schema that the model reads.
    header = {"name": response_model.__name__.removeprefix("Wire").lower(), "strict": True}
    return {"type": "json_schema", "json_schema": header | {"schema": response_model.model_json_schema()}}


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "content_filter"
    REFUSAL = "refusal"


class ChatResponse(FrozenModel):
    """One answer of a server; it was billed."""

    text: str
    finish_reason: FinishReason
    refusal: str = ""
    usage: TokenUsage
    """0 for what the server did not tell."""
    gaps: UsageGaps = UsageGaps()


def read_reply(completion: "ChatCompletion") -> ChatResponse:
    """Return a completion's text, end, refusal and usage. Raises MalformedResponse when it has no message."""
    choice = _first_choice(completion)
    message = getattr(choice, "message", None)
    if message is None:
        raise MalformedResponse("it holds no message")
    refusal = getattr(message, "refusal", None)
    usage, gaps = read_usage(completion)
    return ChatResponse(
        text=replace_surrogates(_message_text(getattr(message, "content", None))),
        finish_reason=FinishReason.REFUSAL
        if refusal
        else _finish_reason(getattr(choice, "finish_reason", None)),
        refusal=str(refusal or ""),
        usage=usage,
        gaps=gaps,
    )


def read_models(text: str) -> list[str]:
    """Return the names in a server's list of models: an object with `data`, or a bare list.

    Raises MalformedResponse, or ValueError when the text is not JSON.
    """
    if is_page(text):
        raise WebPageError
    data = json.loads(text)
    models = data.get("data", data) if isinstance(data, dict) else data
    if models is None:  # a server without models
        return []
    if isinstance(models, list):
        return [str(model["id"]) for model in models if isinstance(model, dict) and "id" in model]
    error = _error_in_reply(data.get("error") if isinstance(data, dict) else None, "it lists no models")
    raise error if error.code else EndpointNotFoundError(str(error))


def _first_choice(completion: "ChatCompletion") -> object:
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        # The SDK returns the text when the server's content type is not JSON.
        if isinstance(completion, str) and is_page(completion):
            raise WebPageError
        raise _error_in_reply(getattr(completion, "error", None), "it holds no choices")
    return choices[0]


def _error_in_reply(error: object, default: str) -> MalformedResponse:
    """Return the error inside a response with status 200, with `default` as message if it has none."""
    if isinstance(error, dict):
        return MalformedResponse(str(error.get("message") or error), code=error.get("code"))
    message = str(error) if error else default
    # LM Studio's message for a path that it does not have.
    missing = message.lower().startswith("unexpected endpoint")
    return EndpointNotFoundError(message) if missing else MalformedResponse(message)


def _message_text(content: object) -> str:
    """Return a message's text; some servers send a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise MalformedResponse("its message is no text")
    return content or ""


def _finish_reason(reason: object) -> FinishReason:
    if reason in {FinishReason.LENGTH.value, FinishReason.FILTER.value}:
        return FinishReason(reason)
    return FinishReason.STOP
