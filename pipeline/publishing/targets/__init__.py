"""What a target is to do about one article, and the rule that protects an operator's own files.

Puts approved articles where sites read them: a folder, a git repository, a feed.

Each target may be told the same twice, takes back only what we wrote, and never touches what an operator
changed there.
"""

from pathlib import Path
from typing import Literal

from pipeline.articles.files import sha256_of
from pipeline.domain.errors import PublishError
from pipeline.domain.models import FrozenModel

Result = str | PublishError
"""Where an article went, or why it did not."""


class Job(FrozenModel):
    """One article at one target."""

    action: Literal["publish", "withdraw"]
    path: str
    """Below the target's folder, `2026/02/a-title-57767956.md`."""
    data: bytes = b""
    """The approved bytes; none where the article is withdrawn."""
    ours: frozenset[str]
    """Hashes of all bytes of this article that were ever approved: these alone may be replaced or removed."""
    title: str
    by: str
    """Who approved it, or took it back."""

    @property
    def wanted(self) -> bytes | None:
        """What is to stand at the path in the end."""
        return self.data if self.action == "publish" else None


def require_owned(job: Job, standing: bytes | None, where: str) -> None:
    """Raise PublishError where something stands at a path that we did not write."""
    if standing is None or standing == job.wanted or sha256_of(standing) in job.ours:
        return
    if job.action == "publish":
        fix = "make the change in Copydesk and approve it, or move that file away"
    else:
        fix = "remove it yourself, or put the published text back"
    raise PublishError(
        f"{where} was changed by somebody else, and is left alone: {fix}; then `copydesk publish`"
    )


def require_parent(folder: Path) -> None:
    """Raise PublishError where a target's folder cannot be meant: its parent does not exist."""
    if not folder.parent.is_dir():
        raise PublishError(f"{folder.parent} does not exist; make it, or correct `path` in feeds.yaml")


__all__ = ["Job", "Result"]
