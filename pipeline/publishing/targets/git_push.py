"""Pushes a branch. Where somebody else pushed first, Copydesk's commits are put onto theirs and pushed again.

Each of Copydesk's commits changes one path, so it needs no merge: it is made again onto the other side's last
commit. Commits of the operator that are not pushed are never rewritten; Copydesk's go ahead of them.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.domain.errors import PublishError
from pipeline.publishing.targets import Job
from pipeline.publishing.targets.folder import require_owned
from pipeline.publishing.targets.git_command import TRANSFER_TIMEOUT_S, Git, error_text
from pipeline.publishing.targets.git_commits import (
    Repository,
    commit_job,
    copy_commit,
    entry_bytes,
    store_blob,
    tree_entry,
    unpushed_commits,
)

MAX_REBASES = 3
"""Pushes by others, one after another, after which the next run goes on. Chosen, not measured."""


@dataclass
class Rebase:
    """Copydesk's commits as they are pushed."""

    tip: str
    commits: dict[str, str] = field(default_factory=dict)
    """Local commit to the commit that replaces it."""
    conflicts: dict[str, PublishError] = field(default_factory=dict)
    """By path of a job: why its file is not replaced."""
    complete: bool = True
    """Whether the local branch has nothing that `tip` lacks."""

    def place(self, commit: str) -> str:
        """Return the pushed commit that has what a local commit has."""
        return self.commits.get(commit, self.tip if self.commits else commit)


def push(repository: Repository, jobs: Sequence[Job]) -> Rebase:
    """Push the branch with the results of `jobs`, and return what was pushed.

    Raises PublishError where the remote refuses for another reason than commits of others.
    """
    git = repository.git
    remote = git.optional_line("config", f"branch.{repository.branch}.remote") or "origin"
    local = git.line("rev-parse", "--verify", repository.ref)
    rebase = Rebase(local)
    refusal = _refusal(git, remote, local, repository.ref)
    rebases = 0
    while refusal:
        failed = f"{git.folder}: {repository.branch} is committed but not pushed to {remote}: {refusal}"
        if rebases == MAX_REBASES:
            raise PublishError(
                f"{failed}; others pushed {rebases} times meanwhile, so the next run tries again"
            )
        upstream = _fetch(git, remote, repository.ref)
        if upstream is None or git.succeeds("merge-base", "--is-ancestor", upstream, rebase.tip):
            raise PublishError(failed)
        rebase = _rebase(repository, jobs, upstream, local, f"{remote}/{repository.branch}")
        rebases += 1
        refusal = None if rebase.tip == upstream else _refusal(git, remote, rebase.tip, repository.ref)
    if rebase.tip != local and rebase.complete:
        _move_branch(repository, local, rebase.tip)
    return rebase


def _refusal(git: Git, remote: str, commit: str, ref: str) -> str | None:
    """Push a commit and return git's error, None where it is pushed."""
    result = git.run("push", "--quiet", remote, f"{commit}:{ref}", seconds=TRANSFER_TIMEOUT_S)
    return error_text(result.stderr) if result.returncode else None


def _fetch(git: Git, remote: str, ref: str) -> str | None:
    """Fetch a branch and return its last commit; None where that fails."""
    result = git.run("fetch", "--quiet", "--no-tags", remote, ref, seconds=TRANSFER_TIMEOUT_S)
    return None if result.returncode else git.optional_line("rev-parse", "--verify", "FETCH_HEAD^{commit}")


def _rebase(repository: Repository, jobs: Sequence[Job], upstream: str, local: str, shown: str) -> Rebase:
    """Put Copydesk's commits and the results of jobs onto `upstream`; no branch moves."""
    git = repository.git
    own_commits, others = unpushed_commits(git, upstream, local)
    paths = dict.fromkeys(commit.path for commit in own_commits)
    missing = {path for path in paths if tree_entry(git, upstream, path) != tree_entry(git, local, path)}
    rebase = Rebase(upstream)
    for commit in own_commits:
        there = tree_entry(git, rebase.tip, commit.path) if commit.path in missing else commit.after
        if there != commit.after and there in {None, commit.before}:
            with suppress(PublishError):  # the other side has a folder of this name; its job says so
                rebase.tip = copy_commit(git, commit, rebase.tip)
        rebase.commits[commit.hash] = rebase.tip
    for job in jobs:
        _apply_job(repository, job, rebase, shown)
    rebase.complete = not others and all(
        tree_entry(git, rebase.tip, path) == tree_entry(git, local, path) for path in paths
    )
    return rebase


def _apply_job(repository: Repository, job: Job, rebase: Rebase, shown: str) -> None:
    """Have the rebased commits end with a job's result, or note that somebody else changed its file."""
    git, path = repository.git, repository.path(job)
    existing = entry_bytes(git, tree_entry(git, rebase.tip, path))
    if existing == job.expected:
        return
    try:
        require_owned(job, existing, f"{path} at {shown}")
        rebase.tip = commit_job(git, job, path, store_blob(git, job), rebase.tip)
    except PublishError as error:
        rebase.conflicts[job.path] = error


def _move_branch(repository: Repository, local: str, tip: str) -> None:
    """Move the local branch, and where it is checked out its files, to what was pushed.

    Where a file that the operator is changing is in the way, the branch stays; the next push works anyway.
    """
    if repository.worktree is not None:
        checkout = Git(repository.worktree)
        checkout.run("update-index", "-q", "--refresh")
        if not checkout.succeeds("read-tree", "-m", "-u", local, tip):
            return
    repository.git.run("update-ref", "-m", "copydesk: rebase", repository.ref, tip, local)
