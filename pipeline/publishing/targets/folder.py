"""A folder that gets a copy of each approved article, such as a site's content folder."""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.articles import files
from pipeline.articles.files import sha256_of
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result


def apply_jobs(folder: Path, jobs: Sequence[Job]) -> list[Result]:
    """Do each job and return its result; a failed job blocks no other. Raises OutputError."""
    files.remove_temp_files(folder)
    return [_try_job(folder, job) for job in jobs]


def _try_job(folder: Path, job: Job) -> Result:
    try:
        require_parent(folder)
        write_file(folder, job)
        return str(folder / job.path)
    except (OutputError, PublishError) as error:
        return PublishError(error.message, path=job.path)


def write_file(folder: Path, job: Job, relative: str | None = None) -> None:
    """Write or remove a job's file at `relative` (default: its path). Raises PublishError, OutputError."""
    path = relative or job.path
    existing = files.read_bytes(folder, path)
    require_owned(job, existing, str(folder / path))
    if existing == job.expected:
        return
    if job.expected is None:
        files.remove(folder, path)
    else:
        files.write_atomically(folder, path, job.expected)


def require_owned(job: Job, existing: bytes | None, where: str) -> None:
    """Raise PublishError where a file exists that Copydesk did not write."""
    if existing is None or existing == job.expected or sha256_of(existing) in job.owned_hashes:
        return
    if job.action == "publish":
        fix = "make the change in Copydesk and approve it, or move that file away"
    else:
        fix = "remove it yourself, or put the published text back"
    raise PublishError(
        f"{where} was changed by somebody else and is not replaced: {fix}; then `copydesk publish`"
    )


def require_parent(folder: Path) -> None:
    """Raise PublishError where the parent of a target's folder does not exist: the path is a mistake."""
    if not os.path.isdir(folder.parent):  # noqa: PTH112 - `is_dir` raises PermissionError
        raise PublishError(f"{folder.parent} does not exist; make it, or correct `path` in feeds.yaml")


def require_writable(path: Path) -> None:
    """Raise PublishError where a target's folder or file cannot be written; nothing is written."""
    place = path if os.access(path, os.F_OK) else path.parent
    try:
        is_read_only = bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        is_read_only = True
    if is_read_only or not os.access(place, os.W_OK):
        raise PublishError(f"{place} cannot be written; make it writable, or correct `path` in feeds.yaml")
