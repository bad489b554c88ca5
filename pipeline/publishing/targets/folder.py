"""A folder that gets a copy of each approved article, such as a site's content folder."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.articles import files
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result, require_owned, require_parent


def apply_job(folder: Path, jobs: Sequence[Job]) -> list[Result]:
    """Do each job; one that cannot be done holds up no other. Raises OutputError."""
    files.remove_temp_files(folder)
    return [_tried(folder, job) for job in jobs]


def _tried(folder: Path, job: Job) -> Result:
    try:
        require_parent(folder)
        put(folder, job)
        return str(folder / job.path)
    except (OutputError, PublishError) as error:
        return PublishError(error.message, path=job.path)


def put(folder: Path, job: Job, relative: str | None = None) -> None:
    """Make a file what a job wants it to be. Raises PublishError, OutputError."""
    path = relative or job.path
    standing = files.read_bytes(folder, path)
    require_owned(job, standing, str(folder / path))
    if standing == job.wanted:
        return
    if job.wanted is None:
        files.remove(folder, path)
    else:
        files.write_atomically(folder, path, job.wanted)
