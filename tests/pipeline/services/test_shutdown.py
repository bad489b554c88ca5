"""Graceful shutdown: a run starts nothing new and waits for answers during the grace time."""

import asyncio
import signal

import pytest

from pipeline.domain.errors import BudgetExceeded, CopydeskError, ShutdownRequested
from pipeline.services.shutdown import SignalCounter, graceful_shutdown, interrupted, sleep_unless_stopped


def test_a_repeated_signal_is_not_a_second_one() -> None:
    now = 100.0
    counter = SignalCounter(0.5, clock=lambda: now)
    heard = []
    for now in (100.0, 100.1, 100.5, 101.0):  # noqa: B007 - the clock reads it
        heard.append(counter.count())
    assert heard == [1, 0, 0, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_lets_what_is_under_way_go_on(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    fatal_errors, messages = list[CopydeskError](), list[str]()
    async with graceful_shutdown(fatal_errors, asyncio.Event(), 60, messages.append):
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert interrupted(fatal_errors)
        await sleep_unless_stopped(fatal_errors, 3600)
        await asyncio.sleep(0)
    assert [type(error) for error in fatal_errors] == [ShutdownRequested]
    assert len(messages) == 1
    assert "up to 60 s" in messages[0]
    assert signal.getsignal(number) is before


async def test_after_the_grace_answers_are_not_waited_for() -> None:
    fatal_errors, grace_expired = list[CopydeskError](), asyncio.Event()
    async with graceful_shutdown(fatal_errors, grace_expired, 0, lambda _message: None):
        signal.raise_signal(signal.SIGINT)
        await grace_expired.wait()
    assert "COPYDESK_STOP_GRACE" in fatal_errors[0].message
    assert fatal_errors[0].exit_code == 130


async def test_what_does_not_end_then_is_cancelled() -> None:
    undone = asyncio.Event()

    async def work() -> None:
        async with graceful_shutdown([], asyncio.Event(), 0, lambda _message: None, margin_s=0):
            signal.raise_signal(signal.SIGINT)
            try:
                await asyncio.Event().wait()
            finally:
                undone.set()

    with pytest.raises(ShutdownRequested, match="COPYDESK_STOP_GRACE"):
        await work()
    assert undone.is_set()


async def test_a_timeout_of_the_work_itself_stays_one() -> None:
    with pytest.raises(TimeoutError):
        async with graceful_shutdown([], asyncio.Event(), 60, lambda _message: None):
            raise TimeoutError


def test_other_reasons_to_stop_interrupt_no_call() -> None:
    assert not interrupted([])
    assert not interrupted([BudgetExceeded("no money is left")])
