"""`copydesk feeds`: list, check, import and export subscriptions. feeds.yaml itself is never changed."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from copydesk.console import err, error_message, print_json, print_line, printable, table
from copydesk.feeds_check import FeedCheckReport, check_feed, page
from copydesk.forecast import forecast
from copydesk.sample import serve_sample_feeds
from pipeline.articles.files import write_atomically
from pipeline.config import Settings, feed_credentials, load_feeds, load_settings, select_feeds, user_agent
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FeedConfig
from pipeline.domain.urls import normalize_feed_url
from pipeline.feeds.opml import read_opml, to_yaml, write_opml
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pool import ParsePool
from pipeline.http_client import HttpClient, redact_url, require_usable_proxies
from pipeline.services.context import Parse

MAX_CONCURRENT = 32
"""Feeds that are fetched at the same time; their bodies are in memory. Chosen, not measured."""


def list_feeds(*, as_json: bool) -> None:
    """Print the subscriptions of feeds.yaml."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    if as_json:
        print_json([feed.model_dump() for feed in feeds])
        return
    rows = ((f.key, "on" if f.enabled else "off", f.beat, f.category, f.language, f.url) for f in feeds)
    table("Subscriptions", ("feed", "enabled", "beat", "category", "language", "url"), rows)


def check(named: list[str] | None, *, as_json: bool) -> None:
    """Fetch feeds and print what they contain; exit code 1 if one of them fails.

    For a single named feed (key or URL) a detailed report is printed. Raises ConfigError if the environment
    names an unusable proxy.
    """
    require_usable_proxies()
    with serve_sample_feeds():
        settings = load_settings()
        feeds, logins = _requested_feeds(settings, named)
        checkups, _ = asyncio.run(_check_all(settings, feeds, logins))
    if named and len(feeds) == 1:
        [checkup] = checkups
        if as_json:
            print_json(checkup.model_dump(mode="json"))
        else:
            for line in page(checkup):
                print_line(printable(line))
    elif as_json:
        print_json([_summary(checkup) for checkup in checkups])
    else:
        table("Feeds", ("feed", "items", "newest", "message"), map(_table_row, checkups))
    sys.exit(any(not checkup.ok for checkup in checkups))


def _requested_feeds(
    settings: Settings, named: list[str] | None
) -> tuple[list[FeedConfig], Mapping[str, SecretStr]]:
    """Return the feeds for keys or URLs, and the logins of feeds.yaml.

    A URL without a subscription gets the default settings.
    """
    urls = [name for name in named or () if "." in name or "/" in name]  # keys contain neither
    if named is not None and len(urls) == len(named) and not os.path.lexists(settings.feeds_file):
        return [unsubscribed(url) for url in urls], {}
    subscriptions = load_feeds(settings.feeds_file)
    if named is None:
        return select_feeds(subscriptions, None), subscriptions.logins
    subscribed = {normalize_feed_url(feed.url): feed for feed in subscriptions.feeds}
    requested = [unsubscribed(name) if name in urls else subscriptions.feed(name) for name in named]
    feeds = [subscribed.get(normalize_feed_url(feed.url), feed) for feed in requested]
    return list({feed.key: feed for feed in feeds}.values()), subscriptions.logins


def unsubscribed(url: str) -> FeedConfig:
    """Return a feed with default settings for a URL. Raises ConfigError if it is not an http(s) URL."""
    full = url if "://" in url else f"https://{url}"
    address = normalize_feed_url(full)
    if address is None:
        raise ConfigError(f"{url!r} is not an http(s) URL; use one such as https://example.org/feed.xml")
    key = re.sub(r"[^a-z0-9]+", "-", address).strip("-")[:63]
    host = address.partition("/")[0]
    return FeedConfig(key=key or "feed", name=host, url=full, beat="any", category="ANY")


async def check_feeds(
    settings: Settings, feeds: list[FeedConfig], logins: Mapping[str, SecretStr]
) -> tuple[list[dict[str, Any]], list[float]]:
    """Return `{feed, ok, items, newest, said}` for each feed, and clock offsets; nothing is stored.

    `logins` are those of feeds.yaml, by the feed's key.
    """
    checkups, offsets = await _check_all(settings, feeds, logins)
    return [_summary(checkup) for checkup in checkups], offsets


async def _check_all(
    settings: Settings, feeds: list[FeedConfig], logins: Mapping[str, SecretStr]
) -> tuple[list[FeedCheckReport], list[float]]:
    """Return a report for each feed, and the offsets of this machine's clock to their servers, in seconds."""
    credentials = feed_credentials(settings, feeds, logins)
    now, semaphore = datetime.now(UTC), asyncio.Semaphore(MAX_CONCURRENT)

    async def check_one(
        net: HttpClient, parse: Parse, pages: PageFetcher, feed: FeedConfig
    ) -> FeedCheckReport:
        async with semaphore:
            try:
                return await check_feed(net, parse, feed, now, pages)
            except Exception as error:  # noqa: BLE001 - the other feeds are still checked
                fields = {"feed": feed.key, "name": feed.name, "asked": redact_url(feed.url)}
                return FeedCheckReport(**fields, ok=False, error=error_message(error))

    net = HttpClient(user_agent(settings), allowed=settings.allow_hosts, credentials=credentials)
    async with net, ParsePool() as pool:
        pages = PageFetcher(net, pool.extract)
        checks = (check_one(net, pool.parse, pages, feed) for feed in feeds)
        return list(await asyncio.gather(*checks)), list(net.clock_offsets)


def _summary(checkup: FeedCheckReport) -> dict[str, Any]:
    newest = max((row.published_at for row in checkup.rows), default=None)
    return {
        "feed": checkup.feed,
        "ok": checkup.ok,
        "items": len(checkup.rows),
        "newest": newest.isoformat() if newest else "",
        "said": checkup.error or "; ".join((forecast(checkup.rows), *checkup.notes)),
    }


def _table_row(checkup: FeedCheckReport) -> tuple[object, ...]:
    summary = _summary(checkup)
    return tuple(summary[name] for name in ("feed", "items", "newest", "said"))


def import_opml(file: str, *, as_json: bool) -> None:
    """Print the YAML to add to feeds.yaml for an OPML file. Raises ConfigError if it cannot be read."""
    settings = load_settings()
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; name an OPML file", file=file) from error
    existing = load_feeds(settings.feeds_file) if os.path.lexists(settings.feeds_file) else None
    outlines, notes = read_opml(data, file)
    text = to_yaml(outlines, existing)
    advice = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# Add to")]
    if as_json:
        print_json({"yaml": text, "notes": [*notes, *advice]})
        return
    sys.stdout.write(text)
    for note in (*notes, *advice):
        err.print(printable(note))


def export_opml(file: str, *, as_json: bool) -> None:
    """Write the subscriptions as OPML; `-` is standard output."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    if file == "-":
        if as_json:
            print_json({"opml": write_opml(feeds), "feeds": len(feeds)})
        else:
            sys.stdout.write(write_opml(feeds))
        return
    target = Path(file).absolute()
    write_atomically(target.parent, target.name, write_opml(feeds).encode())
    if as_json:
        print_json({"file": str(target), "feeds": len(feeds)})
    else:
        print_line(f"{len(feeds)} feeds written to {printable(file)}")
