"""`serve` starts no run again and again, and repeats no line, while something stays wrong."""

import asyncio
from itertools import pairwise

import httpx
import pytest

from flows.redrafts import redraft_ports
from flows.request_watch import RequestWatch
from pipeline.checks.pool import CheckPool
from pipeline.domain.errors import DatabaseError
from pipeline.services.pending_requests import PendingRequests
from pipeline.services.run import DEFAULT_PORTS
from pipeline.services.shutdown import StopSwitch


class Served:
    """A watch whose clock is what it slept; each run lasts ten seconds."""

    def __init__(self) -> None:
        self.now, self.until = 0.0, 0.0
        self.pending: frozenset[str] = frozenset()
        self.error: Exception | None = None
        self.looks = 0
        self.runs: list[float] = []
        self.zombie_checks = 0
        self.is_other_active = False
        """Whether the server cancels each run, since another one is active."""
        self.watch = RequestWatch(
            self._pending, start_run=self._run, end_zombies=self._end_zombies, clock=lambda: self.now
        )

    def _pending(self) -> PendingRequests:
        self.looks += 1
        if self.error:
            raise self.error
        return PendingRequests(self.pending, self.pending)

    async def _run(self) -> bool:
        self.runs.append(self.now)
        self.now += 10
        return not self.is_other_active

    async def _end_zombies(self) -> None:
        self.zombie_checks += 1

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self.until:
            raise asyncio.CancelledError

    async def for_s(self, seconds: float) -> None:
        self.until = self.now + seconds
        with pytest.raises(asyncio.CancelledError):
            await self.watch.watch(self._sleep)


async def test_what_stays_pending_starts_few_runs_and_what_is_new_starts_one_at_once() -> None:
    served = Served()
    served.pending = frozenset(("redraft 1",))
    await served.for_s(6 * 3600)
    assert 8 <= len(served.runs) <= 14
    before = served.now
    served.pending |= {"publication 1"}
    await served.for_s(30)
    assert served.runs[-1] == before + 5, "at the next look"
    assert served.zombie_checks > 300


async def test_a_run_that_another_one_keeps_from_starting_lengthens_no_pause() -> None:
    served = Served()
    served.pending, served.is_other_active = frozenset(("publication 1",)), True
    await served.for_s(600)
    gaps = {after - before for before, after in pairwise(served.runs)}
    assert gaps == {40}, "ten seconds of a run, and a pause"
    served.is_other_active, last = False, served.runs[-1]
    await served.for_s(45)
    assert len([at for at in served.runs if at > last]) == 1, "it has ended: a pause of a minute follows"


async def test_an_error_that_lasts_is_one_line_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    served.error = DatabaseError("it is down")
    await served.for_s(3 * 3600)
    assert 170 <= served.looks <= 181, "it looks again each minute"
    assert 3 <= len(caplog.messages) <= 4
    served.error = DatabaseError("the password is wrong")
    await served.for_s(1800)
    assert [line for line in caplog.messages[3:] if "the password is wrong" in line] == caplog.messages[-1:]


async def test_a_lost_server_is_no_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()
    served.error = httpx.ConnectError("refused")
    await served.for_s(60)
    assert (served.looks, caplog.messages) == (2, [])


async def test_redrafts_within_serve_leave_nothing_in_prefect_that_it_would_never_delete() -> None:
    """A report that belongs to no flow run is none that Prefect's retention deletes."""
    assert redraft_ports(StopSwitch(), CheckPool(1)).publish is DEFAULT_PORTS.publish
