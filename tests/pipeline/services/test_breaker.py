"""A run whose model is no good ends early, and every item waits for the next run."""

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.domain.errors import FailureCause, LLMError, LLMRejected
from pipeline.http_client import HttpClient
from pipeline.llm.breaker import AT_START, LATER
from pipeline.llm.client import ClientConfig, LLMClient
from pipeline.services.context import Writer
from pipeline.services.draft import draft_feed
from pipeline.storage import Database
from tests.fakes.model_server import ModelServer, Reply, completion
from tests.pipeline.services.desk import GOOD, Scripted, run_context
from tests.pipeline.storage.records import admit, feed, item


def states(db: Database) -> dict[str, int]:
    return db.feeds.item_counts()["one"]


def outage() -> LLMError:
    return LLMError("the server is gone", retry=True, cause=FailureCause.OUTAGE)


async def test_of_a_hundred_items_three_are_tried_and_all_stay_queued(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    admit(db, *(item(number) for number in range(5, 100)))
    with ModelServer() as server:
        server.refuse = lambda _request: completion("Sure! Here it is.")
        async with LLMClient("fake-1", ClientConfig(server.base_url, max_in_flight=50)) as model:
            ctx = run_context(db, net, tmp_path, model, max_in_flight=50)
            await draft_feed(ctx, feed(), 100)
    asked = (json.dumps(sent["messages"]) for sent in server.received)
    assert len({found[0] for text in asked if (found := re.search(r"Item \d+", text))}) == AT_START
    error = ctx.fatal_errors[0]
    assert isinstance(error, LLMRejected)
    assert (error.exit_code, error.cause) == (4, FailureCause.FORMAT)
    assert "COPYDESK_MODEL" in error.message
    assert states(db) == {"seen": 100}
    leases = db.leases.acquire("one", 100, 60.0)
    assert {lease.attempts for lease in leases} == {1}, "it was not the items' failure"


async def test_after_a_usable_answer_twenty_failures_end_the_run(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    admit(db, *(item(number) for number in range(5, 40)))
    model = Scripted(GOOD, *[LLMError("gone", retry=False, cause=FailureCause.OUTAGE) for _ in range(50)])
    alone = Writer("default", cast(Any, model), lanes=1)
    ctx = run_context(db, net, tmp_path, writers={"one": (alone,)})
    await draft_feed(ctx, feed(), 100)
    assert model.call_count == 1 + LATER
    assert [type(error) for error in ctx.fatal_errors] == [LLMRejected]
    assert states(db) == {"drafted": 1, "seen": 39}


async def test_what_failed_before_a_run_proved_its_model_is_tried_again_a_few_times(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    alone = feed(max_items_per_day=None)
    for attempt in range(3):
        model = Scripted(LLMError("refused"), LLMError("refused"))
        outcomes = await draft_feed(run_context(db, net, tmp_path, model), alone, 2)
        assert [outcome.reason for outcome in outcomes] == ["refused"] * 2
        assert states(db) == ({"seen": 5} if attempt < 2 else {"failed": 2, "seen": 3})


async def test_an_overload_is_never_an_items_own(db: Database, net: HttpClient, tmp_path: Path) -> None:
    busy = [LLMError("busy", cause=FailureCause.OVERLOAD) for _ in range(AT_START + 2)]
    await draft_feed(run_context(db, net, tmp_path, Scripted(*busy[:2])), feed(), 2)
    await draft_feed(run_context(db, net, tmp_path, Scripted(GOOD, *busy[:2])), feed(), 3)
    assert states(db) == {"drafted": 1, "seen": 4}
    ctx = run_context(db, net, tmp_path, Scripted(*busy))
    await draft_feed(ctx, feed(), 5)
    [error] = {str(error) for error in ctx.fatal_errors}
    assert "3 items in a row failed: busy; run again later" in error
    assert {lease.attempts for lease in db.leases.acquire("one", 9, 60.0)} == {1}


async def test_a_failure_after_a_usable_answer_is_the_items_own(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    model = Scripted(GOOD, LLMError("refused", retry=False))
    await draft_feed(run_context(db, net, tmp_path, model), feed(), 5)
    assert states(db) == {"drafted": 4, "failed": 1}


async def test_a_recorded_answer_proves_nothing(db: Database, net: HttpClient, tmp_path: Path) -> None:
    killed = Scripted(GOOD)
    ctx = run_context(db, net, tmp_path, killed)
    (tmp_path / "output").write_text("in the way")  # the draft cannot be written, the answer is kept
    await draft_feed(ctx, feed(), 1)
    (tmp_path / "output").unlink()
    model = Scripted(*[outage() for _ in range(9)])
    ctx = run_context(db, net, tmp_path, model)
    await draft_feed(ctx, feed(), 5)
    assert model.call_count == AT_START
    assert states(db) == {"drafted": 1, "seen": 4}


async def test_a_redraft_waits_again_if_the_run_ends(db: Database, net: HttpClient, tmp_path: Path) -> None:
    await draft_feed(run_context(db, net, tmp_path, Scripted()), feed(), 5)
    ctx = run_context(db, net, tmp_path, Scripted(*[outage() for _ in range(9)]))
    for row in db.drafts.list():
        db.redrafts.request(db.drafts.get(row.external_id), "Ada", ctx.clock())
    await draft_feed(ctx, feed(), 5)
    assert [type(error) for error in ctx.fatal_errors] == [LLMRejected] * len(ctx.fatal_errors)
    assert db.redrafts.counts() == {"one": 5}


async def test_a_call_that_timed_out_is_booked_at_its_most(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    with ModelServer() as server:
        server.enqueue(*[Reply(stall=True)] * 2)
        config = ClientConfig(server.base_url, timeout_s=0.3)
        async with LLMClient("fake-1", config) as model:
            ctx = run_context(db, net, tmp_path, model)
            [outcome] = await draft_feed(ctx, feed(), 1)
    assert "did not answer within 0.3 s" in (outcome.reason or "")
    calls = db.budget.calls_since(None)
    assert [(call.completion_tokens, call.estimated) for call in calls] == [(4096, True), (2048, True)]
    assert states(db) == {"seen": 5}
    assert ctx.writers(feed())[0].usage.spending.estimated == 2
    [lease] = [found for found in db.leases.acquire("one", 9, 60.0) if found.attempts == 2]
    assert lease.answer is None, "nothing arrived"


async def test_usage_that_a_server_does_not_tell_is_booked_and_said(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    with ModelServer() as server:
        untold = (completion(GOOD).body or b"").partition(b'"usage"')[0] + b'"usage": null}'
        server.refuse = lambda _request: Reply(body=untold)
        async with LLMClient("fake-1", ClientConfig(server.base_url)) as model:
            ctx = run_context(db, net, tmp_path, model)
            await draft_feed(ctx, feed(), 2)
    calls = db.budget.calls_since(None)
    assert [(call.completion_tokens, call.estimated) for call in calls] == [(4096, True)] * 2
    assert all(call.prompt_tokens > len(json.dumps(server.received[0]["messages"])) / 4 for call in calls)
    usage = ctx.writers(feed())[0].usage
    assert (usage.spending.estimated, usage.longest_answer) == (2, 0)


KEY, MODEL, URL = "OPENAI_API_KEY", "COPYDESK_MODEL", "OPENAI_BASE_URL"


def says(status: int, body: object, content_type: str = "application/json") -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, text.encode(), content_type=content_type)


def openai(status: int, message: str, code: str | None = None) -> Reply:
    return says(status, {"error": {"message": message, "type": "error", "param": None, "code": code}})


def google(status: int, message: str, name: str) -> Reply:
    return says(status, [{"error": {"code": status, "message": message, "status": name}}])


def claude(status: int, kind: str, message: str) -> Reply:
    return says(status, {"type": "error", "error": {"type": kind, "message": message}})


REFUSALS = [
    ("key, OpenAI", openai(401, "Incorrect API key provided: a-k*y.", "invalid_api_key"), KEY),
    ("key, Azure", says(401, {"statusCode": 401, "message": "Invalid subscription key."}), KEY),
    ("key, Gemini", google(400, "API key not valid. Please pass another one.", "INVALID_ARGUMENT"), KEY),
    ("key, Anthropic", claude(401, "authentication_error", "invalid x-api-key"), KEY),
    ("key, Groq", openai(401, "Invalid API Key", "invalid_api_key"), KEY),
    ("key, OpenRouter", says(401, {"error": {"message": "No auth credentials found", "code": 401}}), KEY),
    ("key, Mistral", says(401, {"detail": "Unauthorized"}), KEY),
    ("key, Perplexity", says(401, "<html><h1>401 Authorization Required</h1></html>", "text/html"), KEY),
    ("credit, OpenAI", openai(429, "You have no quota left.", "insufficient_quota"), KEY),
    ("credit, Anthropic", claude(400, "invalid_request_error", "Your credit balance is too low."), KEY),
    ("credit, DeepSeek", openai(402, "Insufficient Balance", "invalid_request_error"), KEY),
    ("credit, OpenRouter", says(402, {"error": {"message": "Insufficient credits.", "code": 402}}), KEY),
    ("model, OpenAI", openai(404, "The model `fake-1` does not exist.", "model_not_found"), MODEL),
    ("model, Azure", says(404, {"error": {"code": "DeploymentNotFound"}}), MODEL),
    ("model, Gemini", google(404, "models/fake-1 is not found, or not supported.", "NOT_FOUND"), MODEL),
    ("model, Groq", openai(400, "`fake-1` has been decommissioned.", "model_decommissioned"), MODEL),
    ("model, OpenRouter", openai(404, "No endpoints found for fake-1."), MODEL),
    ("model, Anthropic", claude(404, "not_found_error", "model: fake-1"), MODEL),
    ("model, Ollama", openai(404, "model 'fake-1' not found, try pulling it first"), MODEL),
    ("URL, a path", says(404, {"detail": "Not Found"}), URL),
    ("URL, a website", says(200, "<!doctype html><title>Chat</title>", "text/html"), URL),
    ("URL, no POST", says(405, {"detail": "Method Not Allowed"}), URL),
    ("URL, LM Studio", says(200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}), URL),
]  # fmt: skip


async def test_the_words_of_every_provider_end_a_run_after_one_request(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    """A wrong key, an empty account, a gone model and a wrong URL; a probe, as of `doctor`, says the same."""
    admit(db, *(item(number) for number in range(5, 100)))
    found: dict[str, tuple[int, str]] = {}
    with ModelServer() as server:
        for name, reply, variable in REFUSALS:
            before = server.requests
            server.refuse = lambda _request, reply=reply: reply  # type: ignore[misc]
            server.listing = reply
            async with LLMClient("fake-1", ClientConfig(server.base_url, max_in_flight=50)) as model:
                ctx = run_context(db, net, tmp_path, model, max_in_flight=50)
                await draft_feed(ctx, feed(), 100)
                requests = server.requests - before
                with pytest.raises(LLMRejected, match=variable):
                    await model.probe()
            error = ctx.fatal_errors[0]
            assert isinstance(error, LLMRejected), name
            assert "\n" not in error.message
            found[name] = requests, variable if variable in error.message else error.message
            assert states(db) == {"seen": 100}
    assert found == {name: (1, variable) for name, _, variable in REFUSALS}
