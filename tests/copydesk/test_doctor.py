"""`copydesk doctor`: whatever one examination meets is a line, and the others are still made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from copydesk import doctor
from copydesk import feeds as feeds_command
from copydesk.feeds_check import FeedCheckReport, check_feed
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.pages import rss

GEMINI = [{"error": {"code": 400, "message": "API key not valid. Please pass another.", "status": "INVALID"}}]


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        server.add("/feed", rss([20, 19]), content_type="application/rss+xml")
        yield server


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feeds: FeedServer, model: ModelServer
) -> Project:
    made = Project.create(tmp_path / "project", {"one": feeds.url("/feed"), "two": feeds.url("/feed?2")})
    feeds.add("/feed?2", rss([18]), content_type="application/rss+xml")
    monkeypatch.chdir(made.folder)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    named = {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "a-key"}
    for name, value in (made.environ | named).items():
        monkeypatch.setenv(name, value)
    return made


def examined(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[bool, str]]:
    """Run the doctor in this process; its exit code is 1 where one line tells of trouble."""
    with pytest.raises(SystemExit) as ended:
        doctor.doctor(as_json=True)
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert ended.value.code == (not all(row["ok"] for row in rows))
    return {row["what"]: (row["ok"], row["said"]) for row in rows}


def troubles(found: dict[str, tuple[bool, str]]) -> dict[str, str]:
    return {what: said for what, (ok, said) in found.items() if not ok}


def test_where_all_is_well_each_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)
    assert list(found) == [
        "settings", "feeds.yaml", "prompts", "database", "output", "desk", "runs", "model",
        "feed one", "feed two",
    ]  # fmt: skip
    assert troubles(found) == {}


@pytest.mark.parametrize(
    ("listing", "said"),
    [
        (
            Reply(400, json.dumps(GEMINI).encode()),
            "the model server refuses the key (400): check OPENAI_API_KEY",
        ),
        (Reply(body=b"<html></html>", content_type="text/html"), "OPENAI_BASE_URL answers with a web page"),
        (Reply(405, b"<h1>405</h1>", content_type="text/html"), "OPENAI_BASE_URL answers with a web page"),
        (Reply(body=b'{"error": "Unexpected endpoint or method. (GET /models)"}'), "knows no /models"),
        (Reply(422, b'{"detail": "what?"}'), "refuses this request with 422: what?"),
    ],
    ids=lambda value: f"{value.status} {(value.body or b'')[:40]!r}" if isinstance(value, Reply) else "",
)
def test_the_models_trouble_is_one_line_and_the_feeds_are_looked_at(
    capsys: pytest.CaptureFixture[str], model: ModelServer, listing: Reply, said: str
) -> None:
    model.listing = listing
    found = examined(capsys)
    [(what, told)] = troubles(found).items()
    assert what == "model"
    assert said in told
    assert "\n" not in told
    assert found["feed one"] == (True, "2 items; ok")


def test_how_runs_go_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert examined(capsys)["runs"][1].startswith("Prefect flow runs, on a server that each run starts")
    monkeypatch.setenv("PREFECT_API_URL", "127.0.0.1:4200")
    assert troubles(examined(capsys)).keys() == {"runs"}
    monkeypatch.setenv("COPYDESK_PREFECT", "off")
    found = examined(capsys)
    assert troubles(found) == {}
    assert found["runs"][1].startswith("runs without Prefect")


@pytest.mark.parametrize("examination", ["_prompts", "_database", "_output", "_model"])
def test_what_nobody_foresaw_is_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, examination: str
) -> None:
    def broken(*_arguments: object) -> str:
        raise KeyError("what\nis this")

    monkeypatch.setattr(doctor, examination, broken)
    found = examined(capsys)
    said = "unexpected error, please report it: KeyError: 'what\\nis this'"
    assert troubles(found) == {examination.strip("_"): said}
    assert found["feed two"][0]


def test_so_it_is_for_one_feed_of_several(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaking(net: Any, parse: Any, feed: Any, now: Any) -> FeedCheckReport:
        if feed.key == "one":
            raise ZeroDivisionError("nought")
        return await check_feed(net, parse, feed, now)

    monkeypatch.setattr(feeds_command, "check_feed", breaking)
    found = examined(capsys)
    assert troubles(found) == {"feed one": "unexpected error, please report it: ZeroDivisionError: nought"}
