"""The pause that a model server asks for: it delays every request, or ends the run if it is too long."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo

from pipeline.domain.errors import FailureCause, LLMRejected


class Cooldown:
    """The pause of one server. Pauses of more than `longest_s` seconds are not waited for."""

    def __init__(self, longest_s: float, timezone: tzinfo) -> None:
        self._longest_s, self._timezone = longest_s, timezone
        self._until = 0.0
        self._message = ""

    def start(self, seconds: float, reason: str) -> LLMRejected | None:
        """Delay requests by so many seconds; return the error that ends the run if that is too long."""
        until = asyncio.get_running_loop().time() + seconds
        if until > self._until:
            self._until = until
            self._message = f"{reason}; {pause_message(datetime.now(UTC), seconds, self._timezone)}"
        return self._rejection() if seconds > self._longest_s else None

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until the pause is over, also if it becomes longer. Raises LLMRejected if it is too long."""
        slept_until = 0.0
        while (left := self._until - asyncio.get_running_loop().time()) > 0 and self._until > slept_until:
            if left > self._longest_s:
                raise self._rejection()
            slept_until = self._until
            await sleep(left)

    def _rejection(self) -> LLMRejected:
        return LLMRejected(self._message, cause=FailureCause.OVERLOAD)


def pause_message(now: datetime, seconds: float, timezone: tzinfo) -> str:
    """Return until when a server asks to be left alone: the time, and the day if it is another."""
    until = (now + timedelta(seconds=seconds)).astimezone(timezone)
    same_day = until.date() == now.astimezone(timezone).date()
    clock = f"{until:%H:%M}" if same_day else f"{until:%H:%M on %Y-%m-%d}"
    return f"the model server asks to be left alone until {clock}"
