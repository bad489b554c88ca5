"""Chat completions: builds a request, reads the response, decides how to ask after an unusable answer. Pure.

Responses are validated here: the OpenAI SDK does not do it.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from pydantic import BaseModel, Field

from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import FrozenModel
from pipeline.domain.text import replace_surrogates
from pipeline.llm.answer_limit import AnswerLimit
from pipeline.llm.capabilities import OutputMode, RequestMode, fallback, mode_after_rejection
from pipeline.llm.error_body import is_page
from pipeline.llm.errors import MalformedResponse, UnsupportedMode
from pipeline.llm.replies import is_event_stream, join_chunks, read_message
from pipeline.llm.usage import BYTES_PER_TOKEN, BilledTokens, UsageGaps, field, read_usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

TOKEN_LIMIT_FACTOR = 4
"""Multiplies the token limit, once, after an answer was cut off. Chosen, not measured."""
MIN_ANSWER_TOKENS = 1000
"""An answer is not asked for if the prompt leaves it fewer tokens. Chosen: an article takes 400 to 900."""

LEAST_TOKENS = 512
"""A lower limit leaves no room for an article. Chosen, not measured."""


class Attempt(NamedTuple):
    """One request of a conversation about an item."""

    mode: RequestMode
    max_tokens: int
    """Tokens that the answer may take."""
    limit_changed: bool = False
    """The limit was raised or lowered after an answer; it is changed once."""
    lost: bool = False
    """An answer was lost, and this attempt is the one after it."""
    repaired: bool = False
    """An answer did not fit, and this attempt is the second one."""
    repair: tuple[str, str] | None = None
    """An answer and what is wrong with it: the model is asked to repair it."""


def first_attempt(mode: RequestMode, max_tokens: int) -> Attempt:
    """Return the first request about an item, for at most the tokens that the model may answer."""
    return Attempt(mode, min(max_tokens, mode.most_tokens or max_tokens))


def retry_with_more_tokens(attempt: Attempt) -> Attempt | None:
    """Return the attempt after an answer that was cut off; None if the limit cannot be raised."""
    raised = attempt.max_tokens * TOKEN_LIMIT_FACTOR
    max_tokens = min(raised, attempt.mode.most_tokens or raised)
    if attempt.limit_changed or max_tokens <= attempt.max_tokens:
        return None
    return attempt._replace(max_tokens=max_tokens, limit_changed=True)


def retry_after_loss(attempt: Attempt, *, is_running: bool) -> Attempt | None:
    """Return the one attempt after an answer was lost; None where another was, or it cannot help.

    A request on which the server may still work is not sent again unchanged: it would do it twice.
    """
    if attempt.lost:
        return None
    if not is_running:
        return attempt._replace(lost=True)
    half = attempt.max_tokens // 2
    if attempt.limit_changed or attempt.mode.length_field is None or half < LEAST_TOKENS:
        return None
    return attempt._replace(max_tokens=half, limit_changed=True, lost=True)


def retry_within_limit(attempt: Attempt, limit: AnswerLimit) -> Attempt | None:
    """Return the attempt after a rejection that names the most tokens of an answer; None if it is too few."""
    if limit.tokens >= attempt.max_tokens:
        return None
    if limit.of_model:
        mode = attempt.mode.model_copy(update={"most_tokens": limit.tokens})
        return attempt._replace(mode=mode, max_tokens=limit.tokens)
    if limit.tokens < min(MIN_ANSWER_TOKENS, attempt.max_tokens // 2):
        return None
    return attempt._replace(max_tokens=limit.tokens, limit_changed=True)


def retry_with_repair(attempt: Attempt, text: str, reason: str, *, unfit: bool) -> Attempt | None:
    """Return the attempt after an answer that cannot be used: one repair; None after that.

    `unfit`: nothing in it fits the schema, so that the server ignores this mode, and the next one is tried.
    """
    if attempt.repaired:
        return None
    mode = fallback(attempt.mode) if unfit else None
    repair = (text, reason) if text.strip() else None
    return attempt._replace(mode=mode or attempt.mode, repaired=True, repair=repair)


def retry_after_rejection(attempt: Attempt, rejection: UnsupportedMode) -> Attempt | None:
    """Return the attempt after the server rejected the request; None if no other request can help."""
    if rejection.answer_limit is not None:
        return retry_within_limit(attempt, rejection.answer_limit)
    mode = mode_after_rejection(attempt.mode, rejection.message)
    return None if mode is None else attempt._replace(mode=mode)


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


_OVERHEAD_TOKENS = 50
"""Tokens besides the messages' text. Chosen, not measured."""


LEAST_LIMIT = 16
"""No server takes a lower one. Source: https://platform.openai.com/docs/api-reference/responses/create"""


class ModelOptions(FrozenModel):
    """The operator's settings for every request."""

    max_tokens: int = Field(default=4096, ge=LEAST_LIMIT)
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
    ERROR = "error"
    """The server broke off."""


