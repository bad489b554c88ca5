"""Which model writes: fallbacks after overload, outage and a gone model, and what profiles do not share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.articles.front_matter import loads
from pipeline.config import ModelConnection, ModelProfile, Settings
from pipeline.domain.errors import BudgetExceeded, ConfigError, FailureCause, LLMError, LLMRejected
from pipeline.domain.model_calls import TokenUsage
from pipeline.http_client import HttpClient
from pipeline.llm.breaker import AT_START, Breaker
from pipeline.llm.chat import ChatResponse, FinishReason
from pipeline.llm.client import ClientConfig, LLMClient
from pipeline.llm.pricing import Price, Rates
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.services.context import Writer
from pipeline.services.draft import draft_feed
from pipeline.services.writers import REST, WriterPool, in_order
from pipeline.storage import CallLimits, Database
from tests.fakes.model_server import ModelServer, Reply, error
from tests.pipeline.services.desk import BEAT, GOOD, Scripted, run_context
from tests.pipeline.storage.records import NOW, admit, feed, item

ADVICE = "see that the server under OPENAI_BASE_URL runs, and COPYDESK_MODEL_TIMEOUT"
Pair = tuple[tuple[ModelServer, Writer], tuple[ModelServer, Writer]]


@contextlib.asynccontextmanager
async def servers() -> AsyncIterator[Pair]:
    """Yield two servers with a writer each: `strong` writes with model `big`, `cheap` with `small`."""

    async def instantly(_seconds: float) -> None:
        await asyncio.sleep(0)

    with ModelServer() as first, ModelServer() as second:
        writers = [
            Writer(
                profile,
                LLMClient(model, ClientConfig(server.base_url), sleep=instantly),
                Price(model, server.base_url, Rates(Decimal(rate), Decimal(rate), Decimal(rate))),
                CallLimits(profile=profile),
                lanes=1,
            )
            for profile, model, server, rate in (("strong", "big", first, 10), ("cheap", "small", second, 1))
        ]
        async with writers[0].client, writers[1].client:
            yield (first, writers[0]), (second, writers[1])


def booked(db: Database) -> list[tuple[str, str, int | None]]:
    return [(call.profile, call.model, call.micros) for call in db.budget.calls_since(None)]


def authors(folder: Path) -> list[str]:
    texts = [path.read_text() for path in sorted((folder / "output").rglob("*.md"))]
    return sorted(loads(text)[0]["ai"]["model"] for text in texts)


async def test_an_overloaded_model_is_replaced_and_each_answer_is_booked_to_its_profile(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    async with servers() as ((first, strong), (second, cheap)):
        first.enqueue(*[error(429, "busy")] * 8)
        ctx = run_context(db, net, tmp_path, writers={"one": (strong, cheap)})
        outcomes = await draft_feed(ctx, feed(), 3)
        assert [outcome.model for outcome in outcomes] == ["small"] * 3
        assert (first.requests, second.requests) == (8, 3), "it rests while another can write"
        assert (
            outcomes[0].notes[0].startswith("cheap was asked instead of strong: the model server answers 429")
        )
        later = run_context(db, net, tmp_path, writers={"one": (strong, cheap)}, now=NOW + 2 * REST)
        [outcome] = await draft_feed(later, feed(), 1)
        assert (outcome.model, outcome.notes) == ("big", ())
    assert booked(db) == [("cheap", "small", 18)] * 3 + [("strong", "big", 180)]
    assert authors(tmp_path) == ["big", "small", "small", "small"]


async def test_a_gone_model_is_replaced_and_asked_once(db: Database, net: HttpClient, tmp_path: Path) -> None:
    async with servers() as ((first, strong), (second, cheap)):
        first.refuse = lambda _request: error(404, "The model `big` does not exist", code="model_not_found")
        ctx = run_context(db, net, tmp_path, writers={"one": (strong, cheap)})
        outcomes = await draft_feed(ctx, feed(), 9)
        assert (first.requests, second.requests) == (1, 5)
    assert [outcome.model for outcome in outcomes] == ["small"] * 5
    assert ctx.fatal_errors == []


async def test_the_run_ends_if_every_model_is_gone(db: Database, net: HttpClient, tmp_path: Path) -> None:
    async with servers() as ((first, strong), (second, cheap)):
        gone = error(404, "The model does not exist", code="model_not_found")
        first.refuse = second.refuse = lambda _request: gone
        ctx = run_context(db, net, tmp_path, writers={"one": (strong, cheap)})
        assert await draft_feed(ctx, feed(), 9) == []
        assert (first.requests, second.requests) == (1, 1)
    assert [type(fatal) for fatal in ctx.fatal_errors] == [LLMRejected]
    assert db.feeds.item_counts() == {"one": {"seen": 5}}


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        *((cause, LLMError) for cause in ("filter", "format", "length", "context", "other")),
        *((cause, LLMRejected) for cause in ("key", "credit", "url")),
    ],
)
async def test_no_other_model_is_asked_for_content_nor_for_a_wrong_key(
    db: Database, net: HttpClient, tmp_path: Path, cause: str, kind: type[LLMError]
) -> None:
    refusal = (
        LLMRejected("no", cause=FailureCause(cause))
        if kind is LLMRejected
        else LLMError("no", retry=False, cause=FailureCause(cause))
    )
    strong, cheap = Scripted(refusal), Scripted()
    writers = (writer("strong", strong), writer("cheap", cheap))
    ctx = run_context(db, net, tmp_path, writers={"one": writers})
    await draft_feed(ctx, feed(), 1)
    assert (strong.call_count, cheap.call_count) == (1, 0)
    assert bool(ctx.fatal_errors) == (kind is LLMRejected)


async def test_no_other_model_is_asked_once_an_answer_was_paid(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    down = LLMError("down", retry=True, cause=FailureCause.OUTAGE)
    strong, cheap = Scripted("no article", down), Scripted()
    ctx = run_context(db, net, tmp_path, writers={"one": (writer("strong", strong), writer("cheap", cheap))})
    [outcome] = await draft_feed(ctx, feed(), 1)
    assert (outcome.reason, strong.call_count, cheap.call_count) == ("down", 2, 0)


def outages(count: int = 9) -> Scripted:
    """Return a model whose server is down for so many requests."""
    return Scripted(*[LLMError("down", retry=True, cause=FailureCause.OUTAGE) for _ in range(count)])


async def test_items_that_wait_for_the_first_answer_go_to_the_fallback_of_the_one_that_failed(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    every_item_waits = asyncio.Event()

    class Crowded(Breaker):
        arrivals = 0

        @contextlib.asynccontextmanager
        async def turn(self) -> AsyncIterator[None]:
            self.arrivals += 1
            if self.arrivals == 5:
                every_item_waits.set()
            async with super().turn():
                yield

    class Down(Scripted):
        async def send(self, body: dict[str, Any], **limits: object) -> ChatResponse:
            await every_item_waits.wait()
            return await super().send(body, **limits)

    strong, cheap = Down(*outages().script), Scripted()
    strong.breaker = Crowded()
    pair = (writer("strong", strong, lanes=16), writer("cheap", cheap))
    ctx = run_context(db, net, tmp_path, writers={"one": pair})
    outcomes = await draft_feed(ctx, feed(), 5)
    assert (strong.call_count, cheap.call_count) == (1, 5)
    assert sum(bool(outcome.notes) for outcome in outcomes) == 1


async def test_a_model_that_fails_in_a_row_is_given_up_and_the_run_goes_on(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    strong, cheap = outages(), Scripted()
    pair = (writer("strong", strong, lanes=1), writer("cheap", cheap))
    for _ in range(AT_START):  # each time it has rested
        pair[0].rests_until = None
        ctx = run_context(db, net, tmp_path, writers={"one": pair})
        [outcome] = await draft_feed(ctx, feed(), 1)
        assert outcome.model == "m"
    assert pair[0].is_gone
    pair[0].rests_until = None
    assert len(await draft_feed(ctx, feed(), 2)) == 2
    assert (strong.call_count, cheap.call_count, ctx.fatal_errors) == (AT_START, 5, [])


async def test_if_every_model_is_given_up_the_run_ends_and_all_items_stay_queued(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    strong, cheap = outages(), outages()
    pair = (writer("strong", strong, lanes=1), writer("cheap", cheap))
    pair[0].rests_until = NOW + REST  # so that one item fails with the other model
    ctx = run_context(db, net, tmp_path, writers={"one": pair})
    await draft_feed(ctx, feed(), 5)
    assert (strong.call_count, cheap.call_count) == (AT_START, AT_START)
    assert {(type(fatal), fatal.message) for fatal in ctx.fatal_errors} == {
        (LLMRejected, f"{AT_START} items in a row failed: down; {ADVICE}")
    }
    leases = db.leases.acquire("one", 9, 60.0)
    assert [lease.attempts for lease in leases] == [1] * 5


async def test_a_model_given_up_after_a_paid_answer_fails_the_item_only(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    gone = LLMRejected("gone", cause=FailureCause.MODEL)
    strong, cheap = Scripted("no article", gone), Scripted()
    pair = (writer("strong", strong, lanes=1), writer("cheap", cheap))
    ctx = run_context(db, net, tmp_path, writers={"one": pair})
    outcomes = await draft_feed(ctx, feed(), 5)
    assert [outcome.reason for outcome in outcomes] == ["gone", None, None, None, None]
    assert (strong.call_count, cheap.call_count, ctx.fatal_errors) == (2, 4, [])
    assert db.feeds.item_counts() == {"one": {"drafted": 4, "seen": 1}}


async def test_a_call_that_timed_out_is_booked_and_leads_to_the_fallback(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    with ModelServer() as server:
        server.enqueue(*[Reply(stall=True)] * 2)
        async with LLMClient("big", ClientConfig(server.base_url, timeout_s=0.3)) as client:
            pair = (Writer("strong", client), writer("cheap", Scripted()))
            ctx = run_context(db, net, tmp_path, writers={"one": pair})
            [outcome] = await draft_feed(ctx, feed(), 1)
    assert (outcome.path is not None, outcome.model) == (True, "m")
    assert [(profile, model) for profile, model, _ in booked(db)] == [("strong", "big")] * 2 + [
        ("cheap", "m")
    ]
    assert outcome.unpriced == 3
    spent = pair[0].usage.spending + pair[1].usage.spending
    assert (spent.micros, spent.unpriced, spent.estimated) == (0, 3, 2)


async def test_a_profile_that_waits_does_not_hold_up_another(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    two = feed("two")
    db.feeds.sync([feed(), two])
    admit(db, *(item(number) for number in range(10, 14)), key="two")
    patience = asyncio.Event()

    class Waiting(Scripted):
        async def send(self, body: dict[str, Any], **limits: object) -> ChatResponse:
            await patience.wait()
            return await super().send(body, **limits)

    writers = {"one": (writer("strong", Waiting(), lanes=1),), "two": (writer("cheap", Scripted(), lanes=1),)}
    ctx = run_context(db, net, tmp_path, writers=writers, feeds=(feed(), two))
    blocked = asyncio.ensure_future(draft_feed(ctx, feed(), 9))
    outcomes = await draft_feed(ctx, two, 9)
    assert [outcome.reason for outcome in outcomes] == [None] * 4
    assert not blocked.done()
    patience.set()
    assert len(await blocked) == 5


async def test_all_profiles_share_the_caps(db: Database, net: HttpClient, tmp_path: Path) -> None:
    price = Price("m", "http://127.0.0.1:1/v1", Rates(*[Decimal(10_000)] * 3))
    used = TokenUsage(prompt_tokens=4000, completion_tokens=2000)  # 60 US dollars
    strong = Scripted(ChatResponse(text=GOOD, finish_reason=FinishReason.STOP, usage=used))
    cheap = Scripted()
    two = feed("two")
    db.feeds.sync([feed(), two])
    admit(db, item(9), key="two")
    writers = {"one": (writer("strong", strong, price),), "two": (writer("cheap", cheap, price),)}
    ctx = run_context(db, net, tmp_path, writers=writers, feeds=(feed(), two), cap_run=Decimal(80))
    assert [outcome.model for outcome in await draft_feed(ctx, feed(), 1)] == ["m"]
    assert await draft_feed(ctx, two, 1) == []
    assert [type(fatal) for fatal in ctx.fatal_errors] == [BudgetExceeded]
    assert (strong.call_count, cheap.call_count) == (1, 0)


def writer(profile: str, model: Scripted, price: Price | None = None, *, lanes: int = 2) -> Writer:
    return Writer(profile, cast(Any, model), price, CallLimits(profile=profile), lanes)


class Opened(Scripted):
    """A scripted model that a pool of writers opens."""

    async def __aenter__(self) -> "Opened":
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close nothing."""


