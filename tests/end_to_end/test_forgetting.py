"""`copydesk forget` removes a published item, and the next run does not draft it again."""

from collections.abc import Callable

from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer

URL = "https://news.example/story"
FEED = (
    b"<rss version='2.0'><channel><title>News</title><item><title>Port closes</title><guid>%d</guid>"
    b"<link>%s?utm_source=rss</link><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
    b"<description>The port closes for 11 weeks, the board said.</description></item></channel></rss>"
)


def test_a_forgotten_item_is_unpublished_and_never_drafted_again(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/news.xml", FEED % (1, URL.encode()), content_type="application/rss+xml")
    project = new_project({"news": feeds.url("/news.xml")})
    assert call_copydesk(project, "run").returncode == 0
    [draft] = project.drafts()
    text = draft.read_text()
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "The desk expects little of it.")
    draft.write_text(text)
    assert call_copydesk(project, "approve", draft.name).returncode == 0
    forgotten = call_copydesk(project, "forget", URL)
    assert forgotten.returncode == 0, forgotten.stderr
    assert "removed: published/2026/02/port-closes-" in forgotten.stdout
    assert "rebuild your site" in forgotten.stdout
    assert list((project.folder / "output").rglob("port-closes*")) == []
    feeds.add("/news.xml", FEED % (2, URL.encode()), content_type="application/rss+xml")
    again = call_copydesk(project, "run")
    assert again.returncode == 0
    assert project.drafts() == []
    assert "never drafted again" in call_copydesk(project, "forget", URL).stdout


def test_only_a_url_can_be_forgotten(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    project = new_project({"news": feeds.url("/news.xml")})
    refused = call_copydesk(project, "forget", "port-closes")
    assert refused.returncode == 2
    assert "is not an http(s) URL" in refused.stderr
