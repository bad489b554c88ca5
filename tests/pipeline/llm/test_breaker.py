"""The breaker over real HTTP: how many items are asked about before a run ends, and why it does not end."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.domain.errors import FailureCause, LLMError, LLMRejected
from pipeline.llm.breaker import AT_START, LATER, Breaker
from pipeline.llm.client import ClientConfig, LLMClient
from pipeline.llm.structured_output import request_structured
from tests.fakes.model_server import ModelServer, article, completion, error
from tests.pipeline.llm.conversation import RecordingBudget, request

COUNTED = [cause for cause in FailureCause if cause not in ("context", "length", "filter")]
OF_THE_ITEM = [FailureCause.CONTEXT, FailureCause.LENGTH, FailureCause.FILTER]


def failed(cause: FailureCause) -> LLMError:
    return LLMError("it went wrong", cause=cause)


def ends(breaker: Breaker, cause: FailureCause) -> bool:
    return isinstance(breaker.fail(failed(cause)), LLMRejected)


@pytest.mark.parametrize("cause", COUNTED)
def test_three_at_the_start_end_the_run_or_twenty_later(cause: FailureCause) -> None:
    unproven, proven = Breaker(), Breaker()
    proven.succeed()
    assert [ends(unproven, cause) for _ in range(AT_START)] == [False, False, True]
    assert [ends(proven, cause) for _ in range(LATER)] == [False] * 19 + [True]
    for breaker in (unproven, proven):
        with pytest.raises(LLMRejected) as caught:
            breaker.require_closed()
        assert caught.value.cause is cause


@pytest.mark.parametrize("cause", OF_THE_ITEM)
def test_an_items_own_failure_neither_counts_nor_resets(cause: FailureCause) -> None:
    breaker = Breaker()
    assert [ends(breaker, cause) for _ in range(50)] == [False] * 50
    assert [ends(breaker, FailureCause.FORMAT) for _ in range(2)] == [False, False]
    assert not ends(breaker, cause)
    assert ends(breaker, FailureCause.FORMAT)


def test_a_usable_answer_resets_the_count() -> None:
    breaker = Breaker()
    for _ in range(30):
        assert not ends(breaker, FailureCause.OUTAGE)
        assert not ends(breaker, FailureCause.OUTAGE)
        breaker.succeed()


def test_failures_know_whether_any_answer_of_the_run_was_usable() -> None:
    breaker = Breaker()
    early, late = failed(FailureCause.FORMAT), failed(FailureCause.FORMAT)
    breaker.fail(early)
    assert early.row
    assert early.row.unproven
    breaker.succeed()
    breaker.fail(late)
    assert late.row
    assert [one.unproven for one in (early.row, late.row)] == [False, False]
    assert early.row is not late.row


def test_the_first_cause_that_ends_a_run_stays_its_cause() -> None:
    breaker = Breaker()
    breaker.fail(LLMRejected("no such key", cause=FailureCause.KEY))
    late = breaker.fail(failed(FailureCause.OUTAGE))
    assert isinstance(late, LLMRejected)
    assert (late.cause, late.message) == (FailureCause.KEY, "no such key")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


async def no_pause(_seconds: float) -> None:
    """Be over at once."""


async def ask(server: ModelServer, items: int) -> list[object]:
    """Ask about so many items at once; return answers and errors in the items' order."""
    config = ClientConfig(server.base_url, max_in_flight=50)
    async with LLMClient("fake-1", config, sleep=no_pause) as model:
        asked = [
            request_structured(
                model,
                request(
                    messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": str(n)}]
                ),
                RecordingBudget(),
            )
            for n in range(items)
        ]
        return await asyncio.gather(*asked, return_exceptions=True)


def items_asked(server: ModelServer) -> set[str]:
    return {message["content"] for sent in server.received for message in sent["messages"][1:2]}


async def test_a_model_that_answers_nonsense_is_asked_about_three_items(server: ModelServer) -> None:
    server.refuse = lambda _request: completion("Sure! Here it is.")
    results = await ask(server, 100)
    assert len(items_asked(server)) == AT_START
    rejected = [result for result in results if isinstance(result, LLMRejected)]
    assert len(rejected) == 98
    assert "3 items in a row failed" in rejected[0].message
    assert "COPYDESK_MODEL" in rejected[0].message


async def test_a_refused_key_takes_one_request_however_many_items_wait(server: ModelServer) -> None:
    server.refuse = lambda _request: error(401, "no such key")
    results = await ask(server, 100)
    assert server.requests == 1
    assert {type(result) for result in results} == {LLMRejected}


async def test_after_the_breaker_has_ended_no_lane_sends_a_request() -> None:
    with ModelServer() as server:
        async with LLMClient("fake-1", ClientConfig(server.base_url), sleep=no_pause) as model:
            for _ in range(AT_START):
                model.breaker.fail(failed(FailureCause.FORMAT))
            with pytest.raises(LLMRejected, match="3 items in a row failed"):
                await model.send({"messages": []})
    assert server.requests == 0


async def test_a_request_that_is_sent_once_waits_no_longer_than_its_deadline() -> None:
    config = ClientConfig("http://127.0.0.1:1/v1", deadline_s=0.02)
    async with LLMClient("fake-1", config) as model, model.breaker.turn(), asyncio.timeout(5):
        with pytest.raises(LLMError, match="before this one's deadline") as caught:
            await request_structured(model, request(once=True), RecordingBudget())
    assert caught.value.cause is FailureCause.OUTAGE


async def test_any_answer_to_a_request_that_is_sent_once_opens_all_lanes_and_is_kept(
    server: ModelServer,
) -> None:
    server.enqueue(completion("{", finish="length"), completion("", finish="content_filter"))
    budget = RecordingBudget()
    async with LLMClient("fake-1", ClientConfig(server.base_url)) as model:
        for cause in (FailureCause.LENGTH, FailureCause.FILTER):
            with pytest.raises(LLMError) as caught:
                await request_structured(model, request(once=True), budget)
            assert caught.value.cause is cause
        async with asyncio.timeout(5), model.breaker.turn(), model.breaker.turn():
            assert not model.breaker.proven
    assert (len(budget.answers), budget.discarded) == (2, [])


async def test_one_item_goes_first_and_then_all_lanes_open() -> None:
    answered_before: list[int] = []

    def answer(_sent: dict[str, Any]) -> Any:
        answered_before.append(len(slow.answered))
        return completion(json.dumps(article()))

    with ModelServer(latency_s=0.1) as slow:
        slow.refuse = answer
        results = await ask(slow, 41)
    assert not any(isinstance(result, BaseException) for result in results)
    first, second, *others = answered_before
    assert (first, second) == (0, 1), "the second waited for the first answer"
    assert any(answered < number for number, answered in enumerate(others, 2)), "the others did not wait"
