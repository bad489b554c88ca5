"""`copydesk feeds`: OPML export and import; only feeds.yaml defines the subscriptions."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pipeline.config import load_feeds
from pipeline.domain.models import FeedConfig, PollState
from pipeline.storage import Database
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk


def test_subscriptions_are_exported_as_opml_and_imported_as_yaml(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    feeds_file = project.folder / "feeds.yaml"
    before = feeds_file.read_bytes()
    assert call_copydesk(project, "feeds", "export", "out.opml").returncode == 0
    assert "https://one.example/feed" in (project.folder / "out.opml").read_text()
    printed = call_copydesk(project, "feeds", "export", "-")
    assert printed.stdout == (project.folder / "out.opml").read_text()
    assert not (project.folder / "-").exists()
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


def test_fifty_feeds_in_folders_are_imported_and_exported(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://one.example/feed"})
    feeds_file = project.folder / "feeds.yaml"
    feeds_file.write_text(
        "beats: {crypto: {vocabulary: [BTC]}}\nfeeds:\n"
        "  - {key: one, name: One, url: 'https://one.example/', beat: crypto, category: BTC}\n"
    )
    languages = ("de-AT", "en", "xx?")
    rows = [
        f'<outline text="Feed {n}" xmlUrl="https://f{n}.example/rss" language="{languages[n % 3]}"/>'
        for n in range(50)
    ]
    folders = "".join(
        f'<outline text="Area"><outline text="Law &amp; Money {n}">{"".join(rows[n::5])}</outline></outline>'
        for n in range(5)
    )
    (project.folder / "in.opml").write_text(f'<opml version="2.0"><body>{folders}</body></opml>')
    added = call_copydesk(project, "feeds", "import", "in.opml")
    names = ", ".join(f"LAW-MONEY-{n}" for n in range(5))
    assert added.stderr == f"Add to the vocabulary of beat crypto: {names}\n"
    feeds_file.write_text(feeds_file.read_text().replace("[BTC]", f"[BTC, {names}]") + added.stdout)
    feeds = load_feeds(feeds_file).feeds[1:]
    assert [feed.category for feed in feeds] == [name for name in names.split(", ") for _ in range(10)]
    assert Counter(feed.language for feed in feeds) == {"de-at": 17, "en": 33}
    (project.folder / "out.opml").write_text(call_copydesk(project, "feeds", "export", "-").stdout)
    feeds_file.unlink()
    feeds_file.write_text(call_copydesk(project, "feeds", "import", "out.opml").stdout)
    again = load_feeds(feeds_file).feeds[1:]
    assert list(map(described, again)) == list(map(described, feeds))


def described(feed: FeedConfig) -> tuple[str, str, str]:
    return feed.url, feed.category, feed.language


def test_a_password_is_in_no_export(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project", {"one": "https://ada:s3same@one.example/feed"})
    for arguments in (("export", "-"), ("list",), ("list", "--json")):
        printed = call_copydesk(project, "feeds", *arguments)
        assert "https://one.example/feed" in printed.stdout
        assert "s3same" not in printed.stdout + printed.stderr


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
