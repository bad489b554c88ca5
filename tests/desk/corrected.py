"""A feed whose publisher corrects two figures of a story after it was drafted."""

import asyncio
import json
from pathlib import Path

import yaml

from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Settings, load_feeds, load_settings
from pipeline.http_client import HttpClient
from pipeline.services.context import PollReport
from pipeline.services.draft import draft_feed
from pipeline.services.poll import poll
from pipeline.storage import Database, DraftRow
from tests.databases import prepared
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import article
from tests.fakes.stock import TOKEN
from tests.pipeline.services.desk import Scripted, run_context

STORY = (
    "The bird station at Brodal has {staff} staff, its head Maren Falk said. They look after {pairs} pairs "
    "of storks on the meadows by the river. “We are {staff} people and weigh every egg that we find,” "
    "she said."
)
FEED = (
    "<rss version='2.0'><channel><title>Wire</title><item><title>{title}</title><guid>s1</guid>"
    "<link>{link}</link><pubDate>05 Feb 2026 12:00:00 GMT</pubDate>"
    "<description>{text}</description></item></channel></rss>"
)
ANSWER = article(
    overview="A station in Brodal employs 34 people.",
    sections=[{"heading": "On the meadows", "body": "Storks nest there, 61 pairs in all."}],
    from_author="That may go on for a while.",
    impact=["Little may follow."],
    category="NEWS",
    tags=["NEWS"],
)


def story(staff: int, pairs: int) -> str:
    return STORY.format(staff=staff, pairs=pairs)


class Wire:
    """A project with that one feed, whose content the test sets."""

    def __init__(self, folder: Path, server: FeedServer, **settings: object) -> None:
        self.server = server
        feed = {"key": "wire", "name": "Wire", "url": server.url("/feed.xml"), "category": "NEWS"}
        own = {"min_chars": 60, "full_text": "never", "max_age_days": None}
        document = {
            "defaults": {"beat": "b"},
            "beats": {"b": {"market": "market", "vocabulary": ["NEWS"], "titles": "source"}},
            "feeds": [feed | own | settings],
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "feeds.yaml").write_text(yaml.safe_dump(document))
        self.settings: Settings = load_settings(
            {"COPYDESK_DESK_TOKEN": TOKEN, "HOME": str(folder), "COPYDESK_READING_WORDS_PER_S": "0"}, folder
        )

    def publish(self, text: str, title: str = "Storks of Brodal") -> None:
        """Set the text and title of the feed's item."""
        document = FEED.format(text=text, title=title, link=self.server.url("/story"))
        self.server.add("/feed.xml", document.encode(), content_type="application/rss+xml")

    def run(self) -> PollReport:
        """Poll the feed and draft what waits, as a run does."""
        return asyncio.run(self._run())

    async def _run(self) -> PollReport:
        subscriptions = load_feeds(self.settings.feeds_file)
        feed = subscriptions.feed("wire")
        with Database.open(prepared(self.settings.database_url)) as db:
            db.feeds.sync(subscriptions.feeds)
            async with HttpClient("test", allowed=self.server.hosts) as net:
                folder, model = self.settings.base, Scripted(*[json.dumps(ANSWER)] * 2)
                beat = subscriptions.beats["b"]
                desk = run_context(db, net, folder, model, beat=beat, feeds=(feed,))
                report = await poll(desk, feed, named=True)
                await draft_feed(desk, feed, 5)
                return report

    @property
    def row(self) -> DraftRow:
        with Database.open(self.settings.database_url) as db:
            [row] = db.drafts.list(("drafted", "approved"))
            return db.drafts.get(row.external_id)

    @property
    def path(self) -> Path:
        return self.settings.output / self.row.path

    def correct_draft(self) -> None:
        """Write the corrected figures into the draft on disk."""
        metadata, body = loads(self.path.read_text())
        metadata["description"] = corrected(str(metadata["description"]))
        self.path.write_text(dumps(metadata, corrected(body)))


def corrected(text: str) -> str:
    return text.replace("34", "43").replace("61", "16")
