"""The worker process of ParsePool: parses a feed or extracts a page."""

from datetime import datetime
from typing import Any

from pipeline.feeds.parsing import parse
from pipeline.sandbox.worker import run_worker


def work(job: dict[str, Any], body: bytes) -> bytes:
    """Return the ParsedFeed or Page of a job as JSON. Raises FeedError."""
    if job["what"] == "parse":
        now = datetime.fromisoformat(job["now"])
        parsed = parse.parse_feed(
            body, job["type"], job["url"], now, job["reader"], boilerplate=job["boilerplate"]
        )
        return parsed.model_dump_json().encode()
    from pipeline.feeds.pages.extract import extract

    return extract(body, job["type"], job["url"], job["selector"]).model_dump_json().encode()


if __name__ == "__main__":
    run_worker(work)
