"""Git target: a commit for each approved article, with the editor as its author.

A commit does not touch the operator's work: it has only the article's path, is made through a separate index,
and goes onto the named branch, whichever branch is checked out. Where that branch is checked out, the file
and its entry in the index are updated too, so that `git status` shows no change.
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
from pipeline.publishing.targets import Job, Result
from pipeline.publishing.targets.folder import require_owned, write_file

TIMEOUT_S = 60.0
PUSH_TIMEOUT_S = 180.0
"""Chosen, not measured."""
_COMMITTER = {"GIT_COMMITTER_NAME": "Copydesk", "GIT_COMMITTER_EMAIL": "copydesk@copydesk.invalid"}
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_PASSWORD = re.compile(r"//[^/@\s]+@")


class Git:
    """Runs git in one folder; `more` is added to its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self._environ = {**git_environment(), **_LITERAL, **_COMMITTER, **more}

    def with_environment(self, **more: str) -> "Git":
        """Return a copy with more variables in its environment."""
        changed = Git(self.folder)
        changed._environ = {**self._environ, **more}
        return changed

    def __call__(self, *arguments: str, stdin: bytes = b"", seconds: float = TIMEOUT_S) -> bytes:
        """Return the output of git. Raises PublishError with its error text where it fails."""
        result = self.run(*arguments, stdin=stdin, seconds=seconds)
        if result.returncode:
            raise PublishError(f"{self.folder}: git {arguments[0]} failed: {error_text(result.stderr)}")
        return result.stdout

    def line(self, *arguments: str, stdin: bytes = b"") -> str:
        """Return the one line of output. Raises PublishError where git fails."""
        return self(*arguments, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")

    def optional_line(self, *arguments: str) -> str | None:
        """Return the one line of output, None where git fails."""
        result = self.run(*arguments)
        printed = result.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return None if result.returncode else printed

    def run(
        self, *arguments: str, stdin: bytes = b"", seconds: float = TIMEOUT_S
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run git and return its result, also a failure. Raises PublishError where it is missing or hangs."""
        command = ["git", *arguments]
        try:
            return subprocess.run(  # noqa: S603 - a list, no shell
                command, input=stdin, capture_output=True, cwd=self.folder, env=self._environ, timeout=seconds
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


def error_text(stderr: bytes) -> str:
    """Return git's error output as one line of at most 300 characters, without passwords in URLs."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    relevant = [line for line in lines if line and not line.startswith("hint:")]
    joined = " ".join(_PASSWORD.sub("//", "; ".join(relevant[:3])).split())
    return joined[:300] or "it gave no reason"


_NO_COMMIT = ""
_MAX_TITLE_CHARS = 200
_ANGLES = str.maketrans("<>", "  ")


class _Repository(NamedTuple):
    git: Git
    ref: str
    folder: str
    worktree: Path | None
    """Folder in which the branch is checked out, if it is."""

    def path(self, job: Job) -> str:
        return f"{self.folder}/{job.path}" if self.folder else job.path


def apply_jobs(target: GitTarget, jobs: Sequence[Job]) -> list[Result]:
    """Commit each job, then push if configured, and return the results; a failed job blocks no other.

    Raises OutputError.
    """
    try:
        repository = _open_repository(target)
    except PublishError as error:
        return [error] * len(jobs)
    if repository.worktree is not None and repository.folder:
        files.remove_temp_files(repository.worktree / repository.folder)
    results = [_try_job(repository, job) for job in jobs]
    if target.push and any(isinstance(result, str) for result in results):
        try:
            _push(repository)
        except PublishError as error:
            return [error if isinstance(result, str) else result for result in results]
    return results


def check_repository(target: GitTarget) -> str:
    """Return what a target commits onto. Raises PublishError where it cannot."""
    repository = _open_repository(target)
    where = f", checked out in {repository.worktree}" if repository.worktree else ""
    return f"commits onto {target.branch} of {target.path}{where}"


def _open_repository(target: GitTarget) -> _Repository:
    """Return the repository at a target's path. Raises PublishError where there is none."""
    folder = Path(target.path)
    if not folder.is_dir():
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


def _try_job(repository: _Repository, job: Job) -> Result:
    try:
        return _apply(repository, job)
    except (OutputError, PublishError) as error:
        return PublishError(error.message, path=job.path)


def _apply(repository: _Repository, job: Job) -> str:
    """Update file, index and branch for a job, each only where needed; return what was done.

    In this order, a crash leaves a staged file, and never a checked-out branch without its file.
    """
    git, path = repository.git, repository.path(job)
    tip = git.optional_line("rev-parse", "--verify", "--quiet", f"{repository.ref}^{{commit}}")
    committed = _read_entry(git, git.line("ls-tree", "--full-tree", tip, "--", path)) if tip else None
    require_owned(job, committed, f"{path} on the branch {repository.ref.removeprefix('refs/heads/')}")
    blob = git.line("hash-object", "-w", "--stdin", stdin=job.data) if job.expected is not None else None
    if repository.worktree is not None:
        _update_worktree(git, repository.worktree, job, path, blob)
    if committed != job.expected:
        tip = _commit(repository, job, path, blob, tip)
    return f"{repository.git.folder}: {tip or 'nothing to take back'}"


def _read_entry(git: Git, entry: str) -> bytes | None:
    """Return the content of a tree or index entry, a line `mode [type] hash …`; None for no entry."""
    if not entry:
        return None
    mode, *rest = entry.partition("\t")[0].split()
    if mode not in {"100644", "100755"}:
        return b"\0" + mode.encode()  # a link or submodule: Copydesk did not write it
    return git("cat-file", "blob", rest[1] if rest[0] == "blob" else rest[0])


def _update_worktree(git: Git, worktree: Path, job: Job, path: str, blob: str | None) -> None:
    """Update the checked-out file and its index entry. Raises PublishError where an operator changed it."""
    index = Git(worktree)
    staged = _read_entry(git, index.line("ls-files", "--stage", "--", path))
    require_owned(job, staged, f"{path}, as it is staged in {worktree},")
    write_file(worktree, job, path)
    if staged != job.expected:
        _update_index(index, path, blob)


def _update_index(git: Git, path: str, blob: str | None) -> None:
    if blob is None:
        git("update-index", "--force-remove", "--", path)
    else:
        git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")


def _commit(repository: _Repository, job: Job, path: str, blob: str | None, tip: str | None) -> str:
    """Commit one path onto the branch, which must still be at `tip`; return the commit."""
    with tempfile.TemporaryDirectory(prefix="copydesk-") as folder:
        git = repository.git.with_environment(GIT_INDEX_FILE=str(Path(folder, "index")), **_author(job.by))
        if tip:
            git("read-tree", tip)
        _update_index(git, path, blob)
        tree = git.line("write-tree")
    parents = ("-p", tip) if tip else ()
    commit = git.line("commit-tree", tree, *parents, "-F", "-", stdin=_message(job).encode())
    git("update-ref", "-m", "copydesk", repository.ref, commit, tip or _NO_COMMIT)
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
    title = _printable(job.title)[:_MAX_TITLE_CHARS]
    return f"{verb}: {title or job.path}\n"


def _push(repository: _Repository) -> None:
    git, branch = repository.git, repository.ref.removeprefix("refs/heads/")
    remote = git.optional_line("config", f"branch.{branch}.remote") or "origin"
    result = git.run("push", "--quiet", remote, f"{repository.ref}:{repository.ref}", seconds=PUSH_TIMEOUT_S)
    if not result.returncode:
        return
    complaint = error_text(result.stderr)
    behind = "rejected" in complaint or "fetch first" in complaint or "non-fast-forward" in complaint
    fix = f"; bring {branch} up to date there (`git pull --rebase`)" if behind else ""
    raise PublishError(f"{git.folder}: {branch} is committed but not pushed to {remote}: {complaint}{fix}")
