from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.domain.errors import FailureCause, LLMRejected
from pipeline.llm.cooldown import Cooldown, pause_message


async def test_a_longer_pause_is_waited_for_to_its_end() -> None:
    cooldown, slept = Cooldown(600, UTC), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds))
        if len(slept) == 1:
            cooldown.start(90, "busy")

    cooldown.start(30, "busy")
    await cooldown.wait(sleep)
    assert slept == [30, 90]


async def test_a_shorter_pause_changes_nothing() -> None:
    cooldown, slept = Cooldown(600, UTC), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds))

    assert cooldown.start(30, "busy") is None
    assert cooldown.start(5, "busy") is None
    await cooldown.wait(sleep)
    assert slept == [30]


async def test_a_pause_past_the_deadline_is_not_waited_for() -> None:
    cooldown, slept = Cooldown(20, UTC), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    error = cooldown.start(3600, "the model server answers 429: daily limit")
    assert error
    with pytest.raises(LLMRejected) as caught:
        await cooldown.wait(sleep)
    assert slept == []
    assert caught.value.cause is FailureCause.OVERLOAD
    assert caught.value.message == error.message
    assert "429: daily limit; the model server asks to be left alone until " in error.message


@pytest.mark.parametrize(
    ("hour", "seconds", "clock"), [(10, 3600, "13:30"), (20, 7200, "00:30 on 2026-05-05"), (0, 90, "02:31")]
)
def test_the_end_of_a_pause_is_told_in_local_time(hour: int, seconds: float, clock: str) -> None:
    now = datetime(2026, 5, 4, hour, 30, tzinfo=UTC)
    message = pause_message(now, seconds, timezone(timedelta(hours=2)))
    assert message == f"the model server asks to be left alone until {clock}"
