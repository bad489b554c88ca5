"""A hundred queued items, and a model that is no good or wraps its answers: what a run and `doctor` do."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, Reply, completion, error, user_message, whole_article

KEY, MODEL, URL = "OPENAI_API_KEY", "COPYDESK_MODEL", "OPENAI_BASE_URL"
ITEMS = 100


class Newsroom(NamedTuple):
    project: Project
    server: ModelServer

    def run(self) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the report of a run."""
        done = call_copydesk(self.project, "run", "--json")
        return done.returncode, json.loads(done.stdout)

    def states(self) -> dict[str, int]:
        with contextlib.closing(sqlite3.connect(self.project.folder / ".copydesk/ledger.db")) as db:
            return dict(db.execute("SELECT state, count(*) FROM items GROUP BY state").fetchall())

    def paid(self) -> int:
        rows = json.loads(call_copydesk(self.project, "cost", "--json").stdout)
        return sum(row["answers"] for row in rows)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """One project for all tests: what a failed run leaves is what the next one finds."""
    items = "".join(
        f"<item><title>Miner {n} reports {n} BTC</title><guid>item-{n}</guid>"
        f"<link>https://feed.example/{n}</link><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
        f"<description>Miner {n} mined {n} BTC on Monday, it said. Costs rose by 3%.</description></item>"
        for n in range(ITEMS)
    )
    rss = f"<rss version='2.0'><channel><title>Feed</title>{items}</channel></rss>".encode()
    with FeedServer() as feeds, ModelServer() as server:
        feeds.add("/feed", rss, content_type="application/rss+xml")
        folder = tmp_path_factory.mktemp("newsroom") / "project"
        project = Project.create(folder, {"one": feeds.url("/feed")}, max_items=ITEMS)
        project.environ |= {
            MODEL: "fake-1",
            KEY: "a-key",
            URL: server.base_url,
            "COPYDESK_MAX_IN_FLIGHT": "50",
            "COPYDESK_PREFECT": "off",
            "COPYDESK_PRICE": "1/0.1/10",
        }
        yield Newsroom(project, server)


@pytest.fixture(autouse=True)
def fresh(newsroom: Newsroom) -> None:
    newsroom.server.received.clear()
    newsroom.server.refuse, newsroom.server.listing = lambda _request: None, None


REFUSALS = [
    (error(401, "Incorrect API key provided: a-k*y.", code="invalid_api_key"), KEY),
    (error(402, "Insufficient Balance"), KEY),
    (error(404, "The model `fake-1` does not exist.", code="model_not_found"), MODEL),
    (Reply(404, b'{"detail": "Not Found"}'), URL),
]


@pytest.mark.parametrize(("reply", "variable"), REFUSALS, ids=["key", "credit", "model", "URL"])
def test_a_refusal_of_every_call_takes_one_request_and_names_the_variable(
    newsroom: Newsroom, reply: Reply, variable: str
) -> None:
    newsroom.server.refuse = lambda _request: reply
    done = call_copydesk(newsroom.project, "run")
    assert (done.returncode, newsroom.server.requests) == (4, 1)
    assert newsroom.states() == {"seen": ITEMS}
    [line] = [line for line in done.stderr.splitlines() if variable in line]
    assert "a-key" not in done.stdout + done.stderr
    newsroom.server.listing = reply
    found = call_copydesk(newsroom.project, "doctor", "--json")
    [row] = [row for row in json.loads(found.stdout) if row["what"].startswith("model")]
    assert variable in row["said"], line


def test_a_model_that_answers_nonsense_costs_little(newsroom: Newsroom) -> None:
    before = newsroom.paid()
    newsroom.server.refuse = lambda _request: completion("Sure! Here it is.")
    assert newsroom.run()[0] == 4
    assert newsroom.paid() - before <= 6
    assert newsroom.states() == {"seen": ITEMS}


def test_wrapped_answers_are_paid_for_once(newsroom: Newsroom) -> None:
    before = newsroom.paid()

    def wrapped(request: dict[str, Any]) -> Reply:
        assert "Miner" in user_message(request)
        return completion(f"<think>Hm. {{}}</think>\n```json\n{whole_article()[:-1]},}}\n```\nThat is it.")

    newsroom.server.refuse = wrapped
    assert newsroom.run()[0] == 0
    assert (newsroom.paid() - before, newsroom.server.requests) == (ITEMS, ITEMS)
    assert newsroom.states() == {"drafted": ITEMS}
