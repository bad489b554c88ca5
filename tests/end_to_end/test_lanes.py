"""The model is asked while pages are awaited: the order of requests at hosts and at the model."""

import contextlib
import re
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk
from tests.fakes.feed_server import FeedServer, several_hosts
from tests.fakes.model_server import ModelServer, Reply, user_message

pytestmark = several_hosts
PATIENCE_S = 120
"""Seconds after which what does not happen is given up: never reached where the tests pass."""
PER_FEED = 4
STORY = (
    "The port of {name} will close its northern basin for eleven weeks, the harbour board said on Tuesday. "
    "Engineers found that the quay wall of {name}, built in 1961, had moved 14 centimetres to the water. "
    "About 40 fishing boats and two ferries have to use the southern basin of {name} in the meantime."
)


class Event(NamedTuple):
    kind: str
    """`page`: a page was requested; `call`: the model was asked; `answer`: it answers."""
    name: str
    """The item: its feed's letter and a number."""


class Timeline:
    """What happened at all servers, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def note(self, kind: str, name: str) -> None:
        with self._changed:
            self.events.append(Event(kind, name))
            self._changed.notify_all()

    def wait(self, condition: Callable[[list[Event]], bool]) -> bool:
        """Wait for a condition of the events; return False where it does not come true."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.events), PATIENCE_S)

    def names(self, kind: str) -> list[str]:
        return [event.name for event in self.events if event.kind == kind]


