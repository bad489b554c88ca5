"""The report of a run: each item in one count, each cause in one line, an exit code for each end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import call_copydesk
from tests.copydesk.newsroom import Newsroom, newsroom, ports_feed
from tests.fakes.model_server import completion, error

REFUSED = completion(None, refusal="I will not write this.")
BAD = error(400, "bad things")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path, items=6) as made:
        yield made


def run(room: Newsroom, code: int = 0) -> dict[str, Any]:
    done = call_copydesk(room.project, "run", "--json")
    assert done.returncode == code, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def ended(feed: dict[str, Any]) -> dict[str, int]:
    """Return the counts of a feed's report in which its items end."""
    return {
        "drafted": len(feed["drafts"]),
        "failed": len(feed["failed"]) + feed["failed_before"],
        **{name: feed[name] for name in ("merged", "skipped", "waiting", "queued")},
    }


def status(room: Newsroom) -> dict[str, int]:
    [feed] = json.loads(call_copydesk(room.project, "status", "--json").stdout)["feeds"]
    items: dict[str, int] = feed["items"]
    return items


@pytest.mark.parametrize(
    ("refused", "limits", "code"),
    [
        ({}, {}, 0),
        ({"Brest": REFUSED, "Cadiz": BAD}, {}, 0),
        ({"Brest": BAD, "Esbjerg": REFUSED}, {"max_items": 3}, 0),
        ({"": REFUSED}, {}, 8),
        ({"": BAD}, {}, 4),
        ({"": error(401, "no such key")}, {}, 4),
        ({}, {"max_age_days": 1}, 0),
        ({}, {"full_text": "always", "min_chars": 400, "page_delay": 0}, 0),
    ],
    ids=["good", "some fail", "limited", "all refused", "put back", "key", "too old", "pages wait"],
)
def test_every_item_is_in_one_count_and_status_has_the_same(
    tmp_path: Path, refused: dict[str, Any], limits: dict[str, Any], code: int
) -> None:
    with newsroom(tmp_path, items=6, **limits) as room:
        host = "http://127.0.0.1:9"  # nothing listens there: its robots.txt cannot be read
        room.set(ALLOW_HOSTS=f"{room.project.environ['COPYDESK_ALLOW_HOSTS']},127.0.0.1:9", MAX_IN_FLIGHT="1")
        room.feeds.add("/news.xml", ports_feed(6, host), content_type="application/rss+xml")
        room.model.refuse = lambda request: next(
            (reply for word, reply in refused.items() if word in json.dumps(request)), None
        )
        [first] = run(room, code)["feeds"]
        assert (first["new"], first["before"]) == (6, 0)
        assert sum(ended(first).values()) == 6
        states = status(room)
        assert {name: states[name] for name in ended(first)} == ended(first)
        room.model.refuse = lambda _request: None
        [second] = run(room)["feeds"]
        assert (second["new"], second["before"]) == (
            0,
            ended(first)["queued"] + first["to_retry"] + first["waiting"],
        )
        assert sum(ended(second).values()) == second["before"]


def test_a_cause_is_one_line_over_all_feeds(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"full_text": "always", "min_chars": 400, "page_delay": 0}
    with newsroom(tmp_path, **limits) as room:
        host = "http://127.0.0.1:9"  # nothing listens there
        for name, items in (("one", ports_feed(4, host)), ("two", ports_feed(6, f"{host}/two"))):
            room.feeds.add(f"/{name}.xml", items, content_type="application/rss+xml")
        feeds = {name: room.feeds.url(f"/{name}.xml") for name in ("one", "two")}
        room.project.subscribe(feeds, **limits)
        room.set(ALLOW_HOSTS=f"{room.project.environ['COPYDESK_ALLOW_HOSTS']},127.0.0.1:9")
        lines = call_copydesk(room.project, "run").stdout.splitlines()
        [waits] = [line for line in lines if " wait: " in line]
        assert waits == "10 items wait: robots.txt of 127.0.0.1 cannot be read just now (one, two)"
        assert waits in call_copydesk(room.project, "status").stdout.splitlines()


def test_failed_items_are_not_queued_and_end_with_exit_code_8(room: Newsroom) -> None:
    room.model.refuse = lambda _request: REFUSED
    done = call_copydesk(room.project, "run")
    assert done.returncode == 8
    assert "6 items failed: the model refuses to write this: I will not write this. (news)" in done.stdout
    assert (
        "6 failed items not tried again by later runs: `copydesk retry` queues items without a draft"
        in done.stdout
    )
    assert "left in the queue" not in done.stdout


@pytest.mark.parametrize("body", [b"<html></html>", b""])
def test_a_run_of_no_feed_that_can_be_read_ends_with_exit_code_8(room: Newsroom, body: bytes) -> None:
    room.feeds.add("/news.xml", body, status=500)
    assert run(room, 8)["feeds"][0]["error"]
    room.project.subscribe({"news": room.feeds.url("/news.xml"), "good": room.feeds.url("/good.xml")})
    room.feeds.add("/good.xml", ports_feed(1), content_type="application/rss+xml")
    assert run(room)["exit_code"] == 0, "one failed feed is part of the report"


@pytest.mark.parametrize(
    ("variable", "period", "resets"),
    [
        ("CAP_RUN", "run", "each run has its own"),
        ("CAP_DAY", "day", "it resets at 20"),
        ("CAP_MONTH", "month", "-01 00:00 CE"),
    ],
)
def test_a_cap_names_its_variable_and_when_it_resets(
    room: Newsroom, variable: str, period: str, resets: str
) -> None:
    room.set(**{variable: "0.001", "TIMEZONE": "Europe/Berlin"})
    done = call_copydesk(room.project, "run")
    assert done.returncode == 9
    [line] = done.stderr.splitlines()
    assert f"the cap of the {period} is reached: $0.00 of $0.0010 spent" in line
    assert resets in line
    assert f"COPYDESK_{variable} sets it; 6 items stay queued" in line
