import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from pipeline.config import ConnectionNames
from pipeline.domain.errors import FailureCause, LLMError, LLMRejected, ShutdownRequested
from pipeline.domain.model_calls import TokenUsage
from pipeline.llm.capabilities import KnownCapability, RequestMode
from pipeline.llm.chat import ChatResponse as Reply_
from pipeline.llm.chat import FinishReason, Message, ModelOptions
from pipeline.llm.client import ClientConfig, LLMClient, never
from pipeline.llm.deadline import Deadline
from pipeline.llm.errors import LostAnswer
from pipeline.llm.refusal_messages import quoted
from pipeline.llm.retries import MAX_ATTEMPTS
from pipeline.rewrite.article_schema import parse_response
from tests.fakes.model_server import ModelServer, Reply, article, completion, error
from tests.pipeline.rewrite.sources import BEAT, source

_KEY = {"code": 400, "message": "API key not valid. Please pass another.", "status": "INVALID_ARGUMENT"}
LISTED_KEY = Reply(400, json.dumps([{"error": _KEY}]).encode())
"""A rejected key in a list, as Gemini sends every error."""
MESSAGES: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "It cost $5."},
]
BODY: dict[str, Any] = {"messages": MESSAGES}


class Pauses(list[float]):
    """A sleep that returns at once and records its seconds."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


def model(
    server: ModelServer,
    pauses: Pauses,
    *,
    deadline_s: float = 60.0,
    should_stop: Callable[[], bool] = never,
    **changes: Any,
) -> LLMClient:
    values: dict[str, Any] = {"api_key": "sk-secret", "timeout_s": 30.0, "deadline_s": deadline_s}
    config = ClientConfig(server.base_url, **values | changes)
    return LLMClient("fake-1", config, sleep=pauses, should_stop=should_stop)


async def failure(model: LLMClient) -> LLMError:
    async with model:
        with pytest.raises(LLMError) as caught:
            await model.send(BODY)
    assert "\n" not in caught.value.message
    assert "sk-secret" not in caught.value.message
    return caught.value


async def test_a_reply_is_given_verbatim_with_its_tokens(server: ModelServer, pauses: Pauses) -> None:
    usage: dict[str, Any] = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    details = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    server.enqueue(completion(" {not checked here} ", usage=usage | details))
    async with model(server, pauses) as client:
        reply = await client.send(BODY)
    assert reply.text == " {not checked here} "
    assert reply.usage == TokenUsage(
        prompt_tokens=11, cached_tokens=4, completion_tokens=7, reasoning_tokens=3
    )
    assert reply.finish_reason is FinishReason.STOP


async def test_a_request_carries_the_key_and_the_operators_own_fields(
    server: ModelServer, pauses: Pauses
) -> None:
    options = ModelOptions(extra={"chat_template_kwargs": {"enable_thinking": False}})
    async with model(server, pauses, options=options) as client:
        await client.send(BODY)
    assert server.received == [{"messages": MESSAGES, "model": "fake-1", "stream": False, **options.extra}]
    assert server.headers[0]["authorization"] == "Bearer sk-secret"


async def test_the_sdks_own_environment_changes_nothing(
    server: ModelServer, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "from-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/from-the-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Extra: from-the-environment")
    async with LLMClient("fake-1", ClientConfig(server.base_url), sleep=pauses) as client:
        await client.send(BODY)
    assert server.requests == 1
    assert "from-the-environment" not in json.dumps(server.headers)
    assert LLMClient("fake-1", ClientConfig())._client.base_url == "https://api.openai.com/v1/"


@pytest.mark.parametrize(
    "reply",
    [
        error(409),
        error(429),
        error(500),
        error(503),
        error(529),
        Reply(502, b"<html>Bad gateway</html>", content_type="text/html"),
        Reply(body=b"<html>Welcome</html>"),
        Reply(body=b""),
        Reply(body=b"{}"),
        Reply(body=b"[]"),
        Reply(body=b"null"),
        Reply(body=b'"text"'),
        Reply(body=b"Invalid API key, said the mine.", content_type="text/plain"),
        Reply(body=b'{"response": "Invalid API key, said the mine."}'),
        Reply(body=b'{"choices": null}'),
        Reply(body=b'{"choices": []}'),
        Reply(body=b'{"choices": {}}'),
        Reply(body=b'{"choices": [null]}'),
        Reply(body=b'{"choices": [{"message": null}]}'),
        Reply(body=b'{"choices": [{"message": {"content": ""}, "finish_reason": "error"}]}'),
        Reply(body=b'{"choices": [{"message": {"content": ""}, "error": {"code": 504, "message": "gone"}}]}'),
        Reply(body=b'{"error": {"message": "overloaded", "code": 502}}'),
        Reply(body=b"\xff\xfe{}"),
        Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
    ],
    ids=lambda reply: f"{reply.status} {(reply.body or b'')[:40]!r}",
)
async def test_a_transient_failure_is_retried(server: ModelServer, pauses: Pauses, reply: Reply) -> None:
    server.enqueue(reply, reply)
    async with model(server, pauses) as client:
        response = await client.send(BODY)
    assert parse_response(response.text, source(), BEAT)
    assert server.requests == 3
    assert len(server.answered) == 1
    assert len(pauses) == 2
    assert all(0.5 <= pause <= 31 for pause in pauses)


@pytest.mark.parametrize(
    ("reply", "completion_tokens", "is_running"),
    [
        (error(408), None, True),
        (error(504, "upstream request timeout"), None, True),
        (Reply(524, b"<html>A timeout occurred</html>", content_type="text/html"), None, True),
        (Reply(stall=True), None, True),
        (Reply(body=completion("{}").body, disconnect=True), None, False),
        (Reply(body=b'{"id": "chatcmpl", "choices": [{"mess'), None, False),
        (Reply(body=b'{"a": ' * 50_000), None, False),
        (Reply(body=b'data: {"choices": [{"delta": {"content": "An "}}]}\n\ndata: {"cho'), None, False),
        (Reply(body=b'{"choices": [{"message": {"content": 5}}]}'), None, False),
        (Reply(body=(completion("@").body or b"").replace(b'"@"', b"5")), 7, False),
        (completion("", finish="error"), 7, False),
    ],
    ids=lambda value: f"{value.status} {(value.body or b'')[:40]!r}" if isinstance(value, Reply) else "",
)
async def test_an_answer_that_may_be_billed_is_not_asked_for_again(
    server: ModelServer, pauses: Pauses, reply: Reply, completion_tokens: int | None, *, is_running: bool
) -> None:
    server.enqueue(reply)
    async with model(server, pauses, timeout_s=0.3) as client:
        with pytest.raises(LostAnswer) as caught:
            await client.send(BODY)
    usage, gaps = caught.value.billed
    assert (None if gaps.completion else usage.completion_tokens) == completion_tokens
    assert caught.value.is_running is is_running
    assert (server.requests, pauses) == (1, [])


async def test_a_deadline_keeps_its_own_items_failure(server: ModelServer, pauses: Pauses) -> None:
    async with model(server, pauses, max_in_flight=1) as client:
        server.enqueue(error(500, "of another item"), completion("{}"), Reply(stall=True))
        await client.send(BODY)
        first = asyncio.create_task(client.send(BODY, deadline=Deadline(0.3)))
        await asyncio.sleep(0)
        with pytest.raises(LLMError, match=r"was busy, and no request was sent .given up") as caught:
            await client.send(BODY, deadline=Deadline(0.2))
        assert caught.value.cause is FailureCause.OVERLOAD
        with pytest.raises(LostAnswer):
            await first


PAGE = Reply(body=b"\xef\xbb\xbf\n<!doctype html><title>Chat</title>", content_type="text/html")


@pytest.mark.parametrize("before", ["a request of this run", "an earlier run"])
async def test_a_web_page_is_transient_once_a_model_answered(
    server: ModelServer, pauses: Pauses, before: str
) -> None:
    capability = None
    if before == "an earlier run":
        capability = KnownCapability(manner=RequestMode(), at=datetime.now(UTC) - timedelta(days=9))
    async with model(server, pauses, capability=capability) as client:
        if capability is None:
            client.breaker.succeed()
        server.enqueue(PAGE, PAGE)
        assert await client.send(BODY)
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "reply",
    [
        PAGE,
        Reply(405, b"<h1>405</h1>", content_type="text/html"),
        Reply(405, b'{"detail": "Method Not Allowed"}'),
        Reply(body=b'{"error": "Unexpected endpoint or method. (POST /chat/completions)"}'),
    ],
    ids=lambda reply: f"{reply.status} {reply.body!r}",
)
async def test_a_wrong_url_is_reported_after_one_request(
    server: ModelServer, pauses: Pauses, reply: Reply
) -> None:
    server.enqueue(reply)
    caught = await failure(model(server, pauses))
    assert isinstance(caught, LLMRejected)
    assert "OPENAI_BASE_URL" in caught.message
    assert "usually ends in /v1" in caught.message
    assert (server.requests, pauses) == (1, [])


async def test_a_refused_connection_is_no_generation_and_is_retried(pauses: Pauses) -> None:
    config = ClientConfig("http://127.0.0.1:9/v1", timeout_s=30.0)
    async with LLMClient("fake-1", config, sleep=pauses) as client:
        with pytest.raises(LLMError, match="cannot be reached") as caught:
            await client.send(BODY)
    assert caught.value.cause is FailureCause.OUTAGE
    assert len(pauses) == MAX_ATTEMPTS - 1


async def test_after_the_last_attempt_the_reason_is_named(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(*[error(503, "down for repairs")] * MAX_ATTEMPTS)
    caught = await failure(model(server, pauses, deadline_s=3600))
    assert caught.retry
    assert "503: down for repairs" in caught.message
    assert server.requests == MAX_ATTEMPTS == 8
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == len(pauses), "pauses grow and vary"


async def test_a_server_that_is_not_there(pauses: Pauses) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        caught = await failure(LLMClient("m", ClientConfig(url, deadline_s=3600), sleep=pauses))
    assert caught.retry
    assert "OPENAI_BASE_URL" in caught.message
    assert len(pauses) == MAX_ATTEMPTS - 1


async def test_retry_after_is_respected(server: ModelServer, pauses: Pauses) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.enqueue(error(429, retry_after="17"), error(503, retry_after=date), error(429, retry_after="soon"))
    async with model(server, pauses, deadline_s=600) as client:
        assert await client.send(BODY)
    assert 17 <= pauses[0] <= 17.5
    assert 16 <= pauses[1] <= 17, "the pause holds for every request"
    assert 20 <= pauses[2] <= 41


async def test_a_cooldown_delays_every_request(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(429, retry_after="17"))
    async with model(server, pauses, deadline_s=600) as client:
        await client.send(BODY)
        del pauses[:]
        await client.send(BODY)
    assert [16 <= pause <= 17 for pause in pauses] == [True]


@pytest.mark.parametrize(
    ("code", "variable"),
    [("401", "OPENAI_API_KEY"), ("402", "OPENAI_API_KEY"), ('"insufficient_quota"', "OPENAI_API_KEY")],
)
async def test_a_refusal_inside_a_200_is_a_refusal(
    server: ModelServer, pauses: Pauses, code: str, variable: str
) -> None:
    body = f'{{"error": {{"message": "no", "code": {code}}}}}'
    server.enqueue(Reply(body=body.encode()))
    caught = await failure(model(server, pauses))
    assert isinstance(caught, LLMRejected)
    assert variable in caught.message
    assert server.requests == 1


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_a_wait_past_the_deadline_ends_the_run(
    server: ModelServer, pauses: Pauses, status: int
) -> None:
    server.enqueue(error(status, "slow down", retry_after="3600"))
    until = datetime.now(UTC) + timedelta(hours=1)
    async with model(server, pauses, deadline_s=60, timezone="Asia/Kolkata") as client:
        for _ in range(2):
            with pytest.raises(LLMRejected) as caught:
                await client.send(BODY)
    assert caught.value.cause is FailureCause.OVERLOAD
    assert f"{status}: slow down; the model server asks to be left alone until " in caught.value.message
    local = until.astimezone(timezone(timedelta(hours=5, minutes=30)))
    times = {f"{local + timedelta(minutes=late):%H:%M}" for late in (0, 1)}
    assert any(time in caught.value.message for time in times)
    assert (server.requests, pauses) == (1, [])


async def test_a_wait_past_the_deadline_of_a_broken_server_is_its_items(
    server: ModelServer, pauses: Pauses
) -> None:
    server.enqueue(error(500, "down", retry_after="3600"))
    caught = await failure(model(server, pauses, deadline_s=60))
    assert not isinstance(caught, LLMRejected)
    assert (caught.retry, caught.cause) == (True, FailureCause.OUTAGE)
    assert (server.requests, pauses) == (1, [])


async def test_no_request_begins_inside_a_pause(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(429, retry_after="30"))
    sent: list[int] = []
    server.refuse = lambda _request: sent.append(len(pauses))
    async with model(server, pauses, deadline_s=600, max_in_flight=1) as client:
        await asyncio.gather(*(client.send(BODY) for _ in range(3)))
    assert all(29 <= pause <= 31 for pause in pauses)
    assert sent[0] == 0
    assert all(before >= 1 for before in sent[1:]), "each waited for the pause, also the one in the queue"


async def test_after_a_rejection_no_request_is_sent(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(401, "no such key"))
    async with model(server, pauses, max_in_flight=1) as client:
        results = await asyncio.gather(*(client.send(BODY) for _ in range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [LLMRejected] * 4
    assert len({str(result) for result in results}) == 1
    assert server.requests == 1


async def test_a_server_that_always_asks_for_no_wait_is_asked_more_and_more_slowly(
    server: ModelServer, pauses: Pauses
) -> None:
    server.enqueue(*[error(429, retry_after="Sat, 28 Nov 2020 00:00:00 GMT")] * MAX_ATTEMPTS)
    caught = await failure(model(server, pauses, deadline_s=3600))
    assert (caught.retry, caught.cause) == (True, FailureCause.OVERLOAD)
    assert pauses[0] <= 0.5
    assert pauses[-1] >= 10


@pytest.mark.parametrize(
    ("refusal", "variable"),
    [
        (error(401, "Incorrect API key provided: sk-secret."), "OPENAI_API_KEY"),
        (error(403, "country not supported"), "OPENAI_API_KEY"),
        (error(400, "Incorrect API key provided: ab. Look at your console."), "OPENAI_API_KEY"),
        (LISTED_KEY, "OPENAI_API_KEY"),
        (Reply(401, b"<html>Who are you?</html>", content_type="text/html"), "OPENAI_API_KEY"),
        (error(400, "This model only support stream mode"), "COPYDESK_MODEL"),
        (error(400, "enable_thinking must be false for non-streaming calls"), "COPYDESK_EXTRA_BODY"),
        (error(402, "Insufficient Balance"), "OPENAI_API_KEY"),
        (error(429, "You exceeded your current quota", code="insufficient_quota"), "OPENAI_API_KEY"),
        (error(404, "The model `fake-1` does not exist", code="model_not_found"), "COPYDESK_MODEL"),
        (error(404, "model 'fake-1' not found, try pulling it first"), "COPYDESK_MODEL"),
        (Reply(404, b'{"detail": "Not Found"}'), "OPENAI_BASE_URL"),
        (Reply(404, b"<html>model railway</html>", content_type="text/html"), "OPENAI_BASE_URL"),
        (
            Reply(400, b'{"error": {"message": "invalid model ID", "param": "model"}}'),
            "COPYDESK_MODEL",
        ),
    ],
)
async def test_a_refusal_takes_one_request_and_names_the_variable(
    server: ModelServer, pauses: Pauses, refusal: Reply, variable: str
) -> None:
    server.enqueue(refusal)
    caught = await failure(model(server, pauses))
    assert isinstance(caught, LLMRejected)
    assert variable in caught.message
    assert (server.requests, pauses) == (1, [])


async def test_a_403_about_the_items_text_fails_the_item(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(403, "Your input was flagged by moderation"))
    caught = await failure(model(server, pauses))
    assert not isinstance(caught, LLMRejected)
    assert not caught.retry
    assert server.requests == 1


async def test_a_rejected_request_fails_the_item(server: ModelServer, pauses: Pauses) -> None:
    status = 418
    server.enqueue(error(status, "too long\nfor sk-secret " + "x " * 400))
    caught = await failure(model(server, pauses))
    assert not isinstance(caught, LLMRejected)
    assert not caught.retry
    assert f"{status}: too long for …" in caught.message
    assert len(caught.message) < 300
    assert server.requests == 1


@pytest.mark.parametrize("usage", [b"null", b"[]", b'{"prompt_tokens": "many", "completion_tokens": -1}'])
async def test_a_server_that_counts_no_tokens(server: ModelServer, pauses: Pauses, usage: bytes) -> None:
    body = completion(json.dumps(article())).body or b""
    server.enqueue(Reply(body=body.partition(b'"usage"')[0] + b'"usage": ' + usage + b"}"))
    async with model(server, pauses) as client:
        assert (await client.send(BODY)).usage == TokenUsage()


async def test_probing_a_model_is_not_billed(server: ModelServer, pauses: Pauses) -> None:
    async with model(server, pauses) as client:
        assert await client.probe() == "the server answers and knows 'fake-1'"
        server.models = ["other"]
        assert "not among the 1 models that it lists, and was not refused: check COPYDESK_MODEL" in (
            await client.probe()
        )
        server.models = ["models/fake-1"]
        assert "knows 'fake-1'" in await client.probe()
        server.listing = error(404)
        assert "lists no models" in await client.probe()
        server.listing = error(401)
        with pytest.raises(LLMRejected, match="OPENAI_API_KEY"):
            await client.probe()
        server.listing = error(500, "broken")
        with pytest.raises(LLMError, match="500: broken"):
            await client.probe()
    assert [sent["messages"] for sent in server.received] == [[], []], "no model answers that"


async def test_a_probe_finds_what_is_wrong_where_no_models_are_listed(
    server: ModelServer, pauses: Pauses
) -> None:
    server.listing = error(404)
    refusals = {
        "OPENAI_BASE_URL": Reply(404, b'{"detail": "Not Found"}'),
        "COPYDESK_MODEL": error(404, "The model `fake-1` does not exist", code="model_not_found"),
        "OPENAI_API_KEY": error(401, "no"),
    }
    async with model(server, pauses) as client:
        for variable, refusal in refusals.items():
            server.enqueue(refusal)
            with pytest.raises(LLMRejected, match=variable):
                await client.probe()


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (b'{"object": "list", "data": [{"id": "a"}, {"id": "fake-1", "more": null}, 5]}', "knows 'fake-1'"),
        (b'[{"id": "fake-1"}]', "knows 'fake-1'"),
        (b'{"object": "list", "data": null}', "not among the 0 models"),
    ],
)
async def test_lists_of_models_come_in_several_forms(
    server: ModelServer, pauses: Pauses, listing: bytes, message: str
) -> None:
    server.listing = Reply(body=listing)
    async with model(server, pauses) as client:
        assert message in await client.probe()


KEY = "the model server refuses the key: check OPENAI_API_KEY (400, the server says: API key not valid."
WEB_PAGE = "OPENAI_BASE_URL answers with a web page"
NO_MODELS = "the server under OPENAI_BASE_URL knows no /models: the URL usually ends in /v1"


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (LISTED_KEY, KEY),
        (error(400, "no"), "refuses this request with 400: no"),
        (error(422, "no"), "refuses this request with 422: no"),
        (PAGE, WEB_PAGE),
        (Reply(body=b"<html></html>"), WEB_PAGE),
        (Reply(404, b"<html>Not here</html>", content_type="text/html"), WEB_PAGE),
        (Reply(405, b"<h1>405</h1>", content_type="text/html"), WEB_PAGE),
        (Reply(405, b'{"detail": "Method Not Allowed"}'), NO_MODELS),
        (Reply(body=b'{"error": "Unexpected endpoint or method. (GET /models)"}'), NO_MODELS),
        (Reply(body=b'{"error": {"message": "who?"}}'), NO_MODELS),
        (Reply(body=b'{"error": {"message": "no", "code": 401}}'), "OPENAI_API_KEY"),
        (Reply(body=b'{"error": {"message": "overloaded", "code": 502}}'), "overloaded"),
        (Reply(body=b'{"data": {}}'), NO_MODELS),
        (Reply(body=b"5"), NO_MODELS),
        (Reply(body=b""), "no JSON"),
        (Reply(body=b"[" * 100_000), "broken"),
        (Reply(body=b"\xff\xfe"), "no JSON"),
        (Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"}), "cannot be reached"),
    ],
    ids=lambda value: f"{value.status} {(value.body or b'')[:40]!r}" if isinstance(value, Reply) else "",
)
async def test_an_unreadable_list_of_models_is_an_error(
    server: ModelServer, pauses: Pauses, listing: Reply, message: str
) -> None:
    server.listing = listing
    async with model(server, pauses) as client:
        with pytest.raises(LLMError) as caught:
            await client.probe()
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("key", ["sk-proj-abc_DEF123", "local key", None])
def test_keys_are_removed_from_quotations(key: str | None) -> None:
    message = quoted(f"bad {key} or sk-ab***********wxyz or Bearer abcdef", (key,) if key else ())
    assert message == f"bad {'…' if key else None} or … or …"


async def test_a_stopped_run_sends_no_waiting_request(server: ModelServer, pauses: Pauses) -> None:
    server.refuse = lambda _request: completion("{}")
    ended = False

    def should_stop() -> bool:
        nonlocal ended
        before, ended = ended, True  # stops when the first request is sent
        return before

    async with model(server, pauses, max_in_flight=1, should_stop=should_stop) as client:
        results = await asyncio.gather(*(client.send(BODY) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [type(results[0]), ShutdownRequested, ShutdownRequested]
    assert isinstance(results[0], Reply_)
    assert server.requests == 1


async def test_a_stopped_run_retries_nothing(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(500))
    async with model(server, pauses, should_stop=lambda: bool(server.requests)) as client:
        with pytest.raises(ShutdownRequested):
            await client.send(BODY)
    assert server.requests == 1


async def test_messages_name_the_variables_of_the_server(server: ModelServer, pauses: Pauses) -> None:
    server.enqueue(error(401, "no"))
    caught = await failure(model(server, pauses, names=ConnectionNames(key="BACKUP_KEY")))
    assert "check BACKUP_KEY" in caught.message
