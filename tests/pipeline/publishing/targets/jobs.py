"""Jobs for the tests of targets."""

from typing import Any

from pipeline.articles.files import sha256_of
from pipeline.publishing.targets import Job

PATH = "2026/02/output-rises-57767956.md"
FIRST = b"---\ntitle: Output rises\n---\nFirst.\n"
SECOND = b"---\ntitle: Output rises\n---\nSecond.\n"


def job(data: bytes | None = FIRST, **changes: Any) -> Job:
    """Return a job that publishes `data`, or withdraws the article where it is None."""
    values: dict[str, Any] = {
        "action": "withdraw" if data is None else "publish",
        "path": PATH,
        "data": data or b"",
        "owned_hashes": frozenset((sha256_of(FIRST), sha256_of(SECOND))),
        "title": "Output rises",
        "by": "Ada Lovelace",
    }
    return Job(**values | changes)
