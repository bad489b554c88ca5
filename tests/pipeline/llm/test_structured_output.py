"""Structured output over real HTTP: outcome, number of requests and recorded answers per server behaviour."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.errors import BudgetExceeded, FailureCause, LLMError
from pipeline.llm.capabilities import LENGTH_FIELDS, KnownCapability, OutputMode, RequestMode
from pipeline.llm.chat import ModelOptions
from pipeline.llm.client import ClientConfig, LLMClient, SaveCapability, discard_capability
from pipeline.llm.retries import MAX_ATTEMPTS
from pipeline.llm.structured_output import request_structured
from tests.fakes.model_server import ModelServer, Reply, article, completion, error
from tests.pipeline.llm.conversation import MESSAGES, RecordingBudget, request

GOOD = json.dumps(article(title="Example Corp mines more", description="It mined 1,250 coins."))
WRONG = json.dumps(article(sections=[]))
Refuse = Callable[[dict[str, Any]], Reply | None]


async def no_pause(_seconds: float) -> None:
    """Be over at once."""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def model(
    server: ModelServer, *, save_capability: SaveCapability = discard_capability, **changes: Any
) -> LLMClient:
    values: dict[str, Any] = {"api_key": "sk-secret", "timeout_s": 30.0, "deadline_s": 60.0}
    config = ClientConfig(server.base_url, **values | changes)
    return LLMClient("fake-1", config, save_capability=save_capability, sleep=no_pause)


async def outcome(server: ModelServer, budget: RecordingBudget, **changes: Any) -> str:
    """Return the output mode that led to an article, or the error message."""
    async with model(server, **changes) as client:
        try:
            await request_structured(client, request(), budget)
            result = str(client.mode.rung)
        except LLMError as error:
            result = error.message
    assert "\n" not in result
    assert "sk-secret" not in result
    return result


def refusing(status: int, message: str, *formats: str) -> Refuse:
    """Refuse requests for these response formats."""

    def refuse(request: dict[str, Any]) -> Reply | None:
        format_ = request.get("response_format", {}).get("type")
        return error(status, message.format(format_)) if format_ in formats else None

    return refuse


def without(field: str, status: int, message: str) -> Refuse:
    """Refuse requests with a field."""
    return lambda request: error(status, message) if field in request else None


def choice(**fields: object) -> Reply:
    """Reply with a choice that has these fields."""
    fields = {"index": 0, "message": {"role": "assistant", "content": ""}} | fields
    return Reply(body=json.dumps({"object": "chat.completion", "choices": [fields]}).encode())


def stream(content_type: str) -> Reply:
    """Reply with a good answer as a stream of events."""
    event = json.dumps({"choices": [{"index": 0, "delta": {"content": GOOD}, "finish_reason": "stop"}]})
    return Reply(body=f"data: {event}\n\ndata: [DONE]\n\n".encode(), content_type=content_type)


def above(most: int, message: str) -> Refuse:
    """Refuse requests for longer answers; the message has the limit sent as {0}, with 1900 more as {1}."""

    def refuse(request: dict[str, Any]) -> Reply | None:
        asked = request["max_tokens"]
        return error(400, message.format(asked, asked + 1900)) if asked > most else None

    return refuse


STRICT, JSON = "json_schema", "json_object"
BEHAVIOURS: list[tuple[str, Refuse | None, list[Reply], str, int, list[str]]] = [
    # name, requests rejected, replies, expected outcome, requests, recorded answers
    ("strict", None, [], "strict", 1, ["draft"]),
    ("json_object only", refusing(400, "unsupported response_format {}", STRICT), [], "json", 2, ["draft"]),
    (
        "plain only",
        refusing(422, "Unexpected keys: response_format", STRICT, JSON),
        [],
        "plain",
        3,
        ["draft"],
    ),
    ("a 500 that names the format", refusing(500, "response_format {}", STRICT), [], "json", 2, ["draft"]),
    (
        "no endpoint for the format",
        refusing(404, "No endpoints found that support it", STRICT),
        [],
        "json",
        2,
        ["draft"],
    ),
    ("fenced", None, [completion(f"```json\n{GOOD}\n```")], "strict", 1, ["draft"]),
    ("thinking aloud", None, [completion(f"<think>\nhm {{}}\n</think>\n{GOOD}")], "strict", 1, ["draft"]),
    (
        "content in parts",
        None,
        [
            Reply(
                body=(completion("@").body or b"").replace(
                    b'"@"', json.dumps([{"type": "text", "text": GOOD}]).encode()
                )
            )
        ],
        "strict",
        1,
        ["draft"],
    ),
    ("wrong shape, repaired", None, [completion(WRONG)], "strict", 2, ["draft", "repair"]),
    ("wrong shape twice", None, [completion(WRONG)] * 2, "it has 0 sections", 2, ["draft", "repair"]),
    ("no JSON, repaired", None, [completion("Sure! Here it is.")], "json", 2, ["draft", "repair"]),
    (
        "never the right shape",
        None,
        [completion("Sure! Here it is.")] * 2,
        "cannot be used: it is not JSON",
        2,
        ["draft", "repair"],
    ),
    (
        "no JSON, and the next mode is rejected",
        refusing(400, "response_format {}", JSON),
        [completion("Sure!")],
        "plain",
        3,
        ["draft", "repair"],
    ),
    ("empty content", None, [completion("")], "json", 2, ["draft", "draft"]),
    ("no content", None, [completion(None)] * 2, "answer is empty", 2, ["draft"] * 2),
    (
        "refusal",
        None,
        [completion(None, refusal="I cannot\nhelp")],
        "refuses to write this: I cannot help",
        1,
        ["draft"],
    ),
    ("length", None, [completion('{"over', finish="length")], "strict", 2, ["draft", "draft"]),
    (
        "length twice",
        None,
        [completion('{"over', finish="length")] * 2,
        "COPYDESK_MAX_TOKENS",
        2,
        ["draft", "draft"],
    ),
    (
        "length, then another shape",
        None,
        [completion('{"over', finish="length"), completion(WRONG)],
        "strict",
        3,
        ["draft", "draft", "repair"],
    ),
    (
        "two causes, three answers",
        None,
        [completion('{"over', finish="MAX_TOKENS"), completion(WRONG), completion(WRONG)],
        "it has 0 sections",
        3,
        ["draft", "draft", "repair"],
    ),
    (
        "another shape, then length twice",
        None,
        [completion(WRONG), *[completion('{"over', finish="model_length")] * 2],
        "COPYDESK_MAX_TOKENS",
        3,
        ["draft", "repair", "repair"],
    ),
    (
        "white space up to the limit",
        None,
        [completion(GOOD + "\n" * 99, finish="length")],
        "strict",
        1,
        ["draft"],
    ),
    (
        "an error inside a choice",
        None,
        [choice(finish_reason="error", error={"code": 502, "message": "gone"})],
        "strict",
        2,
        ["draft"],
    ),
    ("an error after an answer", None, [completion("", finish="error")], "strict", 2, ["draft"] * 2),
    ("a gateway's timeout", None, [error(504), error(504)], "504: injected", 2, ["draft"] * 2),
    ("a number", None, [completion(None), choice(message={"content": 5})], "json", 3, ["draft"] * 3),
    ("cut off twice", None, [Reply(body=b'{"id": "c')] * 2, "it is cut off", 2, ["draft"] * 2),
    ("a stream", None, [stream("text/event-stream")], "strict", 1, ["draft"]),
    ("a stream that is called JSON", None, [stream("application/json")], "strict", 1, ["draft"]),
    ("content_filter", None, [completion("", finish="content_filter")], "content filter", 1, ["draft"]),
    ("a filter in front", None, [error(400, "filtered", code="content_filter")], "content filter", 1, []),
    (
        "200 with HTML",
        None,
        [Reply(body=b"<html>Welcome</html>")],
        "strict",
        2,
        ["draft"],
    ),
    (
        "always HTML",
        None,
        [Reply(body=b"<html></html>")] * MAX_ATTEMPTS,
        "reply is broken",
        MAX_ATTEMPTS,
        [],
    ),
    (
        "a web page at once",
        None,
        [Reply(body=b"<html></html>", content_type="text/html")],
        "OPENAI_BASE_URL",
        1,
        [],
    ),
    (
        "200 with an error",
        None,
        [Reply(body=b'{"error": {"message": "overloaded", "code": 502}}')],
        "strict",
        2,
        ["draft"],
    ),
    (
        "200 with a refused key",
        None,
        [Reply(body=b'{"error": {"message": "no", "code": 401}}')],
        "OPENAI_API_KEY",
        1,
        [],
    ),
    (
        "no quota",
        None,
        [error(429, "You exceeded your quota", code="insufficient_quota")],
        "top it up",
        1,
        [],
    ),
    (
        "429 storm",
        None,
        [error(429, "slow down", retry_after="1")] * MAX_ATTEMPTS,
        "slow down",
        MAX_ATTEMPTS,
        [],
    ),
    ("a 500 for the schema", refusing(500, "oops", STRICT), [], "json", 3, ["draft"]),
    ("a 500 for every format", refusing(500, "oops", STRICT, JSON), [], "plain", 5, ["draft"]),
    ("500s", lambda _: error(500, "oops"), [], "500: oops", 4 + MAX_ATTEMPTS, []),
    ("disconnect", None, [Reply(body=completion(GOOD).body, disconnect=True)], "strict", 2, ["draft"] * 2),
    (
        "the older length field",
        without(
            "max_tokens",
            400,
            "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ),
        [],
        "strict",
        2,
        ["draft"],
    ),
    (
        "no room for the limit",
        above(
            2000,
            "This model's maximum context length is 4000 tokens. However, you requested {1} tokens "
            "(1900 in the messages, {0} in the completion).",
        ),
        [],
        "strict",
        2,
        ["draft"],
    ),
    (
        "hardly any room for the limit",
        above(800, "input length and `max_tokens` exceed context limit: 19200 + {0} > 20000"),
        [],
        "prompt and source do not fit into the model's context",
        1,
        [],
    ),
    ("a lower limit", above(300, "max_tokens must be between 0 and 300"), [], "strict", 2, ["draft"]),
    (
        "another name of the limit",
        without("max_tokens", 422, "max_tokens: Extra inputs are not permitted"),
        [],
        "strict",
        2,
        ["draft"],
    ),
    (
        "no limit at all",
        lambda request: next(
            (error(400, f"unknown field {name}") for name in LENGTH_FIELDS if name in request), None
        ),
        [],
        "strict",
        3,
        ["draft"],
    ),
    (
        "no room for the prompt",
        lambda _: error(400, "the request exceeds the available context size"),
        [],
        "do not fit into the model's context",
        1,
        [],
    ),
    ("rejected in every mode", lambda _: error(400, "I take nothing"), [], "400: I take nothing", 3, []),
]


@pytest.mark.parametrize(
    ("refuse", "replies", "expected", "requests", "paid"),
    [row[1:] for row in BEHAVIOURS],
    ids=[row[0] for row in BEHAVIOURS],
)
async def test_every_behaviour_ends_in_an_article_or_a_named_outcome(
    server: ModelServer,
    refuse: Refuse | None,
    replies: list[Reply],
    expected: str,
    requests: int,
    paid: list[str],
) -> None:
    server.refuse = refuse or server.refuse
    server.enqueue(*replies)
    budget = RecordingBudget()
    assert re.search(re.escape(expected), await outcome(server, budget, deadline_s=3600))
    assert server.requests == requests
    assert budget.purposes == paid
    assert not budget.open, "every reservation is released or spent"


async def test_a_stall_ends_at_the_deadline_and_is_booked(server: ModelServer) -> None:
    server.enqueue(Reply(stall=True))
    budget = RecordingBudget()
    assert "deadline of 0.3 s" in await outcome(server, budget, deadline_s=0.3)
    assert (budget.purposes, budget.discarded) == (
        ["draft"],
        ["the model server did not answer (given up at the deadline of 0.3 s)"],
    )
    assert server.requests == 1


async def test_after_a_timeout_less_is_asked_for_and_then_the_item_waits(server: ModelServer) -> None:
    server.enqueue(*[Reply(stall=True)] * 2)
    budget = RecordingBudget()
    async with model(server, timeout_s=0.2) as client:
        with pytest.raises(
            LLMError, match=r"did not answer within 0\.2 s; see COPYDESK_MODEL_TIMEOUT"
        ) as caught:
            await request_structured(client, request(), budget)
    assert caught.value.retry
    assert caught.value.cause is FailureCause.OUTAGE
    assert [sent["max_tokens"] for sent in server.received] == [4096, 2048]
    assert [answer.usage.completion_tokens for answer in budget.answers] == [4096, 2048]
    assert all(answer.estimated and answer.usage.prompt_tokens > 0 for answer in budget.answers)
    assert len(budget.discarded) == 2


async def test_an_answer_of_half_the_length_is_used(server: ModelServer) -> None:
    server.enqueue(Reply(stall=True))
    budget = RecordingBudget()
    assert await outcome(server, budget, timeout_s=0.3) == "strict"
    assert [answer.estimated for answer in budget.answers] == [True, False]


@pytest.mark.parametrize(
    "changes",
    [
        {"options": ModelOptions(max_tokens=900)},  # half of it is no article
        {"deadline_s": 0.5},  # no time for a whole answer is left
        {"capability": KnownCapability(manner=RequestMode(length_field=None), at=datetime.now(UTC))},
    ],
)
async def test_no_request_is_sent_again_where_a_lower_limit_cannot_help(
    server: ModelServer, changes: dict[str, Any]
) -> None:
    server.enqueue(Reply(stall=True))
    assert "did not answer" in await outcome(server, RecordingBudget(), timeout_s=0.3, **changes)
    assert server.requests == 1


async def test_a_longer_answer_gets_time_in_proportion(server: ModelServer) -> None:
    slow = ModelServer(latency_s=0.5)
    with slow:
        slow.enqueue(completion("{", finish="length"))
        budget = RecordingBudget()
        assert await outcome(slow, budget, timeout_s=30.0, deadline_s=1.5) == (
            "the answer was cut off at the length limit, and a longer one ends after the deadline; set "
            "COPYDESK_MODEL_DEADLINE higher, or let the feed use its summary"
        )
    assert slow.requests == 1


async def test_without_a_limit_an_answer_may_be_several_times_as_long(server: ModelServer) -> None:
    server.enqueue(Reply(body=(completion(GOOD).body or b"").partition(b'"usage"')[0] + b'"usage": null}'))
    budget = RecordingBudget()
    unlimited = KnownCapability(manner=RequestMode(length_field=None), at=datetime.now(UTC))
    assert await outcome(server, budget, capability=unlimited) == "strict"
    assert [tokens for _, tokens in budget.reserved] == [4 * 4096]
    assert budget.answers[0].usage.completion_tokens == 4 * 4096


async def test_unknown_usage_is_booked_at_its_upper_bound(server: ModelServer) -> None:
    body = completion(GOOD).body or b""
    server.enqueue(Reply(body=body.partition(b'"usage"')[0] + b'"usage": null}'))
    budget = RecordingBudget()
    assert await outcome(server, budget) == "strict"
    [answer] = budget.answers
    assert answer.estimated
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == budget.reserved[0]


async def test_a_repair_quotes_the_answer_and_what_is_wrong_with_it(server: ModelServer) -> None:
    server.enqueue(completion(WRONG))
    await outcome(server, RecordingBudget())
    *_, quoted, repair = server.received[1]["messages"]
    assert quoted == {"role": "assistant", "content": WRONG}
    assert "0 sections with a text instead of one to three" in repair["content"]


async def test_an_answer_that_fails_for_its_form_leaves_the_item_for_a_later_run(
    server: ModelServer,
) -> None:
    server.enqueue(*[completion("Sure!")] * 2, *[completion("{", finish="length")] * 2)
    async with model(server) as client:
        failures = []
        for _ in range(2):
            with pytest.raises(LLMError) as caught:
                await request_structured(client, request(), RecordingBudget())
            failures.append((caught.value.cause, caught.value.retry))
    assert failures == [(FailureCause.FORMAT, True), (FailureCause.LENGTH, False)]


async def test_one_answer_that_does_not_fit_changes_no_mode_that_works(server: ModelServer) -> None:
    async with model(server) as client:
        await request_structured(client, request(), RecordingBudget())
        server.enqueue(completion("Sure!"))
        await request_structured(client, request(), RecordingBudget())
        assert client.mode == RequestMode()
    assert [sent["response_format"]["type"] for sent in server.received] == [STRICT, STRICT, JSON]


async def test_what_was_read_leniently_is_noted(server: ModelServer) -> None:
    fenced = {"role": "assistant", "content": [{"type": "text", "text": f"```\n{GOOD}\n```"}]}
    server.enqueue(choice(message=fenced, finish_reason="stop"), completion(GOOD))
    budget = RecordingBudget()
    async with model(server) as client:
        await request_structured(client, request(), budget)
        assert budget.notes == ["content in parts", "code fence"]
        await request_structured(client, request(), budget)
    assert len(budget.notes) == 2


async def test_each_output_mode_sends_the_schema_in_its_way(server: ModelServer) -> None:
    server.refuse = refusing(400, "no {}", STRICT, JSON)
    await outcome(server, RecordingBudget())
    strict, loose, plain = server.received
    assert strict["response_format"]["json_schema"]["strict"] is True
    assert "schema" not in strict["messages"][0]["content"]
    assert loose["response_format"] == {"type": "json_object"}
    assert "response_format" not in plain
    assert all('"from_author"' in request["messages"][0]["content"] for request in (loose, plain))
    assert all(sent["messages"][1:] == strict["messages"][1:] for sent in (loose, plain))


async def test_the_accepted_mode_is_stored_and_used_for_the_next_item(server: ModelServer) -> None:
    server.refuse = refusing(400, "no {}", STRICT)
    saved: list[KnownCapability] = []

    async def save(capability: KnownCapability) -> None:
        saved.append(capability)

    async with model(server, save_capability=save) as client:
        for _ in range(3):
            await request_structured(client, request(), RecordingBudget())
    assert server.requests == 4
    assert [capability.manner.rung for capability in saved] == [OutputMode.JSON_OBJECT]
    async with model(server, capability=saved[0]) as next_client:
        await request_structured(next_client, request(), RecordingBudget())
    assert server.requests == 5


async def test_a_limit_of_the_model_is_kept(server: ModelServer) -> None:
    server.refuse = above(
        3000, "max_tokens: {0} > 3000, which is the maximum allowed number of output tokens"
    )
    server.enqueue(completion("{", finish="length"))
    async with model(server) as client:
        with pytest.raises(LLMError, match="length limit"):
            await request_structured(client, request(), RecordingBudget())
        await request_structured(client, request(max_tokens=2000), RecordingBudget())
        assert client.mode.most_tokens is None, "it led to no usable answer"
        await request_structured(client, request(), RecordingBudget())
        await request_structured(client, request(), RecordingBudget())
    assert [request["max_tokens"] for request in server.received] == [4096, 3000, 2000, 4096, 3000, 3000]


async def test_a_limit_that_the_prompt_leaves_holds_for_one_item(server: ModelServer) -> None:
    server.enqueue(
        error(400, "maximum context length is 8000 tokens: 5000 in the messages, 4096 in the completion")
    )
    async with model(server) as client:
        await request_structured(client, request(), RecordingBudget())
        await request_structured(client, request(), RecordingBudget())
    assert [request["max_tokens"] for request in server.received] == [4096, 2900, 4096]


async def test_a_mode_that_led_to_an_answer_is_not_left_for_a_500(server: ModelServer) -> None:
    async with model(server, deadline_s=3600) as client:
        await request_structured(client, request(), RecordingBudget())
        server.enqueue(*[error(500, "oops")] * 4)
        await request_structured(client, request(), RecordingBudget())
    assert {request["response_format"]["type"] for request in server.received} == {STRICT}


async def test_the_causes_of_failures_are_told_apart(server: ModelServer) -> None:
    causes: list[FailureCause] = []
    for reply in (error(400, "I take nothing"), error(400, "prompt is too long"), error(400, "was flagged")):
        server.refuse = lambda _request, reply=reply: reply  # type: ignore[misc]
        async with model(server) as client:
            with pytest.raises(LLMError) as caught:
                await request_structured(client, request(), RecordingBudget())
        causes.append(caught.value.cause)
    assert causes == [FailureCause.FORMAT, FailureCause.CONTEXT, FailureCause.FILTER]


async def test_the_token_limit_is_raised_once_and_a_prompt_may_set_it(server: ModelServer) -> None:
    server.enqueue(completion("{", finish="length"))
    async with model(server) as client:
        await request_structured(client, request(max_tokens=700, temperature=0.4), RecordingBudget())
    assert [request["max_tokens"] for request in server.received] == [700, 2800]
    assert {request["temperature"] for request in server.received} == {0.4}


async def test_the_operators_options_win_over_the_prompts(server: ModelServer) -> None:
    async with model(server, options=ModelOptions(max_tokens=300, temperature=0.1, seed=7)) as client:
        await request_structured(client, request(max_tokens=700, temperature=0.4), RecordingBudget())
    [sent] = server.received
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (300, 0.1, 7)


async def test_a_rejected_optional_field_is_left_out(server: ModelServer) -> None:
    server.refuse = without("temperature", 400, "Unsupported value: 'temperature' does not support 0.1")
    async with model(server, options=ModelOptions(temperature=0.1)) as client:
        await request_structured(client, request(), RecordingBudget())
        assert client.mode == RequestMode(dropped=frozenset({"temperature"}))
    assert server.requests == 2


async def test_no_request_is_sent_without_a_reservation(server: ModelServer) -> None:
    server.enqueue(completion(WRONG))
    budget = RecordingBudget(calls_left=1)
    async with model(server) as client:
        with pytest.raises(BudgetExceeded):
            await request_structured(client, request(), budget)
    assert (server.requests, budget.purposes) == (1, ["draft"])
    [(prompt, answer)] = budget.reserved
    assert prompt >= sum(len(message["content"]) for message in MESSAGES) / 4
    assert answer == 4096
