"""`copydesk check` compares a draft of the database, with its text on disk, with its own source."""

import json
from collections.abc import Callable

from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.end_to_end.test_approve_reject import FEED
from tests.fakes.feed_server import FeedServer


def test_an_edit_shows_in_the_next_check(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/good.xml", FEED, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    assert call_copydesk(project, "run").returncode == 0
    draft = project.drafts()[0]
    result = call_copydesk(project, "check", draft.name)
    assert (result.returncode, result.stderr) == (10, "")
    assert "[1: The editor writes this part: no model has rewritten the source.]" in result.stdout
    assert result.stdout.count("block: line ") == 2

    text = draft.read_text()
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "The desk expects little of it.")
    draft.write_text(text)
    result = call_copydesk(project, "check", draft.stem[-8:])
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "No findings.")

    draft.write_text(text.replace("The desk", 'The exchange said "it rose by a mile"; the desk', 1))
    result = call_copydesk(project, "check", draft.name, "--json")
    assert result.returncode == 10
    [finding] = [row for row in json.loads(result.stdout)["findings"] if row["severity"] == "block"]
    assert (finding["kind"], finding["text"]) == ("quotation", "it rose by a mile")
    assert draft.read_text().splitlines()[finding["line"] - 1].count("a mile") == 1


def test_an_unknown_draft_is_wrong_usage(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/good.xml", FEED, content_type="application/rss+xml")
    result = call_copydesk(new_project({"good": feeds.url("/good.xml")}), "check", "nothing")
    assert result.returncode == 2
    assert "no draft is called 'nothing'" in result.stderr
    assert "--source" in result.stderr
