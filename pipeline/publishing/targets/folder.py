"""A folder that gets a copy of each approved article, such as a site's content folder."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.articles import files
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result, require_owned, require_parent


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
