"""Lays out one request in a manner: messages, response format, limits. Pure."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, Field

from pipeline.models import Record
from pipeline.rewrite.ladder import Manner, Rung
from pipeline.rewrite.prompt import Message
from pipeline.rewrite.turns import Turn

_BYTES_A_TOKEN = 2.5
"""Fewer than any tokenizer needs on the average, so that an estimate is an upper bound."""
_OVERHEAD = 50
"""Tokens around the messages."""


class Options(Record):
    """What the operator wants of every request."""

    max_tokens: int = Field(default=4096, ge=16)
    """Tokens that an answer may take; four times as many after one was cut off."""
    temperature: float | None = None
    seed: int | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)
    """Further fields of the body, as the server knows them."""


def request(
    messages: Sequence[Message], shape: type[BaseModel], turn: Turn, options: Options
) -> dict[str, Any]:
    """Return the body of a request, without the model's name."""
    manner = turn.manner
    body: dict[str, Any] = {"messages": [dict(message) for message in _asked(messages, shape, turn)]}
    if manner.rung is not Rung.PLAIN:
        body["response_format"] = _format(manner.rung, shape)
    if manner.length_field:
        body[manner.length_field] = turn.cap
    chosen = {"temperature": options.temperature, "seed": options.seed}
    body |= {name: value for name, value in chosen.items() if value is not None and _taken(name, manner)}
    return body


def estimate(body: Mapping[str, Any]) -> int:
    """Return an upper bound of the tokens that a request's messages take."""
    said = sum(len(str(message["content"]).encode("utf-8", "replace")) for message in body["messages"])
    shape = len(str(body.get("response_format", "")))
    return int((said + shape) / _BYTES_A_TOKEN) + _OVERHEAD


def _taken(name: str, manner: Manner) -> bool:
    return name not in manner.dropped


def _asked(messages: Sequence[Message], shape: type[BaseModel], turn: Turn) -> list[Message]:
    asked = list(messages)
    if turn.manner.rung is not Rung.STRICT:  # at the end of what is fixed, so that it can be cached
        asked[0] = Message(role=asked[0]["role"], content=f"{asked[0]['content']}\n\n{_in_words(shape)}")
    if turn.mend is not None:
        text, reason = turn.mend
        asked.append(Message(role="assistant", content=text))
        asked.append(Message(role="user", content=_mend(reason)))
    return asked


@lru_cache(maxsize=16)
def _in_words(shape: type[BaseModel]) -> str:
    schema = json.dumps(shape.model_json_schema(), ensure_ascii=False)
    return f"Answer with one JSON object and nothing else. It fits this JSON schema:\n{schema}"


def _mend(reason: str) -> str:
    return (
        f"That answer cannot be used: {reason}. Give the whole answer again, as one JSON object that fits "
        "the schema, with this put right and nothing else changed."
    )


@lru_cache(maxsize=16)
def _format(rung: Rung, shape: type[BaseModel]) -> dict[str, Any]:
    if rung is Rung.JSON:
        return {"type": "json_object"}
    named = {"name": shape.__name__.removeprefix("Wire").lower(), "strict": True}
    return {"type": "json_schema", "json_schema": named | {"schema": shape.model_json_schema()}}
