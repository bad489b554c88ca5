"""What the long trials share: a feed of many items, and a project folder from which flows are deployed."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parents[1]
_CODE = ("flows", "pipeline", "copydesk", "desk")
_WORDS = [f"{first}{last}" for first in ("har", "quay", "dock", "tide", "mast", "keel", "port", "wharf")
          for last in ("ing", "er", "s", "age", "man", "side", "wards", "less", "house", "yard")]  # fmt: skip


def texts(seed: int, count: int) -> list[str]:
    """Return texts that no two of tell the same story."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(_WORDS, k=60)) for _ in range(count)]


def rss(first: int, count: int) -> bytes:
    """Return a feed of items that no two of tell the same story."""
    items = "".join(
        f"<item><title>Varnhem {number} closes its basin</title><guid>item-{number}</guid>"
        f"<link>https://news.example/{number}</link><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
        f"<description>The port of Varnhem {number} said on Monday: {text}.</description></item>"
        for number, text in enumerate(texts(first, count), start=first)
    )
    return f"<rss version='2.0'><channel><title>Ports</title>{items}</channel></rss>".encode()


@contextlib.contextmanager
def feed_server(pages: Mapping[str, bytes], polls: list[float] | None = None) -> Iterator[str]:
    """Serve documents by path on loopback; yields the URL that paths are appended to.

    When each was asked for, in seconds since 1970, is added to `polls`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if polls is not None:
                polls.append(time.time())
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the table is the output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def lay_out(folder: Path, feeds: Mapping[str, str], **defaults: object) -> dict[str, str]:
    """Make a project folder of the checkout's code and feeds by key; returns its environment variables."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _CODE:
        (folder / name).symlink_to(ROOT / name)
    deployments = (ROOT / "prefect.yaml").read_text(encoding="utf-8")
    # Polls every minute: a trial has no quarter of an hour to wait.
    (folder / "prefect.yaml").write_text(
        deployments.replace("interval: 900", "interval: 60"), encoding="utf-8"
    )
    own = {"beat": "any", "max_items": 100_000, "max_age_days": None, "min_chars": 0, "full_text": "never"}
    listed = [{"key": key, "name": key.title(), "url": url, "category": "N"} for key, url in feeds.items()]
    document = {"defaults": own | defaults, "beats": {"any": {}}, "feeds": listed}
    (folder / "feeds.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return {
        "COPYDESK_ALLOW_HOSTS": ",".join(sorted({urlsplit(url).netloc for url in feeds.values()})),
        "HOME": str(folder),
        "PYTHONPATH": str(folder),
        "NO_PROXY": "*",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
