"""Calls git as a program: arguments in lists, nobody asked for anything, its words turned into one line.

A git repository that gets a commit for each approved article, with the editor as its author.

Commits are made beside the operator's work: of our path alone, through an index of our own, onto the named
branch, whichever is checked out. Where that branch is checked out, the file and its line in the index follow,
so that nothing looks changed afterwards.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from slugify import slugify

from pipeline.articles import files
from pipeline.config import GitTarget, git_environment
from pipeline.domain.errors import OutputError, PublishError
from pipeline.publishing.targets import Job, Result, require_owned
from pipeline.publishing.targets.folder import put

SECONDS = 60.0
PUSH_SECONDS = 180.0
_OURSELVES = {"GIT_COMMITTER_NAME": "Copydesk", "GIT_COMMITTER_EMAIL": "copydesk@copydesk.invalid"}
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_PASSWORD = re.compile(r"//[^/@\s]+@")


class Git:
    """git in one folder; `more` is added to its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self._environ = {**git_environment(), **_LITERAL, **_OURSELVES, **more}

    def having(self, **more: str) -> "Git":
        """Return git in the same folder with more in its environment."""
        again = Git(self.folder)
        again._environ = {**self._environ, **more}
        return again

    def __call__(self, *arguments: str, given: bytes = b"", seconds: float = SECONDS) -> bytes:
        """Return what git printed. Raises PublishError with what it complained of."""
        ended = self.run(*arguments, given=given, seconds=seconds)
        if ended.returncode:
            raise PublishError(f"{self.folder}: git {arguments[0]} failed: {said(ended.stderr)}")
        return ended.stdout

    def line(self, *arguments: str, given: bytes = b"") -> str:
        """Return the one line that git printed."""
        return self(*arguments, given=given).decode("utf-8", "surrogateescape").rstrip("\n")

    def asked(self, *arguments: str) -> str | None:
        """Return the one line that git printed, None where it says no."""
        ended = self.run(*arguments)
        printed = ended.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return None if ended.returncode else printed

    def run(
        self, *arguments: str, given: bytes = b"", seconds: float = SECONDS
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run git to its end, whatever it says. Raises PublishError where it is missing or hangs."""
        command = ["git", *arguments]
        try:
            return subprocess.run(  # noqa: S603 - a list, no shell
                command, input=given, capture_output=True, cwd=self.folder, env=self._environ, timeout=seconds
            )
        except FileNotFoundError as error:
            missing = (
                "git is not installed; install it"
                if self.folder.is_dir()
                else f"{self.folder} does not exist"
            )
            raise PublishError(f"{missing}, or correct the target in feeds.yaml") from error
        except subprocess.TimeoutExpired as error:
            late = f"{self.folder}: git {arguments[0]} was stopped after {seconds:g} s"
            raise PublishError(f"{late}; look whether it waits for a password or a lock") from error
        except OSError as error:
            raise PublishError(f"{self.folder}: git cannot be started ({error.strerror})") from error


def said(stderr: bytes) -> str:
    """Return git's complaint as one line, without anybody's password."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if line and not line.startswith("hint:")]
    joined = " ".join(_PASSWORD.sub("//", "; ".join(told[:3])).split())
    return joined[:300] or "it gave no reason"


_NONE_YET = ""
_LONGEST_TITLE = 200
_ANGLES = str.maketrans("<>", "  ")


class _Repository(NamedTuple):
    git: Git
    ref: str
    folder: str
    worktree: Path | None
    """Where the branch is checked out, if it is."""

    def path(self, job: Job) -> str:
        return f"{self.folder}/{job.path}" if self.folder else job.path


def apply_job(target: GitTarget, jobs: Sequence[Job]) -> list[Result]:
    """Commit each job, then push, where that is wanted; a job that cannot be done holds up no other.

    Raises OutputError.
    """
    try:
        repository = _opened(target)
    except PublishError as error:
        return [error] * len(jobs)
    if repository.worktree is not None and repository.folder:
        files.remove_temp_files(repository.worktree / repository.folder)
    results = [_tried(repository, job) for job in jobs]
    if target.push and any(isinstance(result, str) for result in results):
        try:
            _push(repository)
        except PublishError as error:
            return [error if isinstance(result, str) else result for result in results]
    return results


def check_repository(target: GitTarget) -> str:
    """Say onto what a target commits. Raises PublishError where it cannot."""
    repository = _opened(target)
    where = f", checked out in {repository.worktree}" if repository.worktree else ""
    return f"commits onto {target.branch} of {target.path}{where}"


def _opened(target: GitTarget) -> _Repository:
    """Return the repository at a target's path. Raises PublishError where that is none."""
    folder = Path(target.path)
    if not folder.is_dir():
        raise PublishError(
            f"{folder} does not exist; clone the repository there, or correct `path` in feeds.yaml"
        )
    git = Git(folder)
    found = git.run("rev-parse", "--is-bare-repository")
    if found.returncode:
        complaint = said(found.stderr)
        fix = "`git init` or clone one there, or correct `path` in feeds.yaml"
        why = fix if "not a git repository" in complaint else complaint
        raise PublishError(f"{folder} is no git repository that can be used: {why}")
    bare = found.stdout.strip() == b"true"
    top = Path(git.line("rev-parse", "--absolute-git-dir" if bare else "--show-toplevel"))
    if top.resolve() != folder.resolve():
        fix = "name that as `path` in feeds.yaml, and the rest as `folder`"
        raise PublishError(f"{folder} is no repository itself but stands inside of {top}; {fix}")
    ref = f"refs/heads/{target.branch}"
    return _Repository(git, ref, target.folder or "", _worktree(git, ref))


def _worktree(git: Git, ref: str) -> Path | None:
    """Return the folder in which a branch is checked out: the repository's own, or another worktree."""
    at = None
    for line in git.line("worktree", "list", "--porcelain").splitlines():
        if line.startswith("worktree "):
            at = Path(line.removeprefix("worktree "))
        elif line == f"branch {ref}" and at is not None and at.is_dir():
            return at
    return None


def _tried(repository: _Repository, job: Job) -> Result:
    try:
        return _carried_out(repository, job)
    except (OutputError, PublishError) as error:
        return PublishError(error.message, path=job.path)


def _carried_out(repository: _Repository, job: Job) -> str:
    """Bring file, index and branch to what a job wants, each only where it is not so yet.

    In this order: who is killed in between leaves a file that is staged, and no branch that lacks it.
    """
    git, path = repository.git, repository.path(job)
    tip = git.asked("rev-parse", "--verify", "--quiet", f"{repository.ref}^{{commit}}")
    committed = _content(git, git.line("ls-tree", "--full-tree", tip, "--", path)) if tip else None
    require_owned(job, committed, f"{path} on the branch {repository.ref.removeprefix('refs/heads/')}")
    blob = git.line("hash-object", "-w", "--stdin", given=job.data) if job.wanted is not None else None
    if repository.worktree is not None:
        _follow(git, repository.worktree, job, path, blob)
    if committed != job.wanted:
        tip = _commit(repository, job, path, blob, tip)
    return f"{repository.git.folder}: {tip or 'nothing to take back'}"


def _content(git: Git, entry: str) -> bytes | None:
    """Return what stands in a tree or an index, by the line that tells it: `mode [type] hash …`."""
    if not entry:
        return None
    mode, *rest = entry.partition("\t")[0].split()
    if mode not in {"100644", "100755"}:
        return b"\0" + mode.encode()  # a link, a submodule: nothing that we wrote
    return git("cat-file", "blob", rest[1] if rest[0] == "blob" else rest[0])


def _follow(git: Git, worktree: Path, job: Job, path: str, blob: str | None) -> None:
    """Bring the checked-out file and its line in the index along; what somebody works on is not ours."""
    here = Git(worktree)
    staged = _content(git, here.line("ls-files", "--stage", "--", path))
    require_owned(job, staged, f"{path}, as it is staged in {worktree},")
    put(worktree, job, path)
    if staged != job.wanted:
        _update_index(here, path, blob)


def _update_index(git: Git, path: str, blob: str | None) -> None:
    if blob is None:
        git("update-index", "--force-remove", "--", path)
    else:
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")


def _commit(repository: _Repository, job: Job, path: str, blob: str | None, tip: str | None) -> str:
    """Commit one path onto the branch, which must not have moved meanwhile; returns the commit."""
    with tempfile.TemporaryDirectory(prefix="copydesk-") as folder:
        aside = repository.git.having(GIT_INDEX_FILE=str(Path(folder, "index")), **_author(job.by))
        if tip:
            aside("read-tree", tip)
        _update_index(aside, path, blob)
        tree = aside.line("write-tree")
    parents = ("-p", tip) if tip else ()
    commit = aside.line("commit-tree", tree, *parents, "-F", "-", given=_message(job).encode())
    aside("update-ref", "-m", "copydesk", repository.ref, commit, tip or _NONE_YET)
    return commit


def _author(editor: str) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": _printable(editor.translate(_ANGLES)) or "unknown",
        "GIT_AUTHOR_EMAIL": f"{slugify(editor) or 'unknown'}@copydesk.invalid",
    }


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _message(job: Job) -> str:
    verb = "Publish" if job.action == "publish" else "Withdraw"
    title = _printable(job.title)[:_LONGEST_TITLE]
    return f"{verb}: {title or job.path}\n"


def _push(repository: _Repository) -> None:
    git, branch = repository.git, repository.ref.removeprefix("refs/heads/")
    remote = git.asked("config", f"branch.{branch}.remote") or "origin"
    ended = git.run("push", "--quiet", remote, f"{repository.ref}:{repository.ref}", seconds=PUSH_SECONDS)
    if not ended.returncode:
        return
    complaint = said(ended.stderr)
    behind = "rejected" in complaint or "fetch first" in complaint or "non-fast-forward" in complaint
    fix = f"; bring {branch} up to date there (`git pull --rebase`)" if behind else ""
    raise PublishError(f"{git.folder}: {branch} is committed but not pushed to {remote}: {complaint}{fix}")
