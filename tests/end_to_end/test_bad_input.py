"""Bad input ends a run with one line that names its cause, and no data is lost."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.commands import call_copydesk
from tests.end_to_end.project import Project, free_port
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

GOOD = (
    b"<rss version='2.0'><channel><title>Good</title><item><title>Bitcoin rises</title><guid>1</guid>"
    b"<link>https://good.example/1</link><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
    b"<description>Bitcoin rose by 3% to $70,000 on Monday, the exchange said.</description></item>"
    b"</channel></rss>"
)


def run_json(project: Project) -> dict[str, dict[str, object]]:
    result = call_copydesk(project, "run", "--json")
    assert result.returncode == 0, result.stderr
    return {feed["feed"]: feed for feed in json.loads(result.stdout)["feeds"]}


def task_states(api: str) -> dict[str, str]:
    tasks = httpx.post(f"{api}/task_runs/filter", json={"sort": "EXPECTED_START_TIME_DESC"}).json()
    return {task["name"]: task["state_name"] for task in tasks}


def test_bad_feeds_are_named_and_the_good_one_is_drafted(
    flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    feeds.add("/gone.xml", b"", status=410)
    feeds.add("/broken.xml", b"", status=500)
    feeds.add("/page.xml", b"<!doctype html><html><body>Log in</body></html>", content_type="text/html")
    feeds.add("/empty.xml", b"", content_type="application/rss+xml")
    paths = ("good", "gone", "broken", "page", "empty", "missing")
    urls = {name: feeds.url(f"/{name}.xml") for name in paths}
    urls |= {
        "refused": f"http://127.0.0.1:{free_port()}/feed",
        "tls": urls["good"].replace("http:", "https:") + "?tls",
    }
    project = flow_project(urls)
    run = run_json(project)
    assert len(project.drafts()) == 1
    assert run["good"]["error"] is None
    for key in set(urls) - {"good"}:
        error = str(run[key]["error"])
        assert key in error, error
        assert "\n" not in error

    shown = call_copydesk(project, "status")
    assert shown.returncode == 0
    assert all(key in shown.stdout for key in urls)

    api = project.environ["PREFECT_API_URL"]
    expected = {"draft good": "Completed"} | {f"fetch {key}": "Failed" for key in set(urls) - {"good"}}
    deadline = time.monotonic() + 60  # Prefect records the tasks of a run a while after it
    while not expected.items() <= task_states(api).items():
        assert time.monotonic() < deadline, task_states(api)
        time.sleep(0.2)
    reports = httpx.post(f"{api}/artifacts/filter", json={}).json()
    assert any(row["key"] == "ingest-report" and "| gone |" in row["data"] for row in reports)


def test_a_refused_key_stops_the_run_and_keeps_the_queue(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    with ModelServer() as model:
        model.enqueue(status=401, body={"error": {"message": "wrong key", "code": "invalid_api_key"}})
        project.environ |= {
            "COPYDESK_MODEL": "m",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-secret",
        }
        refused = call_copydesk(project, "run")
        assert refused.returncode == 4
        assert "OPENAI_API_KEY" in refused.stderr
        assert "sk-secret" not in refused.stdout + refused.stderr
        assert model.requests == 1
        run_json(project)
    assert len(project.drafts()) == 1


def test_a_folder_that_cannot_be_written_loses_no_answer(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    blocked = project.folder / "output" / "drafts"
    blocked.parent.mkdir()
    blocked.write_text("a file stands where a folder should be")
    with ModelServer() as model:
        project.environ |= {"COPYDESK_MODEL": "m", "OPENAI_BASE_URL": model.base_url}
        failed = call_copydesk(project, "run")
        assert failed.returncode == 5
        assert "drafts" in failed.stderr
        blocked.unlink()
        run_json(project)
        assert model.requests == 1, "the answer was kept"
    assert len(project.drafts()) == 1


def test_an_edited_draft_is_never_overwritten(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    run_json(project)
    [draft] = project.drafts()
    draft.write_text("the editor's own words")
    feeds.add("/good.xml", GOOD.replace(b"3%", b"4%"), content_type="application/rss+xml")
    run_json(project)
    (project.folder / ".copydesk/ledger.db").unlink()
    for leftover in (project.folder / ".copydesk").glob("ledger.db-*"):
        leftover.unlink()
    run_json(project)
    assert project.drafts() == [draft]
    assert draft.read_text() == "the editor's own words"


def test_wrong_settings_start_nothing(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    project = new_project({"good": feeds.url("/good.xml")})
    feeds_file = project.folder / "feeds.yaml"
    good = feeds_file.read_text()
    feeds_file.write_text(good.replace("url:", "ulr:"))
    wrong = call_copydesk(project, "run")
    assert wrong.returncode == 2
    assert "feeds.yaml:" in wrong.stderr
    feeds_file.write_text(good)
    project.environ["COPYDESK_MODEL"] = "gpt"
    keyless = call_copydesk(project, "run")
    assert keyless.returncode == 2
    assert "OPENAI_API_KEY" in keyless.stderr
    assert feeds.requests == 0


def test_a_prefect_server_that_is_not_there_starts_nothing(tmp_path: Path, feeds: FeedServer) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = Project.create(tmp_path / "project", {"good": feeds.url("/good.xml")})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it either
        project.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        for command in (("run",), ("backfill", "good", "--yes"), ("serve",)):
            refused = call_copydesk(project, *command)
            assert (refused.returncode, refused.stdout) == (2, ""), refused.stderr
            assert refused.stderr.startswith(
                f"copydesk: PREFECT_API_URL {project.environ['PREFECT_API_URL']}: "
            )
            assert refused.stderr.count("\n") == 1
    assert feeds.requests == 0
    assert project.drafts() == []


def test_the_same_url_under_a_new_key_starts_nothing(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    run_json(project)
    project.subscribe({"better": feeds.url("/good.xml")})
    refused = call_copydesk(project, "run")
    assert refused.returncode == 2
    assert "previous_keys" in refused.stderr
    feeds_file = project.folder / "feeds.yaml"
    feeds_file.write_text(
        feeds_file.read_text().replace("- key: better", "- key: better\n  previous_keys: [good]")
    )
    assert run_json(project)["better"]["drafts"] == []
    assert len(project.drafts()) == 1


def test_a_newer_database_is_not_changed(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    import contextlib
    import sqlite3

    feeds.add("/good.xml", GOOD, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    run_json(project)
    path = Path(project.folder / ".copydesk/ledger.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    newer = call_copydesk(project, "run")
    assert newer.returncode == 3
    assert "newer" in newer.stderr
    assert newer.stderr.count("\n") == 1
