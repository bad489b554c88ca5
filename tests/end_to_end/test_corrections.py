"""Correct, retract and unpublish on the command line, to a folder and a feed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.articles.front_matter import loads
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.end_to_end.test_publishing import FEED, feed_target, names, ok, publish
from tests.fakes.feed_server import FeedServer


@pytest.fixture
def article(new_project: Callable[..., Project], feeds: FeedServer) -> tuple[Project, str]:
    """A published article with a folder and a feed as targets, and its name."""
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    project = new_project({"news": feeds.url("/news.xml")})
    publish(project, feed=feed_target(), site={"kind": "folder", "path": "news"})
    ok(project, "run")
    mill, _ = project.drafts()
    change(mill, "The editor writes this part: no model has rewritten the source.", "It expects little.")
    change(mill, "The editor writes what this means for the market.", "Paper may cost more.")
    ok(project, "approve", mill.name)
    ok(project, "publish")
    return project, mill.name


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_correction_from_the_command_line(article: tuple[Project, str]) -> None:
    project, name = article
    [copy] = (project.folder / "news").rglob(name)
    refused = call_copydesk(project, "correct", name)
    assert refused.returncode == 6
    assert "say to readers what was wrong" in refused.stderr
    output = ok(project, "correct", name, "--note", "The view was too dark")
    assert f"correct it: drafts/2026/02/{name}" in output
    [draft] = [path for path in project.drafts() if path.name == name]
    change(draft, "It expects little.", "It expects much.")
    ok(project, "approve", name)
    ok(project, "publish")
    metadata, body = loads(copy.read_text())
    [entry] = metadata["corrections"]
    assert (entry["was"], entry["is"]) == ("It expects little.", "It expects much.")
    assert "Before: “It expects little.” Now: “It expects much.”" in body
    assert "The view was too dark" in (project.folder / "feed/feed.xml").read_text()
    published = project.folder / "output/published" / draft.relative_to(project.folder / "output/drafts")
    assert copy.read_bytes() == published.read_bytes()
    assert "1 withdrawn" in ok(project, "unpublish", name, "--note", "not yet")
    assert names(project.folder / "news") == []
    metadata, body = loads(draft.read_text())
    assert len(metadata["corrections"]) == 1
    assert "## Corrections" not in body, "a draft is without the section"


def test_a_retraction_from_the_command_line(article: tuple[Project, str]) -> None:
    project, name = article
    assert "say why" in call_copydesk(project, "retract", name).stderr
    output = ok(project, "retract", name, "--note", "It was invented")
    assert f"retracted: published/2026/02/{name}" in output
    assert "site: 1 published" in output
    [copy] = (project.folder / "news").rglob(name)
    assert loads(copy.read_text())[1].endswith("Reason: It was invented.\n")
    assert "Retracted: Mill closes" in (project.folder / "feed/feed.json").read_text()


def test_nobody_signs_as_root(article: tuple[Project, str]) -> None:
    project, name = article
    project.environ |= {"COPYDESK_EDITOR": "", "LOGNAME": "root"}
    for command in (("unpublish", name), ("retract", name, "--note", "x"), ("correct", name, "--note", "x")):
        refused = call_copydesk(project, *command)
        assert refused.returncode == 2
        assert "set COPYDESK_EDITOR to your name" in refused.stderr
    assert names(project.folder / "news") == ["mill"]
