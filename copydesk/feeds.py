"""`copydesk feeds`: list, check, import and export subscriptions. feeds.yaml itself is never rewritten."""

import asyncio
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from copydesk.console import err, print_json, print_line, printable, table, told
from copydesk.feeds_check import FeedCheckReport, examine, page
from copydesk.sample import serving
from pipeline.articles.files import write_atomically
from pipeline.config import Settings, load_feeds, load_settings, select_feeds, user_agent
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FeedConfig, normalize_feed_url
from pipeline.feeds.opml import read_opml, to_yaml, write_opml
from pipeline.feeds.pool import ParsePool
from pipeline.http_client import HttpClient, redact_url, require_usable_proxies
from pipeline.services.context import Parse

AT_ONCE = 32
"""Feeds whose bytes are held at one time."""


def listing(*, as_json: bool) -> None:
    """List the subscriptions."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    if as_json:
        print_json([feed.model_dump() for feed in feeds])
        return
    rows = ((f.key, "on" if f.enabled else "off", f.beat, f.category, f.language, f.url) for f in feeds)
    table("Subscriptions", ("feed", "enabled", "beat", "category", "language", "url"), rows)


def check(named: list[str] | None, *, as_json: bool) -> None:
    """Fetch feeds and say what is in them; exit code 1 if one of them fails.

    One that is named, by key or URL, has a page to itself. Raises ConfigError where the environment names a
    proxy that cannot be used.
    """
    require_usable_proxies()
    with serving():
        settings = load_settings()
        feeds = _named(settings, named)
        checkups = asyncio.run(_checkups(settings, feeds))
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
        table("Feeds", ("feed", "items", "newest", "said"), map(_table_row, checkups))
    sys.exit(any(not checkup.ok for checkup in checkups))


def _named(settings: Settings, named: list[str] | None) -> list[FeedConfig]:
    """Return the feeds meant by keys or URLs; one that is not subscribed to has the defaults of any feed."""
    if named is None:
        return select_feeds(load_feeds(settings.feeds_file), None)
    urls = [name for name in named if "." in name or "/" in name]  # which no key has
    if len(urls) == len(named) and not settings.feeds_file.exists():
        return [unsubscribed(url) for url in urls]
    subscriptions = load_feeds(settings.feeds_file)
    known = {normalize_feed_url(feed.url): feed for feed in subscriptions.feeds}
    meant = [unsubscribed(name) if name in urls else subscriptions.feed(name) for name in named]
    found = [known.get(normalize_feed_url(feed.url), feed) for feed in meant]
    return list({feed.key: feed for feed in found}.values())


def unsubscribed(url: str) -> FeedConfig:
    """Return a feed that nobody subscribed to, to be looked at. Raises ConfigError."""
    full = url if "://" in url else f"https://{url}"
    address = normalize_feed_url(full)
    if address is None:
        raise ConfigError(f"{url!r} is no http(s) URL; write one such as https://example.org/feed.xml")
    key = re.sub(r"[^a-z0-9]+", "-", address).strip("-")[:63]
    host = address.partition("/")[0]
    return FeedConfig(key=key or "feed", name=host, url=full, beat="any", category="ANY")


async def examine_feeds(settings: Settings, feeds: list[FeedConfig]) -> list[dict[str, Any]]:
    """Return for each feed `{feed, ok, items, newest, said}`; nothing is kept."""
    return [_summary(checkup) for checkup in await _checkups(settings, feeds)]


async def _checkups(settings: Settings, feeds: list[FeedConfig]) -> list[FeedCheckReport]:
    now, few = datetime.now(UTC), asyncio.Semaphore(AT_ONCE)

    async def one(net: HttpClient, parse: Parse, feed: FeedConfig) -> FeedCheckReport:
        async with few:
            try:
                return await examine(net, parse, feed, now)
            except Exception as error:  # noqa: BLE001 - one feed's trouble is no other's
                asked = {"feed": feed.key, "name": feed.name, "asked": redact_url(feed.url)}
                return FeedCheckReport(**asked, ok=False, error=told(error))

    async with HttpClient(user_agent(settings), allowed=settings.allow_hosts) as net, ParsePool() as pool:
        return list(await asyncio.gather(*(one(net, pool.parse, feed) for feed in feeds)))


def _summary(checkup: FeedCheckReport) -> dict[str, Any]:
    newest = max((row.published_at for row in checkup.rows), default=None)
    return {
        "feed": checkup.feed,
        "ok": checkup.ok,
        "items": len(checkup.rows),
        "newest": newest.isoformat() if newest else "",
        "said": checkup.error or "; ".join(checkup.notes) or "fine",
    }


def _table_row(checkup: FeedCheckReport) -> tuple[object, ...]:
    summary = _summary(checkup)
    return tuple(summary[name] for name in ("feed", "items", "newest", "said"))


def opml_in(file: str) -> None:
    """Print YAML to add to feeds.yaml."""
    settings = load_settings()
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; name an OPML file", file=file) from error
    existing = load_feeds(settings.feeds_file) if settings.feeds_file.exists() else None
    outlines, notes = read_opml(data, file)
    sys.stdout.write(to_yaml(outlines, existing))
    for note in notes:
        err.print(printable(note))


def opml_out(file: str) -> None:
    """Write the subscriptions as OPML."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    target = Path(file).absolute()
    write_atomically(target.parent, target.name, write_opml(feeds).encode())
    print_line(f"{len(feeds)} feeds written to {printable(file)}")
