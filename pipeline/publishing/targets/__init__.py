"""Content targets: the job of one article.

Each target is idempotent, removes only what Copydesk wrote, and never replaces an operator's changes.
"""

from typing import Literal

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
