"""Publishes pending articles under a lock, checks targets, and queues what targets are missing."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from pipeline.articles.files import sha256_of
from pipeline.config import FeedTarget, FolderTarget, GitTarget, HookTarget, Target
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.deploy_hooks import PublishedItems, call_deploy_hook, check_hook
from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner, run_target
from pipeline.publishing.targets import Job, Result, feed, folder, git
from pipeline.publishing.targets.folder import require_parent, require_writable
from pipeline.publishing.targets.site_front_matter import to_site_front_matter
from pipeline.storage import Database, Publication

LOCK_NAME = ".publishing"
ContentTarget = FolderTarget | GitTarget | FeedTarget
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
        due = [row for row in waiting if not patient or row.is_due(now)]
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


_PUBLISHED = "published/"
_OWN_FOLDERS = ("drafts", "published", "rejected")


def send_to_target(
    db: Database, root: Path, target: ContentTarget, rows: Sequence[Publication]
) -> list[Result]:
    """Send rows to a target and return for each where it went, or its error.

    Raises PublishError or OutputError where all of them fail for one reason.
    """
    if isinstance(target, FeedTarget):
        _require_outside(root, target.path)
        return _write_feed(db, target, rows)
    jobs = _build_jobs(db, target, rows)
    ready = [job for job in jobs if isinstance(job, Job)]
    if isinstance(target, GitTarget):
        results = iter(git.apply_jobs(target, ready))
    else:
        _require_outside(root, target.path)
        results = iter(folder.apply_jobs(Path(target.path), ready))
    return [next(results) if isinstance(job, Job) else job for job in jobs]


def check_content_target(root: Path, target: ContentTarget) -> str:
    """Return where a target's articles go. Raises PublishError where they cannot."""
    if isinstance(target, GitTarget):
        return git.check_repository(target)
    _require_outside(root, target.path)
    require_parent(Path(target.path))
    require_writable(Path(target.path))
    return f"writes to {target.path}"


def _require_outside(root: Path, path: str) -> None:
    """Raise PublishError for a target inside the output folder."""
    target_folder = Path(path).resolve()
    for name in _OWN_FOLDERS:
        own_folder = (root / name).resolve()
        if (
            target_folder == own_folder
            or target_folder.is_relative_to(own_folder)
            or (target_folder == root.resolve())
        ):
            raise PublishError(f"{path} is a folder of Copydesk's own; choose another `path` in feeds.yaml")


def _build_jobs(
    db: Database, target: FolderTarget | GitTarget, rows: Sequence[Publication]
) -> list[Job | PublishError]:
    """Return the jobs or errors of rows; hashes of bytes that differ from the approved ones are stored."""
    texts, owned_hashes = _approved_texts(db, rows), _owned_hashes(db, target, rows)
    jobs: list[Job | PublishError] = []
    for row in rows:
        path = row.path.removeprefix(_PUBLISHED)
        try:
            data = b""
            if row.action == "publish":
                data = _site_text(target, path, _require(texts.get(row.item_id), row)).encode()
        except PublishError as error:
            jobs.append(error)
            continue
        owned = owned_hashes[row.item_id] | {row.sha256}
        job = Job(action=row.action, path=path, data=data, owned_hashes=owned, title=row.title, by=row.by)
        jobs.append(job)
    _record_sent_hashes(db, rows, jobs)
    return jobs


def _owned_hashes(
    db: Database, target: FolderTarget | GitTarget, rows: Sequence[Publication]
) -> dict[int, frozenset[str]]:
    """Return by item the hashes of all bytes that Copydesk may have written: ever approved or sent.

    The approved texts with the keys of the target's current settings are included, since a restored database
    may lack the hashes of what was sent.
    """
    ids = {row.item_id for row in rows}
    approved, sent = db.publications.approved_hashes(ids), db.publications.sent_hashes(ids)
    hashes_by_item = {
        number: approved.get(number, frozenset()) | sent.get(number, frozenset()) for number in ids
    }
    if not target.added:
        return hashes_by_item
    paths = {row.item_id: row.path.removeprefix(_PUBLISHED) for row in rows}
    versions = [(number, sha256) for number, hashes in approved.items() for sha256 in sorted(hashes)]
    for (number, _), text in db.publications.approved_texts(versions).items():
        with suppress(PublishError):
            hashes_by_item[number] |= {sha256_of(_site_text(target, paths[number], text).encode())}
    return hashes_by_item


def _record_sent_hashes(
    db: Database, rows: Sequence[Publication], jobs: Sequence[Job | PublishError]
) -> None:
    """Store the hashes of the bytes before they are written, so that a crash leaves no unknown file."""
    sent_hashes: dict[int, str | None] = {}
    for row, job in zip(rows, jobs, strict=True):
        if isinstance(job, Job) and job.expected is not None:
            sha256 = sha256_of(job.expected)
            sent = None if sha256 == row.sha256 else sha256
            if sent != row.sent:
                sent_hashes[row.id] = sent
    db.publications.mark_sending(sent_hashes)


def outdated(db: Database, target: FolderTarget | GitTarget) -> list[int]:
    """Return the items whose bytes at a target differ from those of its current settings."""
    rows = [row for row in db.publications.published(target.name) if row.action == "publish"]
    if not target.added:
        return [row.item_id for row in rows if row.sent is not None]
    texts = _approved_texts(db, rows)
    return [row.item_id for row in rows if row.item_id in texts and _differs(target, row, texts[row.item_id])]


def _differs(target: FolderTarget | GitTarget, row: Publication, text: str) -> bool:
    try:
        expected = _site_text(target, row.path.removeprefix(_PUBLISHED), text)
    except PublishError:
        return True  # queued again, so that its error is reported
    return sha256_of(expected.encode()) != (row.sent or row.sha256)


def _site_text(target: FolderTarget | GitTarget, path: str, text: str) -> str:
    try:
        return to_site_front_matter(target, path, text)
    except OutputError as error:
        raise PublishError(error.message) from error


def _require(text: str | None, row: Publication) -> str:
    if text is None:
        raise PublishError(f"{row.path}: its approved text is gone; approve it again")
    return text


def _approved_texts(db: Database, rows: Sequence[Publication]) -> dict[int, str]:
    """Return the approved texts of published rows by item, each verified by its hash."""
    versions = [(row.item_id, row.sha256) for row in rows if row.action == "publish"]
    texts = db.publications.approved_texts(versions)
    return {number: text for (number, sha256), text in texts.items() if sha256_of(text.encode()) == sha256}


def _write_feed(db: Database, target: FeedTarget, rows: Sequence[Publication]) -> list[Result]:
    """Write a feed of the published articles, with the changes of `rows`; return a result for each row."""
    last = {row.item_id: row for row in (*db.publications.published(target.name), *rows)}
    live = [row for row in last.values() if row.action == "publish"]
    newest = sorted(live, key=lambda row: (row.published_at, row.item_id), reverse=True)[: target.limit]
    texts = _approved_texts(db, newest)
    entries, errors = [], {}
    for row in newest:
        try:
            text = _require(texts.get(row.item_id), row)
            entries.append(feed.entry(target, row.path.removeprefix(_PUBLISHED), text))
        except PublishError as error:
            errors[row.item_id] = error
    feed.write(target, entries)
    place = str(Path(target.path, "feed.xml"))
    return [errors.get(row.item_id, place) for row in rows]