class Model(ModelServer):
    """A model that notes each call and answer, and waits in between until it may answer."""

    def __init__(self, timeline: Timeline, may_answer: Callable[[], object]) -> None:
        super().__init__()
        self._timeline, self._may_answer = timeline, may_answer

    def receive(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        [name, *_] = re.findall(r"port of (\w+)", user_message(request))
        self._timeline.note("call", name)
        self._may_answer()
        reply = super().receive(request, headers)
        self._timeline.note("answer", name)
        return reply


@contextlib.contextmanager
def hosts(hold: Callable[[str], None]) -> Iterator[dict[str, FeedServer]]:
    """Serve four feeds; those of `a` and `b` and their pages are on one host, `c` and `d` on one each."""
    with (
        FeedServer("127.0.0.1", hold) as shared,
        FeedServer("127.0.0.2", hold) as third,
        FeedServer("127.0.0.3", hold) as fourth,
    ):
        servers = {"a": shared, "b": shared, "c": third, "d": fourth}
        for key, server in servers.items():
            for number in range(PER_FEED):
                text = STORY.format(name=f"{key}{number}")
                page = f"<html><body><article><p>{text}</p></article></body></html>".encode()
                server.add(f"/page/{key}{number}", page, content_type="text/html")
            server.add(f"/feed/{key}", rss(server, key), content_type="application/rss+xml")
        yield servers


def rss(server: FeedServer, key: str) -> bytes:
    rows = "".join(
        f"<item><title>The basin of {key}{number} closes</title><guid>{key}{number}</guid>"
        f"<link>{server.url(f'/page/{key}{number}')}</link><description>Of {key}{number}.</description>"
        f"<pubDate>Mon, 02 Feb 2026 10:0{number}:00 GMT</pubDate></item>"
        for number in range(PER_FEED)
    )
    return f"<rss version='2.0'><channel><title>{key}</title>{rows}</channel></rss>".encode()


def lay_out(
    new_project: Callable[..., Project],
    servers: dict[str, FeedServer],
    model: Model,
    in_flight: int,
    page_delay: float = 0,
) -> Project:
    urls = {key: server.url(f"/feed/{key}") for key, server in servers.items()}
    project = new_project(urls, min_chars=200, full_text="auto", page_delay=page_delay)
    project.environ |= {
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_MAX_IN_FLIGHT": str(in_flight),
        "COPYDESK_ALLOW_HOSTS": ",".join({host for server in servers.values() for host in server.hosts}),
    }
    return project


def draft_all(project: Project) -> None:
    done = call_copydesk(project, "run")
    assert done.returncode == 0, done.stdout + done.stderr


def page_of(path: str) -> str:
    """Return the item whose page a path is; empty for another file."""
    return path.removeprefix("/page/") if path.startswith("/page/") else ""


def test_while_one_host_lets_items_wait_the_model_is_asked_about_those_of_the_others(
    new_project: Callable[..., Project],
) -> None:
    """Eight items wait for one host, more than there are slots; eight others are drafted meanwhile."""
    timeline, came, first = Timeline(), list[bool](), threading.Lock()

    def hold(path: str) -> None:
        if name := page_of(path):
            timeline.note("page", name)
            if name[0] in "ab" and first.acquire(
                blocking=False
            ):  # the next may come before this one is answered
                came.append(timeline.wait(lambda _: len(timeline.names("answer")) == 2 * PER_FEED))

    with hosts(hold) as servers, Model(timeline, lambda: None) as model:
        project = lay_out(new_project, servers, model, in_flight=1)
        draft_all(project)
    assert came == [True]
    assert {name[0] for name in timeline.names("answer")[: 2 * PER_FEED]} == {"c", "d"}
    assert len(project.drafts()) == len(timeline.names("page")) == len(timeline.names("call")) == 4 * PER_FEED
    turns = "".join(name[0] for name in timeline.names("page") if name[0] in "ab")
    assert not {"aaa", "bbb"} & {turns[at : at + 3] for at in range(6)}, (
        "the feeds have their turns in rotation"
    )


def test_as_many_calls_are_in_flight_as_there_are_lanes_or_texts(new_project: Callable[..., Project]) -> None:
    """No answer comes until every lane is at work, or no text is left; the first one is asked about alone."""
    timeline, lanes, filled = Timeline(), 3, list[bool]()

    def in_flight(events: list[Event]) -> int:
        return sum((event.kind == "call") - (event.kind == "answer") for event in events)

    def all_lanes_work(events: list[Event]) -> bool:
        calls = len([event for event in events if event.kind == "call"])
        left = 4 * PER_FEED - len([event for event in events if event.kind == "answer"])
        return calls == 1 or in_flight(events) >= min(lanes, left)

    def hold(path: str) -> None:
        if name := page_of(path):
            timeline.note("page", name)

    answering = threading.Lock()

    def may_answer() -> None:
        with answering:
            filled.append(timeline.wait(all_lanes_work))

    with hosts(hold) as servers, Model(timeline, may_answer) as model:
        draft_all(lay_out(new_project, servers, model, in_flight=lanes))
    assert filled == [True] * 4 * PER_FEED
    steps = [in_flight(timeline.events[:count]) for count in range(len(timeline.events))]
    assert max(steps) == lanes


@pytest.mark.soak  # in every run without processes: test_page_waits.py
def test_a_run_that_is_stopped_waits_for_no_host_and_requests_no_further_page(
    new_project: Callable[..., Project],
) -> None:
    """The next pages of each host are ten minutes away."""
    timeline = Timeline()

    def hold(path: str) -> None:
        if name := page_of(path):
            timeline.note("page", name)

    with hosts(hold) as servers, Model(timeline, lambda: None) as model:
        project = lay_out(new_project, servers, model, in_flight=4, page_delay=600)
        process = run_copydesk(project, "run", wait=False)
        assert timeline.wait(lambda _: len(timeline.names("answer")) == 3)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert len(timeline.names("page")) == len(timeline.names("call")) == 3
        assert len(project.drafts()) == 3
        project.environ["COPYDESK_MODEL"] = "offline"
        subscriptions = project.folder / "feeds.yaml"
        subscriptions.write_text(subscriptions.read_text().replace("page_delay: 600", "page_delay: 0"))
        draft_all(project)
    assert len(project.drafts()) == len(timeline.names("page")) == 4 * PER_FEED
