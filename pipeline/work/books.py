"""The books of one item: what a call may cost is put aside before, what it cost is written down after."""

import asyncio
from datetime import datetime, timedelta

from pipeline.errors import BudgetSpent
from pipeline.ledger import Cap, Claim
from pipeline.models import Answer, Usage
from pipeline.settings import day_start, month_start
from pipeline.work.room import Newsroom

_WAIT_S = 0.25
"""Seconds between two looks at money that other calls hold, and may give back."""


class ItemBooks:
    """Accounts for every call about one claimed item."""

    def __init__(self, room: Newsroom, claim: Claim) -> None:
        self.usage = Usage()
        self.micros = 0
        self._asked = 0
        self._room = room
        self._claim = claim

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Put down the most that a request may cost, as far as the caps allow. Raises BudgetSpent."""
        room, price = self._room, self._room.price
        caps = caps_of(room, room.clock())
        if not caps or price is None:
            return None, answer_tokens
        prompt = room.seen.prompt(prompt_tokens)
        self._asked = prompt_tokens
        most, least, asked = (
            price.micros(Usage(prompt_tokens=prompt, completion_tokens=tokens)) or 0
            for tokens in (answer_tokens, min(answer_tokens, room.seen.answer()), 0)
        )
        while True:
            stale = room.clock() - timedelta(seconds=room.settings.deadline_s)
            try:
                number, granted = await asyncio.to_thread(
                    room.ledger.reserve, room.run, most, least, caps, room.clock(), stale=stale
                )
                share = (granted - asked) / (most - asked) if most > asked else 1.0
                return number, max(1, int(answer_tokens * share))
            except BudgetSpent as error:
                if not error.context["pending"] or room.stop:
                    raise
            await asyncio.sleep(_WAIT_S)

    async def release(self, reservation: int | None) -> None:
        """Take that back: the request was not answered."""
        if reservation is not None:
            await asyncio.to_thread(self._room.ledger.unreserve, reservation)

    async def keep(self, answer: Answer, purpose: str, reservation: int | None) -> None:
        """Write down an answer before it is read. Raises LeaseLost."""
        room, now = self._room, self._room.clock()
        micros = room.price.micros(answer.usage, now) if room.price else None
        self.usage = _sum(self.usage, answer.usage)
        room.seen.note(self._asked, answer.usage)
        self.micros += micros or 0
        await asyncio.to_thread(
            room.ledger.record_answer,
            self._claim,
            answer,
            purpose,
            at=now,
            run=room.run,
            micros=micros,
            reservation=reservation,
        )

    async def discard(self, reason: str) -> None:
        """Mark what was kept as of no use. Raises LeaseLost."""
        await asyncio.to_thread(self._room.ledger.discard_answer, self._claim, reason)


def caps_of(room: Newsroom, now: datetime) -> list[Cap]:
    """Return the caps that are set, with the moments from which they count."""
    settings = room.settings
    every = (
        ("run", settings.cap_run, None),
        ("day", settings.cap_day, day_start(now, settings.timezone)),
        ("month", settings.cap_month, month_start(now, settings.timezone)),
    )
    return [
        Cap(name, int(dollars * 1_000_000), since) for name, dollars, since in every if dollars is not None
    ]


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in Usage.model_fields})
