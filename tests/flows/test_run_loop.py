"""A lost server: runs under way go on, nothing is told twice, and due runs start again when it is back."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from prefect.runner import Runner

from flows.run_loop import BACK, LOST, RunLoop

LOSS = httpx.ConnectError("connection refused")
UNAVAILABLE = httpx.HTTPStatusError(
    "", request=httpx.Request("GET", "http://x"), response=httpx.Response(503)
)
REFUSED = httpx.HTTPStatusError("", request=httpx.Request("GET", "http://x"), response=httpx.Response(401))


class Ended(Exception):
    """The script is over."""


class FakeServer:
    """A Prefect server and its runners; each poll takes the next entry of `script`."""

    query_seconds = 0.0

    def __init__(self, *script: Exception | None, health: tuple[bool, ...] = (), runs: int = 0) -> None:
        self._script, self._health = iter(script), iter(health)
        self._runs = runs
        self.polls = 0
        self.runners = 0
        self.registered: list[bool] = []

    async def _get_and_submit_flow_runs(self) -> None:
        outcome = next(self._script, Ended())
        if outcome is not None:
            raise outcome
        self.polls += 1

    @contextlib.asynccontextmanager
    async def new_runner(self) -> AsyncIterator[Runner]:
        self.runners += 1
        yield cast(Runner, self)

    async def register(self, _runner: Runner, is_new: bool) -> None:
        self.registered.append(is_new)

    async def answers(self) -> bool:
        return next(self._health, True)

    def runs(self) -> set[int]:
        """Return the processes of the runs under way: fewer at each look."""
        self._runs -= 1
        return set(range(self._runs))


async def served(server: FakeServer) -> None:
    loop = RunLoop(server.register, server.new_runner, server.answers, server.runs, look_s=0)
    with pytest.raises(Ended):
        await loop.run()


async def test_a_lost_server_is_waited_for_and_told_in_two_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer(None, LOSS, UNAVAILABLE, None, None, health=(True, False, False, True))
    await served(server)
    assert (server.polls, server.runners) == (3, 3)
    assert server.registered == [True, False, True, True, False, False], "a new server may know no deployment"
    assert caplog.messages == [LOST, BACK]


async def test_the_runner_of_runs_under_way_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Leaving it would kill them."""
    server = FakeServer(None, LOSS, None, health=(True, False, True), runs=9)
    await served(server)
    assert (server.polls, server.runners) == (2, 1)
    assert caplog.messages == [LOST, BACK]


def test_prefects_runner_has_what_the_loop_repeats() -> None:
    """The method is private: an upgrade of Prefect may take it away."""
    assert inspect.iscoroutinefunction(Runner._get_and_submit_flow_runs)
    assert Runner(pause_on_shutdown=False).query_seconds > 0


async def test_a_refusal_is_no_loss() -> None:
    server = FakeServer(REFUSED)
    with pytest.raises(httpx.HTTPStatusError):
        await RunLoop(server.register, server.new_runner, server.answers, server.runs, look_s=0).run()


async def test_a_cancelled_callback_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    await served(FakeServer())
    loop = asyncio.get_running_loop()
    context: dict[str, Any] = {"message": "a callback ended", "exception": asyncio.CancelledError()}
    loop.call_exception_handler(context)
    assert caplog.messages == []
    loop.call_exception_handler(context | {"exception": ValueError("a bug")})
    assert [message.splitlines()[0] for message in caplog.messages] == ["a callback ended"]
