"""A redraft, an earlier version, and the cost, on the command line."""

import json
from collections.abc import Callable

from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, article, completion

FEED = (
    b"<rss version='2.0'><channel><title>Wire</title><item><title>Mine opens</title><guid>m1</guid>"
    b"<link>https://feed.example/m1</link><pubDate>05 Feb 2026 12:00:00 GMT</pubDate>"
    b"<description>Example Corp opened a mine on Monday. It cost 5 million euros.</description></item>"
    b"</channel></rss>"
)


def test_a_draft_is_rewritten_restored_and_billed(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/wire.xml", FEED, content_type="application/rss+xml")
    project = new_project({"wire": feeds.url("/wire.xml")})
    with ModelServer() as server:
        project.environ |= {
            "COPYDESK_MODEL": "fake-1",
            "OPENAI_BASE_URL": server.base_url,
            "COPYDESK_PRICE": "100/200",
            "COPYDESK_CAP_DAY": "50",
        }
        dry = call_copydesk(project, "backfill", "wire", "--dry-run")
        assert "It would cost about $" in dry.stdout
        assert server.requests == 0
        assert "Cost of the model: $" in call_copydesk(project, "run").stdout
        [draft] = project.drafts()
        name, first = draft.stem[-8:], draft.read_text()

        shown = call_copydesk(project, "prompt", "show", name)
        assert "Example Corp opened a mine on Monday." in shown.stdout
        assert shown.stdout.count("--- ") >= 3

        server.enqueue(completion(json.dumps({"text": "A mine was opened by Example Corp."})))
        done = call_copydesk(project, "redraft", name, "--section", "overview", "--note", "Shorter.")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Shorter." in server.received[-1]["messages"][-1]["content"]
        second = draft.read_text()
        assert "A mine was opened by Example Corp." in second
        assert first.partition("## What the source")[2] == second.partition("## What the source")[2]

        listed = call_copydesk(project, "versions", name).stdout
        assert [line.split()[:2] for line in listed.splitlines() if line[:1].isdigit()] == [
            ["1", "draft"],
            ["2", "redraft"],
        ]
        assert "as version 3" in call_copydesk(project, "restore", name, "1").stdout
        assert draft.read_text().partition("## ")[2] == first.partition("## ")[2]

        bill = json.loads(call_copydesk(project, "cost", "--by", "feed,purpose", "--json").stdout)
        assert [(row["feed"], row["purpose"], row["answers"]) for row in bill] == [
            ("wire", "draft", 1),
            ("wire", "redraft", 1),
        ]
        assert all(row["cost"] == 11 * 100 + 7 * 200 for row in bill)
        assert " of $50.00." in call_copydesk(project, "cost").stdout
        call_copydesk(project, "redraft", name, "--note", "Longer.", "--later")
        shown_request = json.loads(call_copydesk(project, "prompt", "show", name, "--json").stdout)
        assert "Longer." in shown_request["request"]["messages"][-1]["content"]

        wrong = call_copydesk(project, "redraft", name, "--section", "Outlook")
        assert wrong.returncode == 6
        assert 'no section "Outlook"; it has "Overview"' in wrong.stderr


def test_a_cap_ends_a_run_and_says_so(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/wire.xml", FEED, content_type="application/rss+xml")
    project = new_project({"wire": feeds.url("/wire.xml")})
    with ModelServer() as server:
        server.enqueue(completion(json.dumps(article())))
        project.environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": server.base_url}
        project.environ |= {"COPYDESK_CAP_RUN": "0.01"}
        unknown = call_copydesk(project, "run")
        assert unknown.returncode == 2
        assert "set COPYDESK_PRICE" in unknown.stderr
        project.environ |= {"COPYDESK_PRICE": "100/200"}
        stopped = call_copydesk(project, "run")
        assert stopped.returncode == 9
        assert "the cap of the run is reached: $0.00 of $0.0100 spent" in stopped.stderr
        assert "1 item left in the queue for the next run." in stopped.stdout
        assert server.requests == 0
