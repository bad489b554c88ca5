"""Runs against an OpenAI-compatible server written by others: llmock, on loopback.

Its answer to a strict schema is an example that fits it, the same each time; it counts for itself
what it received and answered.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.articles.front_matter import loads
from pipeline.domain.models import Beat
from pipeline.llm.client import ClientConfig, LLMClient
from pipeline.llm.structured_output import request_structured
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.pipeline.llm.conversation import RecordingBudget, request

testing = pytest.importorskip("llmock.testing", reason="llmock is not installed")
chaos = pytest.importorskip("llmock.chaos", reason="llmock is not installed")
scenarios = pytest.importorskip("llmock.scenarios", reason="llmock is not installed")
verdict = pytest.importorskip("llmock.verdict", reason="llmock is not installed")

BEAT = Beat(key="crypto", market="crypto market", vocabulary=("BTC",))


class LLMock:
    """A running llmock and what it says of its clients."""

    def __init__(self, server: Any) -> None:
        self.server = server

    @property
    def base_url(self) -> str:
        return str(self.server.base_url("openai"))

    def statuses(self) -> list[int]:
        """The status of every request so far, in their order."""
        return [record.status for record in self.server.state.journal.records(wait=5)]

    def answered(self) -> dict[str, int]:
        """How often each request, told apart by its body, was answered with 200."""
        records = self.server.state.journal.records(wait=5)
        return Counter(record.fingerprint for record in records if record.status == 200)

    def faults(self) -> list[str]:
        """What llmock finds wrong with the client: retries too early, too many, or of what is refused."""
        return [str(error.code) for error in verdict.judge(self.server.state.journal.records(wait=5)).errors]

    def fail(self, status: int, *, times: int = 1, retry_after: float | None = None) -> None:
        """Answer the next requests with an error."""
        self.server.state.scenarios.add(scenarios.Fail(status, times=times, retry_after=retry_after))


@pytest.fixture
def start_llmock() -> Iterator[Callable[..., LLMock]]:
    """Start llmock: `start_llmock({429: 0.15, 503: 0.15}, latency_ms=50)`; stopped after the test."""
    running: list[Any] = []

    def start(error_rates: dict[int, float] | None = None, latency_ms: int = 0) -> LLMock:
        settings = chaos.ChaosSettings(latency_ms=latency_ms, error_rates=error_rates or {})
        running.append(testing.LLMockServer(chaos=settings).start())
        return LLMock(running[-1])

    yield start
    for server in running:
        server.stop()


async def test_its_answer_to_the_schema_is_an_article(start_llmock: Callable[..., LLMock]) -> None:
    llmock = start_llmock()
    async with LLMClient("gpt-4o", ClientConfig(llmock.base_url)) as model:
        answer, article = await request_structured(model, request(), RecordingBudget())
    assert article.sections[0].heading
    assert answer.usage.prompt_tokens > 0
    assert llmock.statuses() == [200]


async def test_its_errors_are_retried_and_its_retry_after_is_kept(
    start_llmock: Callable[..., LLMock],
) -> None:
    llmock = start_llmock()
    llmock.fail(429, retry_after=0.2)
    llmock.fail(503)
    async with LLMClient("gpt-4o", ClientConfig(llmock.base_url)) as model:
        assert await request_structured(model, request(), RecordingBudget())
    assert llmock.statuses() == [429, 503, 200]
    assert list(llmock.answered().values()) == [1]
    assert llmock.faults() == []


def twenty_items() -> bytes:
    items = "".join(
        f"<item><title>Story {number}</title><guid>s{number}</guid><link>https://feed.example/{number}</link>"
        f"<pubDate>Mon, 02 Feb 2026 10:{number:02d}:00 GMT</pubDate>"
        f"<description>Company {number} sold {number} coins on Monday, it said.</description></item>"
        for number in range(20)
    )
    return f"<rss version='2.0'><channel><title>Stories</title>{items}</channel></rss>".encode()


@pytest.mark.parametrize("failures", [0, 3], ids=["calm", "3 of 23 requests fail"])
def test_twenty_items_are_twenty_rewritten_drafts_each_paid_once(
    start_llmock: Callable[..., LLMock],
    new_project: Callable[..., Project],
    feeds: FeedServer,
    failures: int,
) -> None:
    llmock = start_llmock(latency_ms=20)
    # A second 500 without a reason would lead to another output mode.
    for status, times in ((429, 1), (500, 1), (503, 1)) if failures else ():
        llmock.fail(status, times=times, retry_after=0.2)
    feeds.add("/stories.xml", twenty_items(), content_type="application/rss+xml")
    project = new_project({"stories": feeds.url("/stories.xml")})
    project.environ |= {"COPYDESK_MODEL": "gpt-4o", "OPENAI_BASE_URL": llmock.base_url}
    finished = call_copydesk(project, "run")
    assert finished.returncode == 0, finished.stderr
    drafts = [loads(path.read_text())[0] for path in project.drafts()]
    assert len(drafts) == 20
    assert all(draft["ai"]["rewritten"] is True and draft["ai"]["model"] == "gpt-4o" for draft in drafts)
    assert sum(llmock.answered().values()) == 20
    assert len(llmock.statuses()) == 20 + failures