_FINISH_WORDS = {
    FinishReason.LENGTH: "length max_tokens max_output_tokens model_length model_context_window_exceeded",
    FinishReason.FILTER: "content_filter content_filtered safety recitation blocklist prohibited_content "
    "spii image_safety language sensitive error_toxic guardrail_intervened",
    FinishReason.REFUSAL: "refusal",
    FinishReason.ERROR: "error failed abort cancelled timeout network_error insufficient_system_resource",
}
"""Words of OpenAI, Anthropic, Mistral, Gemini, Bedrock, Cohere, Zhipu, DeepSeek and SGLang, in lower case.

Every other word, such as `eos` or `tool_calls`, ends an answer as it should. Sources:
https://ai.google.dev/api/generate-content#FinishReason, https://docs.mistral.ai/openapi.yaml,
https://docs.anthropic.com/en/api/messages, https://api-docs.deepseek.com/api/create-chat-completion
"""
_FINISH_REASONS = {word: reason for reason, words in _FINISH_WORDS.items() for word in words.split()}


class ChatResponse(FrozenModel):
    """One answer of a server; it was billed."""

    text: str
    finish_reason: FinishReason
    refusal: str = ""
    usage: TokenUsage
    """0 for what the server did not tell."""
    gaps: UsageGaps = UsageGaps()
    notes: tuple[str, ...] = ()
    """Where the text stood, if not in the message's content."""
    seconds: float = 0.0
    """From the request to its answer, without waits before it."""


def read_reply(completion: "ChatCompletion | str", seconds: float = 0.0) -> ChatResponse:
    """Return a completion's text, end, refusal and usage; the SDK gives a stream of events as its text.

    Raises MalformedResponse when it has no message, or the server broke off.
    """
    is_stream = isinstance(completion, str) and is_event_stream(completion)
    if is_stream:
        completion = _completion(join_chunks(str(completion)))
    usage, gaps = read_usage(completion)
    billed = (usage, gaps) if usage.completion_tokens else None
    choice = _first_choice(completion, usage, billed)
    if choice is None:
        return ChatResponse(text="", finish_reason=FinishReason.FILTER, usage=usage, gaps=gaps)
    message = _message(choice, billed)
    finish_reason = _finish_reason(field(choice, "finish_reason"))
    error = field(choice, "error")
    if error or finish_reason is FinishReason.ERROR:
        billed = (usage, gaps) if field(message, "content") else billed
        raise MalformedResponse(f"it ends with {field(choice, 'finish_reason')!r}", error or None, billed)
    try:
        text, notes, refusal = read_message(message)
    except MalformedResponse as unread:
        raise MalformedResponse(str(unread), billed=(usage, gaps)) from unread
    return ChatResponse(
        text=replace_surrogates(text),
        finish_reason=FinishReason.REFUSAL if refusal else finish_reason,
        refusal=refusal,
        usage=usage,
        gaps=gaps,
        notes=(*(["a stream of events"] if is_stream else []), *notes),
        seconds=seconds,
    )


def _completion(data: dict[str, Any]) -> "ChatCompletion":
    from openai.types.chat import ChatCompletion  # a quarter of a second, which a run without a model saves

    return ChatCompletion.construct(**data)


def _message(choice: object, billed: BilledTokens | None) -> object:
    """Return a choice's message; some servers send a chunk's `delta`, or the `text` of older completions."""
    message = field(choice, "message") or field(choice, "delta")
    if message is None and isinstance(field(choice, "text"), str):
        return {"content": field(choice, "text")}
    if message is None:
        raise MalformedResponse("it holds no message", billed=billed)
    return message


def read_models(text: str) -> list[str]:
    """Return the names in a server's list of models: an object with `data`, or a bare list.

    Raises MalformedResponse, or ValueError when the text is not JSON.
    """
    if is_page(text):
        raise MalformedResponse("it is a web page", text)
    data = json.loads(text)
    models = data.get("data", data) if isinstance(data, dict) else data
    if models is None:  # a server without models
        return []
    if isinstance(models, list):
        return [str(model["id"]) for model in models if isinstance(model, dict) and "id" in model]
    raise MalformedResponse("it lists no models", data)


def _first_choice(
    completion: "ChatCompletion | str", usage: TokenUsage, billed: BilledTokens | None
) -> object:
    """Return the first choice; None if the server bills a prompt that its filter blocked."""
    choices = field(completion, "choices")
    if isinstance(choices, list) and choices and choices[0] is not None:
        return choices[0]
    # Gemini's form of a blocked prompt.
    error = field(completion, "error")
    if not error and not choices and usage.prompt_tokens:
        return None
    # The SDK returns the text when the server's content type is not JSON.
    body = completion if isinstance(completion, str) else getattr(completion, "model_extra", None)
    raise MalformedResponse("it holds no choices", body, billed)


def _finish_reason(reason: object) -> FinishReason:
    word = str(reason or "").lower().removeprefix("finishreason.").replace("-", "_")
    return _FINISH_REASONS.get(word, FinishReason.STOP)
