"""Carries articles to places: folders, git repositories, feeds."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PublishError
from pipeline.ledger import Ledger, Publication
from pipeline.output.files import sha256_of
from pipeline.output.targets import Job, Result, feed, folder, gitrepo
from pipeline.output.targets.job import require_parent
from pipeline.settings import FeedTarget, FolderTarget, GitTarget

Place = FolderTarget | GitTarget | FeedTarget

_PUBLISHED = "published/"
_OURS = ("drafts", "published", "rejected")


def sent(ledger: Ledger, root: Path, target: Place, rows: Sequence[Publication]) -> list[Result]:
    """Carry rows to a place and say, for each, where it went or why it did not.

    Raises PublishError, OutputError where all of them fail for one reason.
    """
    if isinstance(target, FeedTarget):
        _require_outside(root, target.path)
        return _fed(ledger, target, rows)
    jobs = _jobs(ledger, rows)
    ready = [job for job in jobs if isinstance(job, Job)]
    if isinstance(target, GitTarget):
        results = iter(gitrepo.carry_out(target, ready))
    else:
        _require_outside(root, target.path)
        results = iter(folder.carry_out(Path(target.path), ready))
    return [next(results) if isinstance(job, Job) else job for job in jobs]


def examine(root: Path, target: Place) -> str:
    """Say where a target's articles go. Raises PublishError where they cannot."""
    if isinstance(target, GitTarget):
        return gitrepo.examine(target)
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


def _jobs(ledger: Ledger, rows: Sequence[Publication]) -> list[Job | PublishError]:
    texts = _texts(ledger, rows)
    hashes = ledger.approved_hashes(row.item_id for row in rows)
    jobs: list[Job | PublishError] = []
    for row in rows:
        try:
            text = _require(texts.get(row.item_id), row) if row.action == "publish" else ""
        except PublishError as error:
            jobs.append(error)
            continue
        ours = hashes.get(row.item_id, frozenset()) | {row.sha256}
        path = row.path.removeprefix(_PUBLISHED)
        job = Job(action=row.action, path=path, data=text.encode(), ours=ours, title=row.title, by=row.by)
        jobs.append(job)
    return jobs


def _require(text: str | None, row: Publication) -> str:
    if text is None:
        raise PublishError(f"{row.path}: its approved text is gone; approve it again")
    return text


def _texts(ledger: Ledger, rows: Sequence[Publication]) -> dict[int, str]:
    """Return the approved texts of what is published, by item; each is what its hash says."""
    wanted = [(row.item_id, row.sha256) for row in rows if row.action == "publish"]
    found = ledger.approved_texts(wanted)
    return {number: text for (number, sha256), text in found.items() if sha256_of(text.encode()) == sha256}


def _fed(ledger: Ledger, target: FeedTarget, rows: Sequence[Publication]) -> list[Result]:
    """Write a feed anew of what stands there already and what comes or goes now."""
    last = {row.item_id: row for row in (*ledger.standing(target.name), *rows)}
    live = [row for row in last.values() if row.action == "publish"]
    newest = sorted(live, key=lambda row: (row.published_at, row.item_id), reverse=True)[: target.limit]
    texts = _texts(ledger, newest)
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
