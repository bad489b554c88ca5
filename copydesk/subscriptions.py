"""`copydesk feeds`: list, check, import and export subscriptions. feeds.yaml itself is never rewritten."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from copydesk.console import err, machine, plain, say, table
from copydesk.sample import serving
from pipeline.errors import ConfigError, FeedError
from pipeline.ingest.fetch import Validators
from pipeline.models import FeedConfig
from pipeline.net import Net
from pipeline.opml import read_opml, to_yaml, write_opml
from pipeline.output.files import write_atomically
from pipeline.settings import Settings, chosen, load_feeds, load_settings, user_agent
from pipeline.work import read_feed


def listing(*, as_json: bool) -> None:
    """List the subscriptions."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    if as_json:
        machine([feed.model_dump() for feed in feeds])
        return
    rows = ((f.key, "on" if f.enabled else "off", f.beat, f.category, f.language, f.url) for f in feeds)
    table("Subscriptions", ("feed", "enabled", "beat", "category", "language", "url"), rows)


def check(keys: list[str] | None, *, as_json: bool) -> None:
    """Fetch feeds and say what is in them; exit code 1 if one of them fails."""
    with serving():
        settings = load_settings()
        feeds = chosen(load_feeds(settings.feeds_file), keys)
        results = asyncio.run(examine_feeds(settings, feeds))
    if as_json:
        machine(results)
    else:
        table(
            "Feeds",
            ("feed", "items", "newest", "said"),
            ((r["feed"], r["items"], r["newest"], r["said"]) for r in results),
        )
    sys.exit(any(not result["ok"] for result in results))


async def examine_feeds(settings: Settings, feeds: list[FeedConfig]) -> list[dict[str, Any]]:
    """Return for each feed `{feed, ok, items, newest, said}`; nothing is kept."""
    async with Net(user_agent(settings)) as net:
        return list(await asyncio.gather(*(_examine(net, feed) for feed in feeds)))


async def _examine(net: Net, feed: FeedConfig) -> dict[str, Any]:
    try:
        read = await read_feed(net, feed, Validators())
    except FeedError as error:
        return {"feed": feed.key, "ok": False, "items": 0, "newest": "", "said": error.message}
    if read is None:
        said = "the server answers 304 to a plain request; its feed cannot be read"
        return {"feed": feed.key, "ok": False, "items": 0, "newest": "", "said": said}
    _, parsed = read
    newest = max((item.published_at for item in parsed.items), default=None)
    return {
        "feed": feed.key,
        "ok": True,
        "items": len(parsed.items),
        "newest": newest.isoformat() if newest else "",
        "said": "; ".join(parsed.notes) or "fine",
    }


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
        err.print(plain(note))


def opml_out(file: str) -> None:
    """Write the subscriptions as OPML."""
    feeds = load_feeds(load_settings().feeds_file).feeds
    target = Path(file).absolute()
    write_atomically(target.parent, target.name, write_opml(feeds).encode())
    say(f"{len(feeds)} feeds written to {plain(file)}")
