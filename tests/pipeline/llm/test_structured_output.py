"""Structured output over real HTTP: outcome, number of requests and recorded answers per server behaviour."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.errors import BudgetExceeded, FailureCause, LLMError
from pipeline.llm.capabilities import KnownCapability, OutputMode, RequestMode
from pipeline.llm.chat import ModelOptions
from pipeline.llm.client import MAX_ATTEMPTS, ClientConfig, LLMClient, SaveCapability, discard_capability
from pipeline.llm.structured_output import request_structured
from tests.fakes.model_server import ModelServer, Reply, article, completion, error
from tests.pipeline.llm.conversation import MESSAGES, RecordingBudget, request

GOOD = json.dumps(article())
WRONG = json.dumps(article(sections=[]))
Refuse = Callable[[dict[str, Any]], Reply | None]


async def no_pause(_seconds: float) -> None:
    """Be over at once."""


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


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
    ("wrong shape twice", None, [completion(WRONG)] * 2, "json", 3, ["draft", "repair", "draft"]),
    (
        "never the right shape",
        None,
        [completion("Sure! Here it is.")] * 6,
        "cannot be used: it is not JSON",
        6,
        ["draft", "repair"] * 3,
    ),
    ("empty content", None, [completion("")], "strict", 2, ["draft", "draft"]),
    ("no content", None, [completion(None)] * 6, "answer is empty", 6, ["draft"] * 6),
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
    ("500s", None, [error(500, "oops")] * MAX_ATTEMPTS, "500: oops", MAX_ATTEMPTS, []),
    ("disconnect", None, [Reply(body=completion(GOOD).body, disconnect=True)], "strict", 2, ["draft"]),
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
        without(
            "max_tokens",
            400,
            "'max_tokens' is too large: 4096. This model's maximum context length is 2048 tokens",
        ),
        [],
        "strict",
        2,
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
    assert (budget.purposes, budget.discarded) == (["draft"], ["timed out"])
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
    assert budget.discarded == ["timed out"] * 2


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
    assert "0 sections instead of one to three" in repair["content"]


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
