"""Who is told to end begins nothing more and waits for answers, as long as it may."""

import asyncio
import signal

import pytest

from pipeline.domain.errors import BudgetExceeded, CopydeskError, ShutdownRequested
from pipeline.services.shutdown import SignalCounter, graceful_shutdown, interrupted, sleep_unless_stopped


def test_a_repetition_is_the_same_word_and_a_second_one_is_not() -> None:
    now = 100.0
    word = SignalCounter(0.5, clock=lambda: now)
    heard = []
    for now in (100.0, 100.1, 100.5, 101.0):  # noqa: B007 - the clock reads it
        heard.append(word.count())
    assert heard == [1, 0, 0, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_lets_what_is_under_way_go_on(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop, said = list[CopydeskError](), list[str]()
    async with graceful_shutdown(stop, asyncio.Event(), 60, said.append):
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert interrupted(stop)
        await sleep_unless_stopped(stop, 3600)
        await asyncio.sleep(0)
    assert [type(one) for one in stop] == [ShutdownRequested]
    assert len(said) == 1
    assert "up to 60 s" in said[0]
    assert signal.getsignal(number) is before


async def test_after_the_grace_answers_are_not_waited_for() -> None:
    stop, over = list[CopydeskError](), asyncio.Event()
    async with graceful_shutdown(stop, over, 0, lambda _said: None):
        signal.raise_signal(signal.SIGINT)
        await over.wait()
    assert "COPYDESK_STOP_GRACE" in stop[0].message
    assert stop[0].exit_code == 130


async def test_what_does_not_end_then_is_cancelled() -> None:
    undone = asyncio.Event()

    async def work() -> None:
        async with graceful_shutdown([], asyncio.Event(), 0, lambda _said: None, margin_s=0):
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
        async with graceful_shutdown([], asyncio.Event(), 60, lambda _said: None):
            raise TimeoutError


def test_other_reasons_to_stop_interrupt_no_call() -> None:
    assert not interrupted([])
    assert not interrupted([BudgetExceeded("no money is left")])