@pytest.mark.parametrize(("usable_at", "asked"), [(None, AT_START), (2, 5)])
async def test_a_second_reader_whose_first_answers_are_all_unusable_is_asked_no_more(
    db: Database, net: HttpClient, tmp_path: Path, usable_at: int | None, asked: int
) -> None:
    script: list[str | ChatResponse | Exception] = [
        ChatResponse(text="{", finish_reason=FinishReason.LENGTH, usage=TokenUsage()),
        ChatResponse(text="", finish_reason=FinishReason.FILTER, usage=TokenUsage()),
        LLMError("it does not answer", cause=FailureCause.OUTAGE),
        LLMError("it does not answer", cause=FailureCause.OUTAGE),
        LLMError("it does not answer", cause=FailureCause.OUTAGE),
    ]
    if usable_at is not None:
        script[usable_at] = '{"objections": []}'
    model = Opened(*script)
    model.breaker.succeed()  # by the drafts, which the same model may write
    pool = {"reader": ModelProfile(name="reader", model="m", base_url="http://127.0.0.1:1/v1")}
    async with contextlib.AsyncExitStack() as stack:
        readers = WriterPool(settings(tmp_path), pool, lambda _connection: cast(Any, model), stack)
        drafting = {"one": (writer("strong", Scripted(), lanes=1),)}
        ctx = run_context(db, net, tmp_path, writers=drafting)
        beat = BEAT.model_copy(update={"verifier": "reader"})
        ctx = replace(
            ctx,
            beats={"b": beat},
            verifier=readers.verifier,
            verify_prompt=load_prompt(PACKAGED, "verify"),
        )
        outcomes = await draft_feed(ctx, feed(), 5)
    assert [outcome.path is not None for outcome in outcomes] == [True] * 5
    assert model.call_count == asked


