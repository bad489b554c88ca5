"""A project with feeds and a model on loopback, and what a command says of it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

_WORDS = ("Aalborg", "Brest", "Cadiz", "Douala", "Esbjerg", "Fremantle")


def ports_feed(count: int, host: str = "https://news.example") -> bytes:
    """Return a feed of items that are about as many ports, with links to a host."""
    items = "".join(
        f"<item><title>{place} opens a port</title><guid>{place}</guid><link>{host}/{place}</link>"
        "<pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
        f"<description>The port of {place} opens after {weeks} weeks, its board said.</description></item>"
        for weeks, place in enumerate(_WORDS[:count], 11)
    )
    return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()


@dataclass(frozen=True)
class Newsroom:
    project: Project
    feeds: FeedServer
    model: ModelServer

    def set(self, **variables: str) -> None:
        """Set environment variables, given without the prefix COPYDESK_."""
        self.project.environ |= {f"COPYDESK_{name}": value for name, value in variables.items()}


@contextlib.contextmanager
def newsroom(folder: Path, *, items: int = 3, **limits: Any) -> Iterator[Newsroom]:
    """Yield a newsroom with the feed `news`, whose model costs money; runs are direct ones."""
    with FeedServer() as feeds, ModelServer() as model:
        feeds.add("/news.xml", ports_feed(items), content_type="application/rss+xml")
        project = Project.create(folder / "newsroom", {"news": feeds.url("/news.xml")}, **limits)
        made = Newsroom(project, feeds, model)
        made.set(PREFECT="off", MODEL="fake-1", PRICE="1/2")
        project.environ |= {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "a-key"}
        yield made
