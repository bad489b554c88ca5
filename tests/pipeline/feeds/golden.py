"""Golden files: each feed in samples/ has its expected result, or error, as JSON beside it.

After an intended change, write them again and read the diff:

    python -m tests.pipeline.feeds.golden
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import parse_feed

FEEDS = Path(__file__).parent / "samples"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed_files() -> list[Path]:
    return sorted(path for path in FEEDS.iterdir() if not path.name.endswith(".golden.json"))


def golden_of(feed: Path) -> Path:
    return feed.with_name(f"{feed.name}.golden.json")


def read(feed: Path) -> dict[str, Any]:
    try:
        parsed = parse_feed(feed.read_bytes(), None, f"https://feeds.example/{feed.name}", NOW)
    except FeedError as error:
        return {"error": error.kind, "message": error.message}
    return parsed.model_dump(mode="json", exclude_defaults=True)


def main() -> None:
    for feed in feed_files():
        text = json.dumps(read(feed), indent=2, ensure_ascii=False)
        golden_of(feed).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
