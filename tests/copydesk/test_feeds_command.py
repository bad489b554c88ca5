"""`copydesk feeds`: OPML export and import; only feeds.yaml defines the subscriptions."""

import json
from pathlib import Path

import pytest

from pipeline.domain.models import PollState
from pipeline.storage import Database
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk


def test_subscriptions_are_exported_as_opml_and_imported_as_yaml(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    feeds_file = project.folder / "feeds.yaml"
    before = feeds_file.read_bytes()
    assert call_copydesk(project, "feeds", "export", "out.opml").returncode == 0
    assert "https://one.example/feed" in (project.folder / "out.opml").read_text()
    imported = call_copydesk(project, "feeds", "import", "out.opml")
    assert imported.returncode == 0
    assert "\n  - key:" not in imported.stdout, "what is subscribed already is not offered again"
    feeds_file.unlink()
    fresh = call_copydesk(project, "feeds", "import", "out.opml")
    assert "https://one.example/feed" in fresh.stdout
    feeds_file.write_text(fresh.stdout)
    listed = call_copydesk(project, "feeds", "list")
    assert listed.returncode == 0, listed.stderr
    assert "https://one.example/feed" in listed.stdout
    feeds_file.write_bytes(before)


def test_a_missing_or_wrong_opml_file_is_named(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    missing = call_copydesk(project, "feeds", "import", "nowhere.opml")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert "nowhere.opml" in missing.stderr
    (project.folder / "wrong.opml").write_text("no XML")
    wrong = call_copydesk(project, "feeds", "import", "wrong.opml")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "wrong.opml" in wrong.stderr


def test_the_status_of_one_feed(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    assert call_copydesk(project, "status", "one").stdout == "one: no items yet\n"
    listed = json.loads(call_copydesk(project, "status", "one", "--json").stdout)
    assert listed == {"feed": "one", "items": {}, "outcomes": [], "excerpts": None, "boilerplate": []}
    with Database.open(f"sqlite:///{project.folder / '.copydesk' / 'ledger.db'}") as db:
        excerpts = "its texts are teasers of at most 90 characters"
        db.feeds.record_polls({"one": PollState(boilerplate=("Be a friend",), excerpts=excerpts)})
    lines = call_copydesk(project, "status", "one").stdout.splitlines()
    assert lines[1:] == [
        f"{excerpts}: the pages of all items are fetched",
        "taken out of its texts: Be a friend",
    ]
    assert call_copydesk(project, "status", "two").returncode == 2
    watched = call_copydesk(project, "status", "one", "--watch")
    assert (watched.returncode, "leave out the feed's key" in watched.stderr) == (2, True)


def test_the_doctor_names_each_error(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "http://127.0.0.1:1/feed"})
    (project.folder / "output").write_text("a file in the way")
    result = call_copydesk(project, "doctor")
    assert result.returncode == 1
    errors = [line for line in result.stdout.splitlines() if line.startswith("error")]
    assert [line.split()[1].rstrip(":") for line in errors] == ["output", "feed"]
    assert "COPYDESK_OUTPUT" in errors[0]


def test_the_doctor_names_a_proxy_without_its_secret(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "http://127.0.0.1:1/feed"})
    project.environ["COPYDESK_DESK_USER_HEADER"] = "X-Forwarded-User"
    result = call_copydesk(project, "doctor").stdout
    assert "error desk: COPYDESK_DESK_USER_HEADER is set without COPYDESK_DESK_USER_SECRET" in result


@pytest.mark.process
def test_heavy_libraries_wait_for_the_command_that_needs_them(tmp_path: Path) -> None:
    import subprocess
    import sys

    heavy = "{'prefect', 'openai', 'sqlalchemy', 'feedparser', 'pydantic', 'httpx'}"
    code = f"import sys, copydesk.main; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.process
def test_a_huge_limit_and_a_file_at_the_samples_folder_are_errors(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    huge = call_copydesk(project, "backfill", "one", "--limit", "9" * 20)
    assert huge.returncode == 2
    (project.folder / ".copydesk").write_text("in the way")
    blocked = run_copydesk(project, "--sample", "status")
    assert (blocked.returncode, blocked.stderr.count("\n")) == (2, 1)
    assert ".copydesk" in blocked.stderr


def test_one_feed_has_a_report_and_several_have_a_table(tmp_path: Path) -> None:
    project = Project.create(
        tmp_path / "project", {"one": "http://127.0.0.1:1/feed", "two": "http://127.0.0.1:2/f"}
    )
    for named in ("one", "http://127.0.0.1:1/feed/"):
        page = call_copydesk(project, "feeds", "check", named)
        assert page.returncode == 1, "a feed that cannot be read is no success"
        assert page.stdout.startswith("One (one)\n  url         http://127.0.0.1:1/feed\n")
        assert "\nCannot be read: " in page.stdout
    record = call_copydesk(project, "feeds", "check", "one", "--json")
    assert json.loads(record.stdout)["ok"] is False
    table = call_copydesk(project, "feeds", "check")
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["feed", "one", "two"]


def test_a_url_can_be_checked_before_there_is_any_subscription(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {})
    (project.folder / "feeds.yaml").unlink()
    page = call_copydesk(project, "feeds", "check", "http://127.0.0.1:1/feed.xml")
    assert (page.returncode, page.stderr) == (1, "")
    assert "url         http://127.0.0.1:1/feed.xml" in page.stdout
    unknown = call_copydesk(project, "feeds", "check", "one")
    assert unknown.returncode == 2
    assert "feeds.yaml" in unknown.stderr
