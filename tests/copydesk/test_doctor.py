"""`copydesk doctor`: an error of one check is one line, and the other checks still run."""

import json
import re
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
from tests.fakes.pools import working_here

GEMINI = [{"error": {"code": 400, "message": "API key not valid. Please pass another.", "status": "INVALID"}}]


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _feeds_are_read_here() -> Iterator[None]:
    with working_here():
        yield


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


def errors(results: dict[str, tuple[bool, str]]) -> dict[str, str]:
    return {what: message for what, (ok, message) in results.items() if not ok}


def test_all_checks_pass_in_a_good_installation(capsys: pytest.CaptureFixture[str]) -> None:
    results = examined(capsys)
    assert list(results) == [
        "settings", "feeds.yaml", "prompts", "database", "output", "disk", "desk", "runs", "schedule",
        "model", "second reader", "caps", "alerts", "clock", "feed one", "feed two",
    ]  # fmt: skip
    assert errors(results) == {}


def test_the_second_reader_is_named_with_what_is_known_of_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds = project.folder / "feeds.yaml"
    feeds.write_text(re.sub(r"(?m)^( *)market:", r"\1repair_sentences: true\n\1market:", feeds.read_text()))
    unused = examined(capsys)
    assert "none: COPYDESK_VERIFIER=default" in unused["second reader"][1]
    assert [name.partition("@")[0] for name in unused["prompts"][1].split(", ")] == ["article", "mend"]
    monkeypatch.setenv("COPYDESK_VERIFIER", "default")
    used = examined(capsys)
    assert used["second reader"] == (
        True,
        "default (fake-1), not measured: `copydesk eval --verifier default` does that",
    )
    assert "verify@" in used["prompts"][1]
    monkeypatch.setenv("COPYDESK_VERIFIER", "stron")
    assert errors(examined(capsys))["second reader"].startswith("COPYDESK_VERIFIER 'stron' is no profile")
    monkeypatch.setenv("COPYDESK_VERIFIER", "default")
    monkeypatch.delenv("COPYDESK_MODEL")
    message = "COPYDESK_VERIFIER=default is set, but no model is: set COPYDESK_MODEL"
    assert examined(capsys)["second reader"] == (True, message)


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (
            Reply(400, json.dumps(GEMINI).encode()),
            "the model server refuses the key: check OPENAI_API_KEY (400, the server says: API key",
        ),
        (Reply(body=b"<html></html>", content_type="text/html"), "OPENAI_BASE_URL answers with a web page"),
        (Reply(405, b"<h1>405</h1>", content_type="text/html"), "OPENAI_BASE_URL answers with a web page"),
        (Reply(body=b'{"error": "Unexpected endpoint or method. (GET /models)"}'), "knows no /models"),
        (Reply(422, b'{"detail": "what?"}'), "refuses this request with 422: what?"),
    ],
    ids=lambda value: f"{value.status} {(value.body or b'')[:40]!r}" if isinstance(value, Reply) else "",
)
def test_a_model_error_is_one_line_and_the_feeds_are_still_checked(
    capsys: pytest.CaptureFixture[str], model: ModelServer, listing: Reply, message: str
) -> None:
    model.listing = listing
    results = examined(capsys)
    [(what, error)] = errors(results).items()
    assert what == "model"
    assert message in error
    assert "\n" not in error
    assert results["feed one"] == (True, "2 of 2 items can be drafted")


def test_the_way_of_running_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examined(capsys)["runs"][1].startswith("Prefect flow runs, on a server that each run starts")
    monkeypatch.setenv("PREFECT_API_URL", "127.0.0.1:4200")
    assert errors(examined(capsys)).keys() == {"runs"}
    monkeypatch.setenv("COPYDESK_PREFECT", "off")
    results = examined(capsys)
    assert errors(results) == {}
    assert results["runs"][1].startswith("runs without Prefect")


@pytest.mark.parametrize("examination", ["_prompts", "_database", "_output", "_model"])
def test_an_unexpected_error_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, examination: str
) -> None:
    def broken(*_arguments: object) -> str:
        raise KeyError("what\nis this")

    monkeypatch.setattr(doctor, examination, broken)
    results = examined(capsys)
    message = "unexpected error, please report it: KeyError: 'what\\nis this'"
    assert errors(results) == {examination.strip("_"): message}
    assert results["feed two"][0]


def test_an_unexpected_error_of_one_feed_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaking(net: Any, parse: Any, feed: Any, now: Any, pages: Any) -> FeedCheckReport:
        if feed.key == "one":
            raise ZeroDivisionError("nought")
        return await check_feed(net, parse, feed, now, pages)

    monkeypatch.setattr(feeds_command, "check_feed", breaking)
    results = examined(capsys)
    assert errors(results) == {"feed one": "unexpected error, please report it: ZeroDivisionError: nought"}
