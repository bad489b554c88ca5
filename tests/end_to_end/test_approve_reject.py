"""From draft to published file on the command line: each decision is reported, one error stops no other."""

from collections.abc import Callable

from pipeline.articles.front_matter import loads
from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer

ITEMS = "".join(
    f"<item><title>{title}</title><guid>{title}</guid><link>https://good.example/{title}</link>"
    "<pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
    "<description>Bitcoin rose by 3% to $70,000 on Monday, the exchange said.</description></item>"
    for title in ("Alpha", "Beta", "Gamma")
)
FEED = f"<rss version='2.0'><channel><title>Good</title>{ITEMS}</channel></rss>".encode()


def test_edited_drafts_are_published_and_the_others_are_errors(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/good.xml", FEED, content_type="application/rss+xml")
    project = new_project({"good": feeds.url("/good.xml")})
    assert call_copydesk(project, "run").returncode == 0
    alpha, beta, gamma = project.drafts()
    text = alpha.read_text()
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "The desk expects little of it.")
    alpha.write_text(text)
    gamma.write_text("---\ntitle: 'unclosed\n---\n")

    approved = call_copydesk(
        project, "approve", gamma.name, beta.name, alpha.name, "nothing", "--note", "fine"
    )
    assert approved.returncode != 0
    assert approved.stdout.startswith("approved: published/2026/02/alpha-")
    refused = approved.stderr.splitlines()
    assert len(refused) == 3
    assert all(line.startswith("not approved: ") for line in refused)
    published = project.folder / "output/published" / alpha.relative_to(project.folder / "output/drafts")
    metadata, _ = loads(published.read_text())
    assert metadata["draft"] is False
    assert metadata["review"]["by"] == "Ada"
    assert metadata["review"]["note"] == "fine"
    assert metadata["ai"]["rewritten"] is False

    assert call_copydesk(project, "reject", beta.name, gamma.name).returncode == 0
    assert project.drafts() == []
    assert len(list((project.folder / "output/rejected").rglob("*.md"))) == 2
