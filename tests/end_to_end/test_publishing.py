"""From approval to folder, git repository, feed and deploy hook, and back, on the command line."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feedparser
import pytest
import yaml

from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk
from tests.fakes.feed_server import FeedServer

URL = "https://news.example/Port"
ITEMS = "".join(
    f"<item><title>{title} closes</title><guid>{title}</guid><link>https://news.example/{title}</link>"
    "<pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
    "<description>The port closes for 11 weeks, the board said.</description></item>"
    for title in ("Port", "Mill")
)
FEED = f"<rss version='2.0'><channel><title>News</title>{ITEMS}</channel></rss>".encode()
KILLER = """#!/bin/sh
# Kills whoever called git, once, when a reference has moved.
[ "$1" = committed ] && [ ! -e "{mark}" ] && touch "{mark}" && kill -9 "$(ps -o ppid= -p $PPID)"
exit 0
"""


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(new_project: Callable[..., Project], feeds: FeedServer) -> Project:
    """A newsroom with two articles that wait, and a target of each kind."""
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    feeds.add("/build/sesame")
    made = new_project({"news": feeds.url("/news.xml")})
    site = made.folder.parent / "site"
    site.mkdir()
    git(site, "init", "-q", "-b", "main")
    publish(made, feed=feed_target(), repo={"kind": "git", "path": "../site", "folder": "content"})
    publish(
        made,
        site={"kind": "folder", "path": "news"},
        build={"kind": "hook", "url_variable": "COPYDESK_HOOK_B"},
    )
    made.environ["COPYDESK_HOOK_B"] = feeds.url("/build/sesame")
    assert call_copydesk(made, "run").returncode == 0
    for draft in made.drafts():
        text = draft.read_text()
        for placeholder in PLACEHOLDERS:
            text = text.replace(placeholder, "The desk expects little of it.")
        draft.write_text(text)
    return made


def feed_target() -> dict[str, str]:
    options = {"kind": "feed", "path": "feed", "title": "Ours", "link": "https://s.example/"}
    return options | {"article_url": "https://s.example/{path}/"}


def publish(project: Project, **targets: dict[str, Any]) -> None:
    """Add targets to feeds.yaml."""
    path = project.folder / "feeds.yaml"
    content = yaml.safe_load(path.read_text())
    content["publish"] = content.get("publish", {}) | targets
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def builds(feeds: FeedServer) -> int:
    return sum(request.method == "POST" and request.path == "/build/sesame" for request in feeds.seen)


def titles(project: Project) -> list[str]:
    parsed = feedparser.parse((project.folder / "feed/feed.xml").read_bytes())
    assert not parsed.bozo
    return sorted(entry.title for entry in parsed.entries)


def names(folder: Path) -> list[str]:
    return sorted(path.name[:4] for path in folder.rglob("*.md"))


def ok(project: Project, *arguments: str) -> str:
    ended = call_copydesk(project, *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_articles_go_to_every_target_and_leave_it(project: Project, feeds: FeedServer) -> None:
    site, news = project.folder.parent / "site", project.folder / "news"
    mill, port = project.drafts()
    ok(project, "approve", mill.name)
    assert "waiting for build: 1 publication" in ok(project, "status")

    output = ok(project, "publish")
    assert [line for line in output.splitlines() if line] == [
        f"{name}: 1 published" for name in ("feed", "repo", "site", "build")
    ]
    [published] = (project.folder / "output/published").rglob("*.md")
    [copy] = news.rglob("*.md")
    assert copy.read_bytes() == published.read_bytes()
    assert copy.relative_to(news) == published.relative_to(project.folder / "output/published")
    assert git(site, "log", "--format=%an: %s") == "Ada: Publish: Mill closes"
    assert git(site, "status", "--porcelain") == ""
    assert titles(project) == ["Mill closes"]
    assert builds(feeds) == 1
    assert "Nothing to publish." in ok(project, "publish")

    assert "`copydesk publish` publishes them now" in ok(project, "approve", port.name)
    report = json.loads(ok(project, "run", "--json"))
    assert {row["target"]: row["published"] for row in report["published"]} == dict.fromkeys(
        ("feed", "repo", "site", "build"), 1
    )
    assert titles(project) == ["Mill closes", "Port closes"]
    assert builds(feeds) == 2

    output = ok(project, "unpublish", mill.name, "--note", "not yet")
    assert f"unpublished: drafts/2026/02/{mill.name}" in output
    assert "site: 1 withdrawn" in output
    assert names(news) == names(site) == ["port"]
    assert titles(project) == ["Port closes"]
    assert git(site, "log", "-1", "--format=%s") == "Withdraw: Mill closes"
    assert builds(feeds) == 3
    assert mill.exists()

    assert "Forgotten" in ok(project, "forget", URL)
    assert names(news) == names(site) == titles(project) == []
    assert builds(feeds) == 4
    assert "Port" not in git(site, "log", "-1", "--format=%s")


def test_a_target_that_was_changed_or_added_or_lost(project: Project, feeds: FeedServer) -> None:
    mill, port = project.drafts()
    ok(project, "approve", mill.name, port.name)
    ok(project, "publish")
    [copy] = (project.folder / "news").rglob("mill*.md")
    copy.write_text("mine")
    refused = call_copydesk(project, "unpublish", mill.name)
    assert refused.returncode == 7
    assert "site: 1 failed" in refused.stderr
    assert "was changed by somebody else" in refused.stderr
    assert copy.read_text() == "mine"
    assert "1 of them failed" in ok(project, "status")
    copy.unlink()
    assert "site: 1 withdrawn" in ok(project, "publish")

    publish(project, mirror={"kind": "folder", "path": "mirror"})
    assert "mirror: 1 published" in ok(project, "publish", "--all")
    assert names(project.folder / "mirror") == ["port"]
    shutil.rmtree(project.folder / "mirror")
    again = call_copydesk(project, "publish", port.name, mill.name)
    assert again.returncode == 6
    assert "is not approved; approve it: `copydesk approve" in again.stderr
    assert names(project.folder / "mirror") == ["port"]
    assert "sesame" not in again.stdout + again.stderr


def test_a_publisher_killed_before_it_could_note_its_commit_makes_no_second_one(
    project: Project, tmp_path: Path, feeds: FeedServer
) -> None:
    site = project.folder.parent / "site"
    hook = site / ".git/hooks/reference-transaction"
    hook.write_text(KILLER.format(mark=tmp_path / "killed"))
    hook.chmod(0o755)
    ok(project, "approve", project.drafts()[0].name)
    assert run_copydesk(project, "publish").returncode == -signal.SIGKILL
    assert git(site, "rev-list", "--count", "main") == "1"
    assert "repo: 1 published" in ok(project, "publish")
    assert git(site, "rev-list", "--count", "main") == "1"
    assert git(site, "status", "--porcelain") == ""
    assert builds(feeds) == 1


def test_without_targets_there_is_nothing_to_publish_to(project: Project) -> None:
    path = project.folder / "feeds.yaml"
    content = yaml.safe_load(path.read_text())
    del content["publish"]
    path.write_text(yaml.safe_dump(content))
    refused = call_copydesk(project, "publish")
    assert refused.returncode == 2
    assert "feeds.yaml has no targets" in refused.stderr


def test_a_run_goes_on_where_a_target_fails(project: Project) -> None:
    publish(project, none={"kind": "folder", "path": "no/such/folder"})
    looked = call_copydesk(project, "doctor").stdout
    assert "error target none: " in looked
    for name, where in (("site", "writes to"), ("repo", "commits onto main"), ("build", "asks 127.0.0.1")):
        assert f"ok    target {name}: {where}" in looked
    assert "sesame" not in looked
    ok(project, "approve", project.drafts()[0].name)
    ended = call_copydesk(project, "run")
    assert ended.returncode == 0, ended.stderr
    assert "none: 1 failed" in ended.stderr
    assert "such does not exist; make it" in ended.stderr
    assert "site: 1 published" in ended.stdout
    assert len(list((project.folder / "news").rglob("*.md"))) == 1
    assert "waiting for none: 1 publication, 1 of them failed" in ok(project, "status")
    assert "failed" not in call_copydesk(project, "run").stderr
