"""Git target: a commit for each approved article, with the editor as its author.

A commit does not touch the operator's work: it has only the article's path, is made through a separate index,
and goes onto the named branch, whichever branch is checked out. Where that branch is checked out, the file
and its entry in the index are updated too, so that `git status` shows no change.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.articles import files
from pipeline.config import GitTarget
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result
from pipeline.publishing.targets.folder import require_owned, write_file
from pipeline.publishing.targets.git_command import Git, error_text
from pipeline.publishing.targets.git_commits import (
    Entry,
    Repository,
    commit_job,
    entry_bytes,
    parse_entry,
    store_blob,
    tree_entry,
    update_index,
)
from pipeline.publishing.targets.git_push import push

_NO_COMMIT = ""
_NOTHING = "nothing to take back"
_locks: dict[Path, threading.Lock] = {}
_locks_change = threading.Lock()


def apply_jobs(target: GitTarget, jobs: Sequence[Job]) -> list[Result]:
    """Commit each job, then push if configured, and return the results; a failed job blocks no other.

    Raises OutputError.
    """
    try:
        repository = _open_repository(target)
        lock = _lock_of(repository.git)
    except PublishError as error:
        return [error] * len(jobs)
    with lock:
        return _apply_jobs(target, repository, jobs)


def _lock_of(git: Git) -> threading.Lock:
    """Return the lock of a repository: targets, each in a thread, may have branches or folders of one."""
    shared = Path(git.folder, git.line("rev-parse", "--git-common-dir")).resolve()
    with _locks_change:
        return _locks.setdefault(shared, threading.Lock())


def _apply_jobs(target: GitTarget, repository: Repository, jobs: Sequence[Job]) -> list[Result]:
    if repository.worktree is not None and repository.folder:
        files.remove_temp_files(repository.worktree / repository.folder)
    results = [_try_job(repository, job) for job in jobs]
    if target.push:
        results = _push(repository, jobs, results)
    place = str(repository.git.folder)
    return [f"{place}: {result}" if isinstance(result, str) else result for result in results]


def _push(repository: Repository, jobs: Sequence[Job], results: Sequence[Result]) -> list[Result]:
    """Push if something was committed; return the results with the pushed commits or the errors."""
    committed = [job for job, result in zip(jobs, results, strict=True) if isinstance(result, str)]
    if not committed:
        return list(results)
    try:
        pushed = push(repository, committed)
    except PublishError as error:
        return [error if isinstance(result, str) else result for result in results]
    return [
        pushed.conflicts.get(job.path) or pushed.place(result) if isinstance(result, str) else result
        for job, result in zip(jobs, results, strict=True)
    ]


def check_repository(target: GitTarget) -> str:
    """Return what a target commits onto. Raises PublishError where it cannot."""
    repository = _open_repository(target)
    where = f", checked out in {repository.worktree}" if repository.worktree else ""
    return f"commits onto {target.branch} of {target.path}{where}"


def _open_repository(target: GitTarget) -> Repository:
    """Return the repository at a target's path. Raises PublishError where there is none."""
    folder = Path(target.path)
    if not os.path.isdir(folder):  # noqa: PTH112 - `is_dir` raises PermissionError
        raise PublishError(
            f"{folder} does not exist; clone the repository there, or correct `path` in feeds.yaml"
        )
    git = Git(folder)
    result = git.run("rev-parse", "--is-bare-repository")
    if result.returncode:
        complaint = error_text(result.stderr)
        fix = "`git init` or clone one there, or correct `path` in feeds.yaml"
        why = fix if "not a git repository" in complaint else complaint
        raise PublishError(f"{folder} is no git repository that can be used: {why}")
    bare = result.stdout.strip() == b"true"
    top = Path(git.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))
    if top.resolve() != folder.resolve():
        fix = "name that as `path` in feeds.yaml, and the rest as `folder`"
        raise PublishError(f"{folder} is not the root of a repository but inside {top}; {fix}")
    ref = f"refs/heads/{target.branch}"
    return Repository(git, ref, target.folder or "", _worktree(git, ref))


def _worktree(git: Git, ref: str) -> Path | None:
    """Return the folder in which a branch is checked out: the repository's own, or another worktree."""
    at = None
    for line in git.line("worktree", "list", "--porcelain").splitlines():
        if line.startswith("worktree "):
            at = Path(line.removeprefix("worktree "))
        elif line == f"branch {ref}" and at is not None and at.is_dir():
            return at
    return None


def _try_job(repository: Repository, job: Job) -> Result:
    try:
        return _apply(repository, job)
    except (OutputError, PublishError) as error:
        return PublishError(error.message, path=job.path)


def _apply(repository: Repository, job: Job) -> str:
    """Update file, index and branch for a job, each only where needed; return the commit that has it.

    In this order, a crash leaves a staged file, and never a checked-out branch without its file.
    """
    git, path = repository.git, repository.path(job)
    tip = git.optional_line("rev-parse", "--verify", "--quiet", f"{repository.ref}^{{commit}}")
    committed = entry_bytes(git, tree_entry(git, tip, path))
    require_owned(job, committed, f"{path} on the branch {repository.branch}")
    entry = store_blob(git, job)
    if repository.worktree is not None:
        _update_worktree(git, repository.worktree, job, path, entry)
    if committed == job.expected:
        return tip or _NOTHING
    commit = commit_job(git, job, path, entry, tip)
    git("update-ref", "-m", "copydesk", repository.ref, commit, tip or _NO_COMMIT)
    return commit


def _update_worktree(git: Git, worktree: Path, job: Job, path: str, entry: Entry | None) -> None:
    """Update the checked-out file and its index entry. Raises PublishError where an operator changed it."""
    index = Git(worktree)
    staged = entry_bytes(git, parse_entry(index.line("ls-files", "--stage", "--", path)))
    require_owned(job, staged, f"{path}, as it is staged in {worktree},")
    write_file(worktree, job, path)
    if staged != job.expected:
        update_index(index, path, entry)
