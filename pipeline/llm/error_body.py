"""Reads what a server says in an error, in any form: object, list, text, an error inside an error. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_CODE_FIELDS = frozenset(
    (
        "code", "type", "status", "reason", "error_code", "errorcode", "error_type", "status_code", "__type",
        "param",
    )
)  # fmt: skip
_MESSAGE_FIELDS = frozenset(
    (
        "message", "msg", "detail", "error_msg", "error_message", "errormessage", "error_description",
        "status_msg",
    )
)  # fmt: skip
_NESTED_FIELDS = frozenset(
    (
        "error", "errors", "detail", "details", "metadata", "raw", "innererror", "inner_error", "base_resp",
        "cause", "violations",
    )
)  # fmt: skip
_WAIT_FIELDS = frozenset(("retrydelay", "retry_after", "retry_after_ms", "retry_after_seconds", "retryafter"))
_DEPTH = 8
"""Levels of a body that are read. Chosen, not measured: gateways add two or three."""
_LENGTH = 2000
"""Characters of each message, and of all, that are read: later ones may quote an item's text. Chosen."""
_EMPTY_MESSAGES = frozenset(("provider returned error", "error", "bad request"))
"""Messages of gateways that say nothing beside the one inside, such as OpenRouter's."""


class ServerError(NamedTuple):
    """What a server says in an error."""

    status: int
    """Of the response; where that is 200, the one that the body names."""
    codes: frozenset[str]
    """Every code, type, status and reason in the body, in lower case; the field as `param=` and its name."""
    message: str
    """All messages, the outermost first; empty if there is none."""
    is_page: bool = False
    """HTML or XML instead of an error."""
    waits: Mapping[str, str] = {}
    """Fields of the body that name a pause, by their names in lower case; headers inside it, too."""


def is_page(text: str) -> bool:
    """Tell whether a body is HTML or XML."""
    return body_start(text).startswith("<")


def body_start(text: str) -> str:
    """Return a body without the white space, or the byte order mark, in front of it."""
    return text.lstrip("\ufeff \t\r\n")


def read_error(status: int, body: object) -> ServerError:
    """Return what a body says: a text, JSON or not, or what was parsed from JSON."""
    if isinstance(body, str) and is_page(body):
        return ServerError(status, frozenset(), _title(body), is_page=True)
    codes: set[str] = set()
    messages: list[str] = []
    waits: dict[str, str] = {}
    for kind, name, value in _walk(_parsed(body), "error", _DEPTH):
        if kind == "code":
            codes.add(f"param={value}" if name == "param" else value.lower())
        elif kind == "wait":
            waits.setdefault(name, value)
        elif value.strip() and value not in messages:
            messages.append(value)
    if len(messages) > 1 and messages[0].strip(" .").lower() in _EMPTY_MESSAGES:
        messages = messages[1:]
    return ServerError(_status(status, codes), frozenset(codes), "; ".join(messages)[:_LENGTH], waits=waits)


def _parsed(body: object) -> object:
    """Return JSON that is a text as the value, anything else as it is."""
    if not isinstance(body, str) or not body.lstrip().startswith(("{", "[", '"')):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _walk(value: object, name: str, depth: int) -> Iterator[tuple[str, str, str]]:
    """Yield the codes, messages and waits inside a value, outer ones first, as kind, field and text."""
    if depth == 0:
        return
    if isinstance(value, str):
        inner = _parsed(value)
        if inner is value:
            yield "message", name, value[:_LENGTH]
        else:
            yield from _walk(inner, name, depth - 1)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _walk(item, name, depth - 1)
    elif isinstance(value, dict):
        yield from _walk_fields({str(key): item for key, item in value.items()}, depth)


def _walk_fields(fields: Mapping[str, object], depth: int) -> Iterator[tuple[str, str, str]]:
    if "loc" in fields and "msg" in fields:  # a validation error of FastAPI; its `input` quotes the request
        location = fields["loc"] if isinstance(fields["loc"], list) else [fields["loc"]]
        yield "message", "msg", f"{'.'.join(map(str, location))}: {fields['msg']}"
        return
    for key, value in fields.items():
        name = key.lower()
        if name in _CODE_FIELDS and isinstance(value, str | int) and not isinstance(value, bool):
            yield "code", name, str(value)
        elif name in _WAIT_FIELDS and isinstance(value, str | int | float):
            yield "wait", name, str(value)
        elif name == "headers" and isinstance(value, dict):
            for header, text in value.items():
                yield "wait", str(header).lower(), str(text)
        elif name in _MESSAGE_FIELDS and isinstance(value, str):
            yield from _walk(value, name, depth - 1)
    for key, value in fields.items():
        if key.lower() in _NESTED_FIELDS and not (key.lower() in _MESSAGE_FIELDS and isinstance(value, str)):
            yield from _walk(value, key.lower(), depth - 1)


def _status(status: int, codes: set[str]) -> int:
    """Return the status of a response; for 200 the highest that its body names, if any."""
    if status >= 400:
        return status
    inner = [int(code) for code in codes if re.fullmatch(r"[45]\d\d", code)]
    return max(inner, default=status)


def _title(page: str) -> str:
    match = re.search(r"<(title|h1)\b[^>]{0,200}>([^<]{1,200})", page[:_LENGTH], re.IGNORECASE)
    return match[2].strip() if match else "a web page"
