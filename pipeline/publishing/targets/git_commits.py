"""Commits of one path, made without the working tree and its index."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from slugify import slugify

from pipeline.publishing.targets import Job
from pipeline.publishing.targets.git_command import COMMITTER_EMAIL, Git

_MAX_TITLE_CHARS = 200
_ANGLES = str.maketrans("<>", "  ")


class Repository(NamedTuple):
    """A target's repository and the branch that gets its commits."""

    git: Git
    ref: str
    folder: str
    worktree: Path | None
    """Folder in which the branch is checked out, if it is."""

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix("refs/heads/")

    def path(self, job: Job) -> str:
        """Return the path of a job's file inside the repository."""
        return f"{self.folder}/{job.path}" if self.folder else job.path


class Entry(NamedTuple):
    """A file in a tree or in the index."""

    mode: str
    hash: str


class OwnCommit(NamedTuple):
    """A commit that Copydesk made: one path, changed from `before` to `after`."""

    hash: str
    path: str
    before: Entry | None
    after: Entry | None


def tree_entry(git: Git, commit: str | None, path: str) -> Entry | None:
    """Return the entry of a path in a commit, None where there is no file."""
    return parse_entry(git.line("ls-tree", "--full-tree", commit, "--", path)) if commit else None


def parse_entry(line: str) -> Entry | None:
    """Return the entry of a line `mode [type] hash …` of git; None for an empty line."""
    if not line:
        return None
    mode, *rest = line.partition("\t")[0].split()
    return Entry(mode, rest[1] if rest[0] in {"blob", "tree", "commit"} else rest[0])


def entry_bytes(git: Git, entry: Entry | None) -> bytes | None:
    """Return the content of an entry; None for no entry."""
    if entry is None:
        return None
    if entry.mode not in {"100644", "100755"}:
        return b"\0" + entry.mode.encode()  # a link or submodule: Copydesk did not write it
    return git("cat-file", "blob", entry.hash)


def update_index(git: Git, path: str, entry: Entry | None) -> None:
    """Set or remove a path in the index that `git` uses."""
    if entry is None:
        git("update-index", "--force-remove", "--", path)
    else:
        git("update-index", "--add", "--cacheinfo", f"{entry.mode},{entry.hash},{path}")


def store_blob(git: Git, job: Job) -> Entry | None:
    """Store the bytes of a job in the repository; None for a withdrawal."""
    if job.expected is None:
        return None
    return Entry("100644", git.line("hash-object", "-w", "--stdin", stdin=job.expected))


def commit_job(git: Git, job: Job, path: str, entry: Entry | None, tip: str | None) -> str:
    """Make a commit onto `tip` that sets one path, and return it. No branch moves."""
    tree = _tree_with(git, tip, path, entry)
    parents = ("-p", tip) if tip else ()
    author = git.with_environment(**_author(job.by))
    return author.line("commit-tree", tree, *parents, "-F", "-", stdin=_message(job).encode())


def copy_commit(git: Git, commit: OwnCommit, tip: str) -> str:
    """Make a commit onto `tip` with the change, author, dates and message of `commit`, and return it."""
    tree = _tree_with(git, tip, commit.path, commit.after)
    head, _, message = git("cat-file", "commit", commit.hash).partition(b"\n\n")
    people = [
        line for line in head.split(b"\n") if line.startswith((b"author ", b"committer ", b"encoding "))
    ]
    lines = [b"tree " + tree.encode(), b"parent " + tip.encode(), *people]
    copied = b"\n".join(lines) + b"\n\n" + message
    return git.line("hash-object", "-t", "commit", "-w", "--stdin", stdin=copied)


def unpushed_commits(git: Git, upstream: str, local: str) -> tuple[list[OwnCommit], int]:
    """Return Copydesk's commits of `local` that `upstream` lacks, oldest first, and the number of others."""
    listed = git("rev-list", "--reverse", "--topo-order", "--format=%ce %P", f"{upstream}..{local}")
    # An operator's address may be no UTF-8, and hold what `splitlines` takes for an end of line.
    lines = listed.decode("utf-8", "surrogateescape").split("\n")[:-1]
    commits, others = [], 0
    for named, people in zip(lines[::2], lines[1::2], strict=True):
        email, *parents = people.split(" ")
        own = _own_commit(git, named.removeprefix("commit "), parents) if email == COMMITTER_EMAIL else None
        if own is None:
            others += 1
        else:
            commits.append(own)
    return commits, others


def _own_commit(git: Git, commit: str, parents: list[str]) -> OwnCommit | None:
    """Return a commit of one path; None where it changes another number of paths, or merges."""
    changed = git("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-only", commit)
    paths = changed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    if len(paths) != 1 or len(list(filter(None, parents))) > 1:
        return None
    before = tree_entry(git, parents[0] if parents else None, paths[0])
    return OwnCommit(commit, paths[0], before, tree_entry(git, commit, paths[0]))


def _tree_with(git: Git, tip: str | None, path: str, entry: Entry | None) -> str:
    """Store the tree of `tip` with one path set or removed, and return it; uses a temporary index."""
    with tempfile.TemporaryDirectory(prefix="copydesk-") as folder:
        index = git.with_environment(GIT_INDEX_FILE=str(Path(folder, "index")))
        if tip:
            index("read-tree", tip)
        update_index(index, path, entry)
        return index.line("write-tree")


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
