"""A draft of the ledger is checked against its own source, as it stands on disk."""

import json
from collections.abc import Callable

from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.end_to_end.test_verdicts import FEED
from tests.fakes.feed_server import FeedServer


def test_an_edit_shows_in_the_next_check(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/good.xml", FEED, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    assert call_copydesk(project, "run").returncode == 0
    draft = project.drafts()[0]
    found = call_copydesk(project, "check", draft.name)
    assert (found.returncode, found.stderr) == (1, "")
    assert "[1: The editor writes this part: no model has rewritten the source.]" in found.stdout
    assert found.stdout.count("block: line ") == 2

    text = draft.read_text()
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "The desk expects little of it.")
    draft.write_text(text)
    found = call_copydesk(project, "check", draft.stem[-8:])
    assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "No findings.")

    draft.write_text(text.replace("The desk", 'The exchange said "it rose by a mile"; the desk', 1))
    found = call_copydesk(project, "check", draft.name, "--json")
    assert found.returncode == 1
    [finding] = [one for one in json.loads(found.stdout)["findings"] if one["severity"] == "block"]
    assert (finding["kind"], finding["text"]) == ("quotation", "it rose by a mile")
    assert draft.read_text().splitlines()[finding["line"] - 1].count("a mile") == 1


def test_a_draft_that_nobody_knows_is_wrong_usage(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", FEED, content_type="application/rss+xml")
    found = call_copydesk(new_project({"good": feeds.url("/good.xml")}), "check", "nothing")
    assert found.returncode == 2
    assert "no draft is called 'nothing'" in found.stderr
    assert "--source" in found.stderr
