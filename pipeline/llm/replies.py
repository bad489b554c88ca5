"""Replies: finds a message's text in the fields in which servers put it, and joins a stream's chunks. Pure.

A field for thoughts is only read where the content is empty, and only if it holds nothing but one JSON
object: servers whose parser for thoughts is wrong put the whole answer there.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.llm.error_body import body_start
from pipeline.llm.errors import MalformedResponse
from pipeline.llm.lenient_json import load_json
from pipeline.llm.thoughts import split_thoughts
from pipeline.llm.usage import UNTOLD, field, read_usage

_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
"""Of vLLM, SGLang, LM Studio; of OpenRouter, Ollama; of Ollama's own interface."""
_TEXT_PARTS = frozenset(("text", "output_text", "", None))
"""Types of the parts of a content that are the answer's text; parts of other types are thoughts or tools."""
_EVENT = "data:"


class MessageText(NamedTuple):
    """The text of a message, and what was read leniently."""

    text: str
    notes: tuple[str, ...] = ()
    refusal: str = ""


def read_message(message: object) -> MessageText:
    """Return a message's text: its content; else a single tool call's arguments, or its field for thoughts.

    Raises MalformedResponse when the content is no text.
    """
    content = field(message, "content")
    text, refusal = _content_text(content), str(field(message, "refusal") or _refusal_part(content))
    notes = ("content in parts",) if isinstance(content, list) else ()
    if refusal or not _is_blank(text):
        return MessageText(text, notes, refusal)
    if arguments := _arguments(message):
        return MessageText(arguments, ("the arguments of a tool call",))
    for name in _THOUGHT_FIELDS:
        thought = field(message, name)
        if isinstance(thought, str) and (answer := _whole_answer(thought)):
            return MessageText(answer, (f"the field `{name}`",))
    return MessageText(text, notes)


def _is_blank(text: str) -> bool:
    """Tell whether a content is only white space and thoughts."""
    if text.lstrip().startswith("{"):
        return False
    thoughts = split_thoughts(text)
    return not thoughts.answer.strip() and not thoughts.outside.strip()


def _content_text(content: object) -> str:
    """Return the text of a content; some servers send a list of parts, or the answer's object itself."""
    if isinstance(content, list):
        return "".join(_part_text(part) for part in content)
    if isinstance(content, dict):
        return _part_text(content) if "type" in content else json.dumps(content, ensure_ascii=False)
    if content is not None and not isinstance(content, str):
        raise MalformedResponse("its message is no text")
    return content or ""


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    is_text = field(part, "type") in _TEXT_PARTS and field(part, "thought") is not True  # of Gemini
    text = field(part, "text") if is_text else None
    return text if isinstance(text, str) else ""


def _refusal_part(content: object) -> str:
    """Return the text of a part that refuses, as OpenAI's Responses have it."""
    parts = content if isinstance(content, list) else []
    return "".join(str(field(part, "refusal") or "") for part in parts if not isinstance(part, str))


def _arguments(message: object) -> str:
    """Return the arguments of a message's only tool call, or of its older function call."""
    calls = field(message, "tool_calls") or []
    calls = calls if isinstance(calls, list) else []
    call = field(calls[0], "function") if len(calls) == 1 else field(message, "function_call")
    arguments = field(call, "arguments")
    if isinstance(arguments, Mapping):
        return json.dumps(arguments, ensure_ascii=False)
    return arguments if isinstance(arguments, str) and arguments.strip() else ""


def _whole_answer(thought: str) -> str:
    """Return the JSON object after a text's last thought, if nothing stands around it; else an empty text."""
    answer = split_thoughts(thought).answer.strip()
    try:
        return answer if isinstance(load_json(answer), dict) else ""
    except ValueError:
        return ""


def is_event_stream(text: str) -> bool:
    """Tell whether a body is a stream of server-sent events."""
    start = body_start(text)
    return start.startswith((_EVENT, "event:", "id:", ":")) and _EVENT in text


def join_chunks(text: str) -> dict[str, Any]:
    """Return the completion whose chunks a stream of events holds.

    Raises MalformedResponse where an event is not JSON, or is an error: the latter's `error` is kept.
    """
    joined: dict[str, Any] = {"object": "chat.completion", "choices": None}
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for event in _events(text):
        joined |= {key: event[key] for key in ("id", "model", "usage", "error") if event.get(key)}
        if event.get("error") and joined["choices"]:
            raise MalformedResponse("it ends with an error", event, read_usage(joined))
        if event.get("error"):
            return joined
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index", 0) != 0:
            continue
        before = joined["choices"][0] if joined["choices"] else {"index": 0, "message": message}
        ends = {key: choice[key] for key in ("finish_reason", "error") if choice.get(key)}
        joined["choices"] = [before | ends]
        _add_delta(message, choice.get("delta") or choice.get("message"))
    return joined


def _events(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects of a stream's events, up to `[DONE]`."""
    events: list[dict[str, Any]] = []
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        lines = [line.removeprefix(_EVENT).strip() for line in block.split("\n") if line.startswith(_EVENT)]
        for data in _datas(lines):
            if data == "[DONE]":
                return events
            try:
                event = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise MalformedResponse("its stream of events is broken", billed=UNTOLD) from error
            events += [event] if isinstance(event, dict) else []
    return events


def _datas(lines: list[str]) -> list[str]:
    """Return the data of a block of events: one that spans its lines, or one a line."""
    joined = "\n".join(lines)
    try:
        json.loads(joined)
    except (ValueError, RecursionError):
        return [line for line in lines if line]
    return [joined]


def _add_delta(message: dict[str, Any], delta: object) -> None:
    """Add a chunk's texts and tool calls to a message."""
    if not isinstance(delta, dict):
        return
    for name in ("content", "refusal", *_THOUGHT_FIELDS):
        part = delta.get(name)
        if isinstance(part, str):
            message[name] = (message.get(name) or "") + part
        elif isinstance(part, list):
            message[name] = (message.get(name) or "") + _content_text(part)
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        _add_call(message.setdefault("tool_calls", []), call)


def _add_call(calls: list[dict[str, Any]], call: object) -> None:
    """Add a chunk of a tool call; chunks of the same index belong together."""
    index, function = field(call, "index") or 0, field(call, "function")
    whole = next((earlier for earlier in calls if earlier["index"] == index), None)
    if whole is None:
        whole = {"index": index, "type": "function", "function": {"name": "", "arguments": ""}}
        calls.append(whole)
    for name in ("name", "arguments"):
        part = field(function, name)
        whole["function"][name] += part if isinstance(part, str) else ""
