"""What a chat completion says, whatever server made it: the SDK checks nothing of a reply."""

import json
from enum import StrEnum
from typing import Any

from openai.types.chat import ChatCompletion

from pipeline.models import Record, Usage
from pipeline.rewrite.text import encodable
from pipeline.rewrite.trouble import BrokenReplyError, NoPlaceError, WebPageError, is_page


class End(StrEnum):
    """How an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "content_filter"
    REFUSAL = "refusal"


class Reply(Record):
    """One answer of a server, paid for."""

    text: str
    end: End
    refusal: str = ""
    usage: Usage


def read_reply(completion: ChatCompletion) -> Reply:
    """Return what a completion says. Raises BrokenReplyError where there is nothing to read."""
    choice = _choice(completion)
    message = getattr(choice, "message", None)
    if message is None:
        raise BrokenReplyError("it holds no message")
    refusal = getattr(message, "refusal", None)
    return Reply(
        text=encodable(_content(getattr(message, "content", None))),
        end=End.REFUSAL if refusal else _end(getattr(choice, "finish_reason", None)),
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
    raise broken if broken.code else NoPlaceError(str(broken))


def _choice(completion: ChatCompletion) -> object:
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        # The SDK hands on as text what its server does not call JSON.
        if isinstance(completion, str) and is_page(completion):
            raise WebPageError
        raise _error(getattr(completion, "error", None), "it holds no choices")
    return choices[0]


def _error(said: object, lacking: str) -> BrokenReplyError:
    """Return what an error inside a reply with status 200 says."""
    if isinstance(said, dict):
        return BrokenReplyError(str(said.get("message") or said), code=said.get("code"))
    told = str(said) if said else lacking
    # LM Studio's words about a path that it does not have.
    return NoPlaceError(told) if told.lower().startswith("unexpected endpoint") else BrokenReplyError(told)


def _content(content: object) -> str:
    """Return a message's text; some servers send it in parts."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise BrokenReplyError("its message is no text")
    return content or ""


def _end(reason: object) -> End:
    return End(reason) if reason in {End.LENGTH.value, End.FILTER.value} else End.STOP


def _usage(completion: ChatCompletion) -> Usage:
    """Return the tokens billed, 0 where a server does not say."""
    usage: Any = getattr(completion, "usage", None)
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
    )


def _count(counts: Any, name: str) -> int:  # noqa: ANN401 - an object or a dict, or neither
    value = counts.get(name) if isinstance(counts, dict) else getattr(counts, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
