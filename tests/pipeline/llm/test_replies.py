"""Replies in the dialects of servers: where the text stands, how it ends, streams that nobody asked for."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from pipeline.llm.chat import ChatResponse, FinishReason, read_reply
from pipeline.llm.errors import MalformedResponse
from pipeline.llm.replies import is_event_stream

J = '{"lead": "Twelve boats lay in.", "mood": "NEUTRAL"}'
USAGE = {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940}


def reply(choice: object, **top: Any) -> ChatResponse:
    data = {"id": "a", "object": "chat.completion", "choices": [choice], "usage": USAGE} | top
    return read_reply(ChatCompletion.construct(**json.loads(json.dumps(data))))


def said(**message: Any) -> ChatResponse:
    return reply({"index": 0, "message": {"role": "assistant"} | message, "finish_reason": "stop"})


def call(arguments: object, name: str = "report") -> dict[str, Any]:
    return {"id": "t", "type": "function", "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("message", "text", "notes"),
    [
        ({"content": J, "reasoning_content": "hm"}, J, ()),
        ({"content": "", "reasoning_content": J}, J, ("the field `reasoning_content`",)),
        ({"content": None, "reasoning": f"hm</think>{J}"}, J, ("the field `reasoning`",)),
        ({"content": "<think>\n</think>\n", "reasoning": J}, J, ("the field `reasoning`",)),
        ({"content": None, "tool_calls": [call(J)]}, J, ("the arguments of a tool call",)),
        ({"content": None, "tool_calls": [call(json.loads(J))]}, J, ("the arguments of a tool call",)),
        (
            {"content": None, "function_call": {"name": "a", "arguments": J}},
            J,
            ("the arguments of a tool call",),
        ),
        ({"content": [{"type": "text", "text": J}]}, J, ("content in parts",)),
        (
            {
                "content": [
                    {"type": "text", "text": "{}", "thought": True},
                    {"type": "thinking", "text": "{}"},
                    J,
                ]
            },
            J,
            ("content in parts",),
        ),
        ({"content": [{"type": "text", "text": J[:9]}, {"text": J[9:]}]}, J, ("content in parts",)),
        (
            {"content": [{"type": "thinking", "thinking": [{"text": "{}"}]}, {"type": "text", "text": J}]},
            J,
            ("content in parts",),
        ),
        (
            {"content": [{"type": "reasoning", "text": "{}"}, {"type": "text", "text": J}]},
            J,
            ("content in parts",),
        ),
        ({"content": json.loads(J)}, J, ()),
    ],
)
def test_the_text_is_found_where_a_server_puts_it(
    message: dict[str, Any], text: str, notes: tuple[str, ...]
) -> None:
    answer = said(**message)
    assert (answer.text, answer.notes, answer.finish_reason) == (text, notes, FinishReason.STOP)


@pytest.mark.parametrize(
    "thought",
    [
        f"I could say {J}",
        f"{J} Is that right?",
        f"```json\n{J}\n```\nNo.",
        f"<think>{J}",
        J[:-1],
        "[]",
        "5",
        "hm",
    ],
)
@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_a_field_of_thoughts_is_no_answer(name: str, thought: str) -> None:
    assert said(content=None, **{name: thought}).text == ""


def test_several_tool_calls_are_no_answer() -> None:
    assert said(content=None, tool_calls=[call(J), call(J)]).text == ""


@pytest.mark.parametrize(
    "message", [{"content": None, "refusal": "No."}, {"content": [{"type": "refusal", "refusal": "No."}]}]
)
def test_a_refusal_is_read(message: dict[str, Any]) -> None:
    answer = said(**message)
    assert (answer.finish_reason, answer.refusal, answer.text) == (FinishReason.REFUSAL, "No.", "")


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"index": 0, "delta": {"role": "assistant", "content": J}}, J),
        ({"index": 0, "text": J, "finish_reason": "eos"}, J),
    ],
)
def test_a_choice_in_another_form_is_read(choice: dict[str, Any], text: str) -> None:
    assert reply(choice).text == text


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *((word, FinishReason.STOP) for word in ("stop", "eos", "end_turn", "tool_calls", "COMPLETE", None)),
        *((word, FinishReason.LENGTH) for word in ("length", "model_length", "MAX_TOKENS", "max_tokens")),
        *(
            (word, FinishReason.FILTER)
            for word in ("content_filter", "SAFETY", "RECITATION", "content-filter")
        ),
        ("FinishReason.PROHIBITED_CONTENT", FinishReason.FILTER),
        ("refusal", FinishReason.REFUSAL),
    ],
)
def test_the_end_of_an_answer_is_understood_in_all_dialects(word: str | None, reason: FinishReason) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": J}, "finish_reason": word}
    assert reply(choice).finish_reason is reason


@pytest.mark.parametrize("error", [{"code": 502, "message": "gone"}, {"code": "overloaded"}, None])
@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource"])
def test_a_server_that_broke_off_is_no_answer(reason: str, error: object) -> None:
    with pytest.raises(MalformedResponse, match=f"it ends with '{reason}'") as caught:
        reply({"index": 0, "message": {"content": J[:9]}, "finish_reason": reason, "error": error})
    assert caught.value.body == error


@pytest.mark.parametrize("choices", [None, []])
def test_a_billed_prompt_without_an_answer_was_filtered(choices: object) -> None:
    answer = reply(None, choices=choices, usage={"prompt_tokens": 900, "completion_tokens": 0})
    assert answer.finish_reason is FinishReason.FILTER
    assert answer.usage.prompt_tokens == 900


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0}])
def test_nothing_at_all_is_no_answer(usage: object) -> None:
    with pytest.raises(MalformedResponse, match="it holds no choices"):
        reply(None, choices=None, usage=usage)


def chunk(delta: dict[str, Any] | None, end: str | None = None, **top: Any) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": end}]
    return "data: " + json.dumps({"object": "chat.completion.chunk", "choices": choices} | top)


STREAM = [
    ": waiting",
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": J[:20]}),
    chunk({"content": J[20:]}),
    chunk({}, "length"),
    chunk(None, usage=USAGE),
    "data: [DONE]",
]


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n", "\n"])
def test_a_stream_that_nobody_asked_for_is_joined(gap: str) -> None:
    text = gap.join(STREAM) + gap
    assert is_event_stream(text)
    answer = read_reply(text)
    assert (answer.text, answer.finish_reason) == (J, FinishReason.LENGTH)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (900, 40)
    assert answer.notes == ("a stream of events",)


def test_a_streams_other_fields_are_joined() -> None:
    parts: list[dict[str, Any]] = [
        {"index": 0, "function": {"name": "report", "arguments": J[:5]}},
        {"index": 0, "function": {"arguments": J[5:]}},
    ]
    tools = "\n\n".join(chunk({"reasoning_content": "hm", "tool_calls": [part]}) for part in parts)
    assert read_reply(tools).text == J
    thoughts = "\n\n".join(chunk({"reasoning_content": part}) for part in (J[:5], J[5:]))
    assert read_reply(thoughts).notes == ("a stream of events", "the field `reasoning_content`")
    whole = "data: " + json.dumps({"choices": [{"index": 0, "message": {"content": J}}]})
    assert read_reply(whole).text == J


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('data: {"error": {"code": 429, "message": "slow down"}}\n\n', "slow down"),
        (f'{chunk({"content": J[:9]})}\n\ndata: {{"error": {{"message": "gone"}}}}\n\n', "gone"),
        (f'{chunk({"content": J[:9]})}\n\ndata: {{"choi', "is broken"),
        ("data: [DONE]\n\n", "no choices"),
    ],
)
def test_a_stream_that_fails_is_no_answer(text: str, message: str) -> None:
    with pytest.raises(MalformedResponse) as caught:
        read_reply(text)
    assert message in f"{caught.value}: {caught.value.body}"


@pytest.mark.parametrize("text", ["", "{}", "<html>", "no data: here"])
def test_other_bodies_are_no_streams(text: str) -> None:
    assert not is_event_stream(text)
