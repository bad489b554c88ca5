"""Pushes a branch. Where somebody else pushed first, Copydesk's commits are put onto theirs and pushed again.

Each of Copydesk's commits changes one path, so it needs no merge: it is made again onto the other side's last
commit. Commits of the operator that are not pushed are never rewritten; Copydesk's go ahead of them.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

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
    fetched = fetched_ref(remote, ref)
    options = ("--quiet", "--no-tags", "--no-write-fetch-head")  # FETCH_HEAD is the operator's
    result = git.run("fetch", *options, remote, f"+{ref}:{fetched}", seconds=TRANSFER_TIMEOUT_S)
    return None if result.returncode else git.optional_line("rev-parse", "--verify", f"{fetched}^{{commit}}")


def fetched_ref(remote: str, ref: str) -> str:
    """Return the ref for a fetched branch. Pure.

    A remote that is a URL (which may have a password) or another name that may be invalid in a ref is hashed.
    In the name of a branch `/` is `%2F`: a ref `a` would be in the way of `a/b`.
    """
    branch = ref.removeprefix("refs/heads/").replace("%", "%25").replace("/", "%2F")
    is_plain = re.fullmatch("[A-Za-z0-9_-]+", remote)
    return f"refs/copydesk/{remote if is_plain else sha256(remote.encode()).hexdigest()[:16]}/{branch}"


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
    git, ref = repository.git, repository.ref
    checkout = Git(repository.worktree) if repository.worktree is not None else None
    if checkout is not None:
        checkout.run("update-index", "-q", "--refresh")
        if git.optional_line("rev-parse", "--verify", ref) != local:  # the operator committed meanwhile
            return
        if not checkout.succeeds("read-tree", "-m", "-u", local, tip):
            return
    moved = git.succeeds("update-ref", "-m", "copydesk: rebase", ref, tip, local)
    if checkout is not None and not moved and not _has_changes(git, ref, local, tip):
        checkout.run("read-tree", "-m", "-u", tip, local)


def _has_changes(git: Git, ref: str, local: str, tip: str) -> bool:
    """Return whether the operator's commit at `ref` has all that changed from `local` to `tip`.

    It has where it was made after index and files were moved to `tip`.
    """
    changed, differing = (
        set(git("diff-tree", "-r", "-z", "--name-only", before, after).split(b"\0")[:-1])
        for before, after in ((local, tip), (tip, ref))
    )
    return changed.isdisjoint(differing)
