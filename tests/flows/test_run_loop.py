"""A lost server: runs under way go on, nothing is told twice, and due runs start again when it is back."""

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger
from prefect.runner import Runner

from flows.run_loop import BACK, LOST, RunLoop
from pipeline.domain.errors import ConfigError


def answer(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://x")
    return httpx.HTTPStatusError(f"status {status}", request=request, response=httpx.Response(status))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


LOSS = httpx.ConnectError("connection refused")
UNAVAILABLE = answer(503)


class Ended(Exception):
    """The script is over."""


class FakeServer:
    """A Prefect server and its runners; each poll takes the next entry of `script`.

    Its clock moves only while the loop sleeps.
    """

    query_seconds = 30.0

    def __init__(self, *script: Exception | None, health: tuple[bool, ...] = (), runs: int = 0) -> None:
        self._script, self._health = iter(script), iter(health)
        self._runs = runs
        self.polls = 0
        self.runners = 0
        self.registered: list[bool] = []
        self.events: list[str] = []
        self.now = 0.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    async def _get_and_submit_flow_runs(self) -> None:
        outcome = next(self._script, Ended())
        if outcome is not None:
            raise outcome
        self.polls += 1

    @contextlib.asynccontextmanager
    async def new_runner(self) -> AsyncIterator[Runner]:
        self.runners += 1
        try:
            yield cast(Runner, self)
        finally:
            self.events.append("left")

    async def register(self, _runner: Runner, is_new: bool) -> None:
        self.registered.append(is_new)

    async def answers(self) -> bool:
        return next(self._health, True)

    def runs(self) -> set[int]:
        """Return the processes of the runs under way: fewer at each look."""
        self._runs -= 1
        return set(range(self._runs))

    async def stop(self) -> None:
        self.events.append("stopped")

    def loop(self) -> RunLoop:
        return RunLoop(
            self.register, self.stop, self.new_runner, self.answers, self.runs,
            sleep=self.sleep, clock=lambda: self.now,
        )  # fmt: skip


async def served(server: FakeServer) -> None:
    with pytest.raises(Ended):
        await server.loop().run()


async def test_a_lost_server_is_waited_for_and_told_in_two_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer(None, LOSS, UNAVAILABLE, None, None, None, health=(True, False, False, True))
    await served(server)
    assert (server.polls, server.runners) == (4, 3)
    new = [True, False, True, True, False, False, False]
    assert server.registered == new, "a new server may know no deployment"
    assert caplog.messages == [LOST, BACK]


async def test_the_runner_of_runs_under_way_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Leaving it would kill them."""
    server = FakeServer(None, LOSS, None, None, None, health=(True, False, True), runs=9)
    await served(server)
    assert (server.polls, server.runners) == (4, 1)
    assert caplog.messages == [LOST, BACK]


async def test_while_every_request_fails_the_pause_doubles_up_to_a_minute() -> None:
    """Each failed request may need a new runner."""
    server = FakeServer(None, *[UNAVAILABLE] * 9, None, UNAVAILABLE)
    await served(server)
    growing = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert server.pauses == [30.0, *growing, 30.0, 1.0]


async def test_a_server_that_fails_every_second_request_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer(*[None, UNAVAILABLE] * 100)
    await served(server)
    assert server.polls == 100
    assert caplog.messages == [LOST]


async def test_another_cause_of_an_outage_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer(None, LOSS, *[answer(401)] * 9, *[None] * 9)
    await served(server)
    first, second, third = caplog.messages
    assert (first, third) == (LOST, BACK)
    assert "PREFECT_API_KEY" in second


async def test_two_losses_an_hour_apart_are_both_told(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer(None, LOSS, *[None] * 120, LOSS, *[None] * 3)
    await served(server)
    assert caplog.messages == [LOST, BACK] * 2


def test_prefects_runner_has_what_the_loop_repeats() -> None:
    """The method is private: an upgrade of Prefect may take it away."""
    assert inspect.iscoroutinefunction(Runner._get_and_submit_flow_runs)
    assert Runner(pause_on_shutdown=False).query_seconds > 0


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answer(404), "Prefect's server answers with HTTP 404: no run starts"),
        (answer(401), "Prefect's server answers with HTTP 401 (look at PREFECT_API_KEY"),
        (answer(429), "Prefect's server answers with HTTP 429: no run starts"),
        (caused(ObjectNotFound(answer(404)), answer(404)), "Prefect's server answers with HTTP 404: no"),
        (caused(RuntimeError("a deployment is not applied"), answer(502)), LOST),
        (json.JSONDecodeError("Expecting value", "<html>", 0), LOST),
    ],
)
async def test_a_refusal_that_may_pass_is_told_once_and_waited_for(
    caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    server = FakeServer(None, error, error, None, None, None, runs=9)
    await served(server)
    assert (server.polls, server.runners) == (4, 1), "the runs under way go on"
    first, second = caplog.messages
    assert first.startswith(said)
    assert second == BACK


@pytest.mark.parametrize(("error", "raised"), [(answer(422), ConfigError), (ValueError("a bug"), ValueError)])
async def test_another_error_ends_the_runs_gracefully_before_it_kills_them(
    error: Exception, raised: type[Exception]
) -> None:
    server = FakeServer(None, error, runs=9)
    with pytest.raises(raised) as caught:
        await server.loop().run()
    assert server.events == ["stopped", "left"]
    assert raised is ValueError or "(HTTP 422: status 422)" in str(caught.value)


async def test_of_the_runners_log_only_the_loss_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    await served(FakeServer())
    for name in ("runner", "runner.state_proposer", "runner.flow_run_executor"):
        for error in (LOSS, ValueError("a bug")):
            get_logger(name).error("%s: not submitted", name, exc_info=error)
        get_logger(name).error("%s: exit code 137", name)
    assert [message for message in caplog.messages if message.startswith("runner: ")] == [
        "runner: not submitted",
        "runner: exit code 137",
    ]
    assert len(caplog.messages) == 6


async def test_a_cancelled_callback_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    await served(FakeServer())
    loop = asyncio.get_running_loop()
    context: dict[str, Any] = {"message": "a callback ended", "exception": asyncio.CancelledError()}
    loop.call_exception_handler(context)
    assert caplog.messages == []
    loop.call_exception_handler(context | {"exception": ValueError("a bug")})
    assert [message.splitlines()[0] for message in caplog.messages] == ["a callback ended"]
