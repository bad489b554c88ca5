"""What every benchmark that runs the real thing needs: subscriptions, and a ledger of its own."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

EVERYTHING = {"max_items": 100_000, "max_age_days": None, "min_chars": 0, "full_text": "never"}
"""Settings under which whatever a feed holds is drafted, and no page is fetched from its publisher."""


def configure(work: Path, feeds: Iterable[tuple[str, str, str]], defaults: Mapping[str, object]) -> None:
    """Point this process at feeds (key, name and URL), all in `work`, and at no model."""
    listed = [{"key": key, "name": name, "url": url, "category": "N"} for key, name, url in feeds]
    document = {"defaults": {"beat": "any", **defaults}, "beats": {"any": {}}, "feeds": listed}
    (work / "feeds.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    os.environ.update(
        COPYDESK_FEEDS=str(work / "feeds.yaml"),
        COPYDESK_OUTPUT=str(work / "output"),
        COPYDESK_DATABASE_URL=f"sqlite:///{work / 'ledger.db'}",
        COPYDESK_MODEL="offline",
        COPYDESK_ALLOW_HOSTS=",".join(sorted({urlsplit(feed["url"]).netloc for feed in listed})),
        NO_PROXY="*",
        PREFECT_HOME=str(work / "prefect"),
        PREFECT_LOGGING_LEVEL="CRITICAL",
        PREFECT_SERVER_LOGGING_LEVEL="CRITICAL",
    )