def test_the_order_in_which_writers_are_asked() -> None:
    first, second, third = (Writer(name, cast(Any, None)) for name in ("a", "b", "c"))
    every = (first, second, third)
    assert in_order(every, NOW) == [first, second, third]
    first.rests_until = NOW + timedelta(seconds=1)
    assert in_order(every, NOW) == [second, third, first]
    assert in_order(every, NOW + timedelta(seconds=2)) == [first, second, third]
    second.is_gone = True
    assert in_order(every, NOW) == [third, first]
    first.is_gone = third.is_gone = True
    assert in_order(every, NOW + timedelta(seconds=2)) == [first, second, third]


def settings(folder: Path, **fields: Any) -> Settings:
    return Settings(base=folder, feeds_file=folder, output=folder, database_url="", **fields)


async def test_a_profile_is_opened_by_the_first_feed_that_uses_it(tmp_path: Path) -> None:
    profiles = {
        "used": ModelProfile(name="used", model="m", base_url="http://127.0.0.1:1/v1"),
        "unused": ModelProfile(name="unused", model="m", key_variable="NOT_SET"),
    }
    opened: list[str] = []

    def open_client(connection: ModelConnection) -> Any:
        opened.append(connection.profile)
        return LLMClient(connection.model, ClientConfig(connection.base_url))

    async with contextlib.AsyncExitStack() as stack:
        pool = WriterPool(settings(tmp_path), profiles, open_client, stack)
        named = feed().model_copy(update={"model": "used"})
        pool.require({"b": BEAT}, [feed(), named])
        assert opened == []
        assert pool.writers(feed()) == (), "without a model in .env"
        [writer] = pool.writers(named)
        assert pool.writers(named) == (writer,)
        assert opened == ["used"]
        keyless = feed().model_copy(update={"model": "used", "fallbacks": ("unused",)})
        for check in (lambda: pool.require({"b": BEAT}, [keyless]), lambda: pool.writers(keyless)):
            with pytest.raises(ConfigError, match="NOT_SET"):
                check()
        assert opened == ["used"]


async def test_a_cap_needs_the_price_of_every_profile_in_use(tmp_path: Path) -> None:
    profiles = {
        "own": ModelProfile(name="own", model="my-model", base_url="http://127.0.0.1:1/v1"),
        "priced": ModelProfile.model_validate(
            {"name": "priced", "model": "my-model", "base_url": "http://127.0.0.1:1/v1", "price": "1/2"}
        ),
    }
    async with contextlib.AsyncExitStack() as stack:
        pool = WriterPool(settings(tmp_path, cap_day=Decimal(1)), profiles, cast(Any, None), stack)
        pool.require({"b": BEAT}, [feed().model_copy(update={"model": "priced"})])
        with pytest.raises(
            ConfigError, match=r"'my-model' is not known: set price of models: own: in feeds.yaml"
        ):
            pool.require({"b": BEAT}, [feed().model_copy(update={"model": "priced", "fallbacks": ("own",)})])
