"""One drain: what waits in the ledger is carried out, each target by itself, deploy hooks last."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from pipeline.ledger import Publication
from pipeline.output.targets import Result
from pipeline.output.targets.turn import turn
from pipeline.publish.hooks import Settled, hooked
from pipeline.publish.places import Place, sent
from pipeline.publish.press import Each, Outcome, Press, watched
from pipeline.settings import FeedTarget, HookTarget


async def _unwatched(_name: str, step: Callable[[], Awaitable[Outcome]]) -> Outcome:
    return await step()


async def drain(
    press: Press, now: datetime, *, each: Each = _unwatched, patient: bool = True
) -> list[Outcome]:
    """Carry out what waits: at folders, repositories and feeds first, then at deploy hooks.

    `patient` leaves alone what failed a moment ago. Returns an outcome for each target that had something to
    do. Raises PublishError where another process publishes just now, LedgerError.
    """
    if not press.targets:
        return []
    async with turn(press.root):
        waiting = await asyncio.to_thread(press.ledger.publications)
        due = [row for row in waiting if not patient or row.next_at is None or row.next_at <= now]
        places = [target for target in press.targets if not isinstance(target, HookTarget)]
        outcomes = await asyncio.gather(*(_at(press, target, waiting, due, now, each) for target in places))
        after = await asyncio.to_thread(press.ledger.publications)
        settled = Settled.between(waiting, after, {target.name for target in places})
        hooks = [target for target in press.targets if isinstance(target, HookTarget)]
        outcomes += await asyncio.gather(*(hooked(press, hook, due, settled, now, each) for hook in hooks))
    return [outcome for outcome in outcomes if outcome is not None]


async def _at(
    press: Press,
    target: Place,
    waiting: Sequence[Publication],
    due: Sequence[Publication],
    now: datetime,
    each: Each,
) -> Outcome | None:
    """Do what is due at one target; a feed, which is written whole, then takes in all that waits for it."""
    rows = [row for row in due if row.target == target.name]
    if rows and isinstance(target, FeedTarget):
        rows = [row for row in waiting if row.target == target.name]
    if not rows:
        return None

    def send() -> Awaitable[Sequence[Result]]:
        return asyncio.to_thread(sent, press.ledger, press.root, target, rows)

    return await watched(press, target, rows, now, each, send)
