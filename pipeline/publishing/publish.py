"""Publishes pending articles under a lock, checks targets, and queues what targets are missing."""

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
from pipeline.publishing.deploy_hooks import PublishedItems, call_deploy_hook, check_hook
from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner, run_target
from pipeline.publishing.send import ContentTarget, check_content_target, outdated, send_to_target
from pipeline.publishing.targets import Result
from pipeline.storage import Database, Publication

LOCK_NAME = ".publishing"
_LOCK_POLL_S = 0.1


@asynccontextmanager
async def publish_lock(root: Path, patience_s: float = 60.0) -> AsyncIterator[None]:
    """Hold the publish lock of `root`: two publishers would write the same files and commits.

    The kernel releases the lock of a process that dies. Raises PublishError after `patience_s` seconds.
    """
    descriptor = _open_lock_file(root)
    try:
        await _acquire(descriptor, patience_s)
        yield
    finally:
        os.close(descriptor)


def _open_lock_file(root: Path) -> int:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return os.open(root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise OutputError(
            f"{root / LOCK_NAME} cannot be opened ({error.strerror}); make the folder writable for your user"
        ) from error


async def _acquire(descriptor: int, patience_s: float) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waited >= patience_s:
                raise PublishError(
                    "another process is publishing now; the next run sends what is pending"
                ) from None
        await asyncio.sleep(_LOCK_POLL_S)
        waited += _LOCK_POLL_S


async def _run_directly(_name: str, step: Callable[[], Awaitable[TargetResult]]) -> TargetResult:
    return await step()


async def publish_pending(
    ctx: PublishContext, now: datetime, *, runner: TargetRunner = _run_directly, patient: bool = True
) -> list[TargetResult]:
    """Send pending publications to folders, repositories and feeds, then call deploy hooks.

    `patient` skips rows that are in backoff after a failure. Returns a result for each target that had
    something to do. Raises PublishError where another process is publishing, DatabaseError.
    """
    if not ctx.targets:
        return []
    async with publish_lock(ctx.root):
        waiting = await asyncio.to_thread(ctx.db.publications.pending)
        due = [row for row in waiting if not patient or row.next_at is None or row.next_at <= now]
        content_targets = [target for target in ctx.targets if not isinstance(target, HookTarget)]
        outcomes = await asyncio.gather(
            *(_publish_to_target(ctx, target, waiting, due, now, runner) for target in content_targets)
        )
        after = await asyncio.to_thread(ctx.db.publications.pending)
        settled = PublishedItems.between(waiting, after, {target.name for target in content_targets})
        hooks = [target for target in ctx.targets if isinstance(target, HookTarget)]
        outcomes += await asyncio.gather(
            *(call_deploy_hook(ctx, hook, due, settled, now, runner) for hook in hooks)
        )
    return [outcome for outcome in outcomes if outcome is not None]


async def _publish_to_target(
    ctx: PublishContext,
    target: ContentTarget,
    waiting: Sequence[Publication],
    due: Sequence[Publication],
    now: datetime,
    runner: TargetRunner,
) -> TargetResult | None:
    """Send the due rows of one target; a feed is written whole, so all of its pending rows are sent."""
    rows = [row for row in due if row.target == target.name]
    if rows and isinstance(target, FeedTarget):
        rows = [row for row in waiting if row.target == target.name]
    if not rows:
        return None

    def send() -> Awaitable[Sequence[Result]]:
        return asyncio.to_thread(send_to_target, ctx.db, ctx.root, target, rows)

    return await run_target(ctx, target, rows, now, runner, send)


def check_target(root: Path, target: Target, hooks: Mapping[str, SecretStr]) -> str:
    """Return where a target's articles go, without sending. Raises PublishError where they cannot."""
    if isinstance(target, HookTarget):
        return check_hook(hooks, target)
    return check_content_target(root, target)


def queue_all(db: Database, targets: Sequence[Target], now: datetime) -> None:
    """Queue a publication for each difference between the targets and the approved articles.

    An article whose bytes at a target differ from its current settings is queued as well.
    """
    db.publications.reconcile([target.name for target in targets], now)
    hooks = [target.name for target in targets if isinstance(target, HookTarget)]
    waiting = {(row.item_id, row.target) for row in db.publications.pending()}
    for target in targets:
        if isinstance(target, HookTarget | FeedTarget):
            continue
        for item_id in outdated(db, target):
            if (item_id, target.name) not in waiting:
                db.publications.requeue(item_id, [target.name, *hooks], now)
