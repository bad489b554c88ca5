"""One publisher at a time: two would write the same files and commits.

One drain: what waits in the ledger is carried out, each target by itself, deploy hooks last.

Looks at targets without sending anything: what would be in the way of an article.

Queues what targets lack, have too much, or have in another form than their settings now say.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from pipeline.config import FeedTarget, HookTarget, Target
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing import deploy_hooks as deploy
from pipeline.publishing import send
from pipeline.publishing.deploy_hooks import PublishedItems, call_deploy_hook
from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner, run_target
from pipeline.publishing.send import Place, outdated, send_to_target
from pipeline.publishing.targets import Result
from pipeline.storage import Database, Publication

NAME = ".publishing"
_LOOK_S = 0.1


@asynccontextmanager
async def publish_lock(root: Path, patience_s: float = 60.0) -> AsyncIterator[None]:
    """Wait until no other process publishes what stands below `root`, then keep them waiting.

    The kernel takes the lock from a process that dies. Raises PublishError after `patience_s`.
    """
    descriptor = _opened(root)
    try:
        await _locked(descriptor, patience_s)
        yield
    finally:
        os.close(descriptor)


def _opened(root: Path) -> int:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise OutputError(
            f"{root / NAME} cannot be opened ({error.strerror}); make the folder yours"
        ) from error


async def _locked(descriptor: int, patience_s: float) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waited >= patience_s:
                raise PublishError(
                    "another process is publishing just now; what waits is sent next time"
                ) from None
        await asyncio.sleep(_LOOK_S)
        waited += _LOOK_S


async def _unwatched(_name: str, step: Callable[[], Awaitable[TargetResult]]) -> TargetResult:
    return await step()


async def publish_pending(
    press: PublishContext, now: datetime, *, each: TargetRunner = _unwatched, patient: bool = True
) -> list[TargetResult]:
    """Carry out what waits: at folders, repositories and feeds first, then at deploy hooks.

    `patient` leaves alone what failed a moment ago. Returns an outcome for each target that had something to
    do. Raises PublishError where another process publishes just now, DatabaseError.
    """
    if not press.targets:
        return []
    async with publish_lock(press.root):
        waiting = await asyncio.to_thread(press.db.publications.pending)
        due = [row for row in waiting if not patient or row.next_at is None or row.next_at <= now]
        places = [target for target in press.targets if not isinstance(target, HookTarget)]
        outcomes = await asyncio.gather(*(_at(press, target, waiting, due, now, each) for target in places))
        after = await asyncio.to_thread(press.db.publications.pending)
        settled = PublishedItems.between(waiting, after, {target.name for target in places})
        hooks = [target for target in press.targets if isinstance(target, HookTarget)]
        outcomes += await asyncio.gather(
            *(call_deploy_hook(press, hook, due, settled, now, each) for hook in hooks)
        )
    return [outcome for outcome in outcomes if outcome is not None]


async def _at(
    press: PublishContext,
    target: Place,
    waiting: Sequence[Publication],
    due: Sequence[Publication],
    now: datetime,
    each: TargetRunner,
) -> TargetResult | None:
    """Do what is due at one target; a feed, which is written whole, then takes in all that waits for it."""
    rows = [row for row in due if row.target == target.name]
    if rows and isinstance(target, FeedTarget):
        rows = [row for row in waiting if row.target == target.name]
    if not rows:
        return None

    def send() -> Awaitable[Sequence[Result]]:
        return asyncio.to_thread(send_to_target, press.db, press.root, target, rows)

    return await run_target(press, target, rows, now, each, send)


def check_target(root: Path, target: Target, hooks: Mapping[str, SecretStr]) -> str:
    """Say where a target's articles go. Raises PublishError where they cannot."""
    if isinstance(target, HookTarget):
        return deploy.check_hook(hooks, target)
    return send.check_folder(root, target)


def queue_all(db: Database, targets: Sequence[Target], now: datetime) -> None:
    """Queue all that keeps targets from holding what is approved, as their settings are now."""
    db.publications.reconcile([target.name for target in targets], now)
    hooks = [target.name for target in targets if isinstance(target, HookTarget)]
    waiting = {(row.item_id, row.target) for row in db.publications.pending()}
    for target in targets:
        if isinstance(target, HookTarget | FeedTarget):
            continue
        for item_id in outdated(db, target):
            if (item_id, target.name) not in waiting:
                db.publications.requeue(item_id, [target.name, *hooks], now)
