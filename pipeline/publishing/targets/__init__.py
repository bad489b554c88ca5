"""Content targets: the job of one article, and the rule that protects an operator's own files.

Each target is idempotent, removes only what Copydesk wrote, and never replaces an operator's changes.
"""

from pathlib import Path
from typing import Literal

from pipeline.articles.files import sha256_of
from pipeline.domain.errors import PublishError
from pipeline.domain.models import FrozenModel

Result = str | PublishError
"""Where an article went, or its error."""


class Job(FrozenModel):
    """One article at one target."""

    action: Literal["publish", "withdraw"]
    path: str
    """Relative to the target's folder, `2026/02/a-title-57767956.md`."""
    data: bytes = b""
    """The bytes to publish; empty for a withdrawal."""
    owned_hashes: frozenset[str]
    """Hashes of all bytes of this article that Copydesk wrote: only these may be replaced or removed."""
    title: str
    by: str
    """Editor who approved or withdrew it."""

    @property
    def expected(self) -> bytes | None:
        """Content of the file after the job; None: no file."""
        return self.data if self.action == "publish" else None


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
    if not folder.parent.is_dir():
        raise PublishError(f"{folder.parent} does not exist; make it, or correct `path` in feeds.yaml")


__all__ = ["Job", "Result"]
