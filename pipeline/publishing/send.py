"""Carries articles to places: folders, git repositories, feeds."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.articles.files import sha256_of
from pipeline.config import FeedTarget, FolderTarget, GitTarget
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result, feed, folder, git, require_parent
from pipeline.publishing.targets.site_front_matter import to_site_front_matter
from pipeline.storage import Database, Publication

Place = FolderTarget | GitTarget | FeedTarget

_PUBLISHED = "published/"
_OURS = ("drafts", "published", "rejected")


def send_to_target(db: Database, root: Path, target: Place, rows: Sequence[Publication]) -> list[Result]:
    """Carry rows to a place and say, for each, where it went or why it did not.

    Raises PublishError, OutputError where all of them fail for one reason.
    """
    if isinstance(target, FeedTarget):
        _require_outside(root, target.path)
        return _fed(db, target, rows)
    jobs = _jobs(db, target, rows)
    ready = [job for job in jobs if isinstance(job, Job)]
    if isinstance(target, GitTarget):
        results = iter(git.apply_job(target, ready))
    else:
        _require_outside(root, target.path)
        results = iter(folder.apply_job(Path(target.path), ready))
    return [next(results) if isinstance(job, Job) else job for job in jobs]


def check_folder(root: Path, target: Place) -> str:
    """Say where a target's articles go. Raises PublishError where they cannot."""
    if isinstance(target, GitTarget):
        return git.check_repository(target)
    _require_outside(root, target.path)
    require_parent(Path(target.path))
    return f"writes to {target.path}"


def _require_outside(root: Path, path: str) -> None:
    """Raise PublishError for a target in the midst of our own files."""
    at = Path(path).resolve()
    for name in _OURS:
        ours = (root / name).resolve()
        if at == ours or at.is_relative_to(ours) or (at == root.resolve()):
            raise PublishError(f"{path} is a folder of Copydesk's own; choose another `path` in feeds.yaml")


def _jobs(
    db: Database, target: FolderTarget | GitTarget, rows: Sequence[Publication]
) -> list[Job | PublishError]:
    """Return what is to be done; what is sent in other bytes than the approved ones is noted before."""
    texts, ours = _texts(db, rows), _ours(db, target, rows)
    jobs: list[Job | PublishError] = []
    for row in rows:
        path = row.path.removeprefix(_PUBLISHED)
        try:
            data = b""
            if row.action == "publish":
                data = _shaped(target, path, _require(texts.get(row.item_id), row)).encode()
        except PublishError as error:
            jobs.append(error)
            continue
        known = ours[row.item_id] | {row.sha256}
        job = Job(action=row.action, path=path, data=data, ours=known, title=row.title, by=row.by)
        jobs.append(job)
    _note(db, rows, jobs)
    return jobs


def _ours(
    db: Database, target: FolderTarget | GitTarget, rows: Sequence[Publication]
) -> dict[int, frozenset[str]]:
    """Return the hashes of all that may stand at a target of each item: what was ever approved or sent.

    And what approved texts are by the target's settings now: a ledger that was restored may not know of it.
    """
    ids = {row.item_id for row in rows}
    approved, sent = db.publications.approved_hashes(ids), db.publications.sent_hashes(ids)
    ours = {number: approved.get(number, frozenset()) | sent.get(number, frozenset()) for number in ids}
    if not target.added:
        return ours
    paths = {row.item_id: row.path.removeprefix(_PUBLISHED) for row in rows}
    wanted = [(number, sha256) for number, hashes in approved.items() for sha256 in sorted(hashes)]
    for (number, _), text in db.publications.approved_texts(wanted).items():
        with suppress(PublishError):
            ours[number] |= {sha256_of(_shaped(target, paths[number], text).encode())}
    return ours


def _note(db: Database, rows: Sequence[Publication], jobs: Sequence[Job | PublishError]) -> None:
    """Have the ledger know, before anything is written, the bytes that are about to be."""
    changed: dict[int, str | None] = {}
    for row, job in zip(rows, jobs, strict=True):
        if isinstance(job, Job) and job.wanted is not None:
            sha256 = sha256_of(job.wanted)
            sent = None if sha256 == row.sha256 else sha256
            if sent != row.sent:
                changed[row.id] = sent
    db.publications.mark_sending(changed)


def outdated(db: Database, target: FolderTarget | GitTarget) -> list[int]:
    """Return the items that stand at a target in other bytes than its settings now give them."""
    rows = [row for row in db.publications.published(target.name) if row.action == "publish"]
    if not target.added:
        return [row.item_id for row in rows if row.sent is not None]
    texts = _texts(db, rows)
    return [row.item_id for row in rows if row.item_id in texts and _differs(target, row, texts[row.item_id])]


def _differs(target: FolderTarget | GitTarget, row: Publication, text: str) -> bool:
    try:
        wanted = _shaped(target, row.path.removeprefix(_PUBLISHED), text)
    except PublishError:
        return True  # sent again, it is told
    return sha256_of(wanted.encode()) != (row.sent or row.sha256)


def _shaped(target: FolderTarget | GitTarget, path: str, text: str) -> str:
    try:
        return to_site_front_matter(target, path, text)
    except OutputError as error:
        raise PublishError(error.message) from error


def _require(text: str | None, row: Publication) -> str:
    if text is None:
        raise PublishError(f"{row.path}: its approved text is gone; approve it again")
    return text


def _texts(db: Database, rows: Sequence[Publication]) -> dict[int, str]:
    """Return the approved texts of what is published, by item; each is what its hash says."""
    wanted = [(row.item_id, row.sha256) for row in rows if row.action == "publish"]
    found = db.publications.approved_texts(wanted)
    return {number: text for (number, sha256), text in found.items() if sha256_of(text.encode()) == sha256}


def _fed(db: Database, target: FeedTarget, rows: Sequence[Publication]) -> list[Result]:
    """Write a feed anew of what stands there already and what comes or goes now."""
    last = {row.item_id: row for row in (*db.publications.published(target.name), *rows)}
    live = [row for row in last.values() if row.action == "publish"]
    newest = sorted(live, key=lambda row: (row.published_at, row.item_id), reverse=True)[: target.limit]
    texts = _texts(db, newest)
    entries, troubles = [], {}
    for row in newest:
        try:
            text = _require(texts.get(row.item_id), row)
            entries.append(feed.entry(target, row.path.removeprefix(_PUBLISHED), text))
        except PublishError as error:
            troubles[row.item_id] = error
    feed.write(target, entries)
    place = str(Path(target.path, "feed.xml"))
    return [troubles.get(row.item_id, place) for row in rows]
