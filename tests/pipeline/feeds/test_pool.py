"""Worker processes: results, errors, limits of time and memory."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain.errors import FeedError
from pipeline.feeds.pool import ParsePool

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://feeds.example/f"
ROOT = Path(__file__).parents[3]
FEED = b"<rss version='2.0'><channel><title>Daily</title><item><title>A story</title></item></channel></rss>"
PAGE = (
    b"<html><body><article><p>"
    + b"The port will close its northern basin for weeks. " * 12
    + b"</p></article>"
)
DENSE = b"<rss version='2.0'><channel>%s</channel></rss>" % (
    b"<item><title>A title</title><description>%s</description></item>"
    % (b"&lt;p&gt;x&lt;/p&gt;" * 100)
    * 2_000
)
COSTLY = b"<rss version='2.0'><channel>%s</channel></rss>" % (b"<item><title>A title</title></item>" * 20_000)


async def test_a_feed_and_a_page_come_back_as_they_are_read() -> None:
    async with ParsePool(1) as pool:
        feed = await pool.parse(FEED, "application/rss+xml", URL, NOW)
        assert (feed.title, [item.title for item in feed.items]) == ("Daily", ["A story"])
        assert "northern basin" in (await pool.extract(PAGE, "text/html", URL, None)).text


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")
async def test_a_worker_has_no_api_key_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    async with ParsePool(1) as pool:
        await pool.parse(FEED, None, URL, NOW)
        [worker] = pool._pool.workers
        assert b"sk-secret" not in Path(f"/proc/{worker._process.pid}/environ").read_bytes()


async def test_an_error_comes_back_as_it_was_raised() -> None:
    async with ParsePool(1) as pool:
        with pytest.raises(FeedError, match=r"feeds\.example/f is empty") as caught:
            await pool.parse(b"", None, URL, NOW)
        assert caught.value.kind == "empty"
        with pytest.raises(FeedError, match="no CSS selector") as caught:
            await pool.extract(PAGE, "text/html", URL, "p[")
        assert caught.value.kind == "selector"


async def test_a_document_over_the_cpu_limit_ends_only_its_own_worker() -> None:
    async with ParsePool(1, cpu_s=0.3) as pool:
        costly = asyncio.create_task(pool.parse(DENSE, None, URL, NOW))
        await asyncio.sleep(0)
        assert len((await pool.parse(FEED, None, URL, NOW)).items) == 1, (
            "a neighbour that waited for its turn"
        )
        with pytest.raises(FeedError, match=r"feeds\.example/f takes more time or memory to read") as caught:
            await costly
        assert caught.value.kind == "too-costly"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux alone")
async def test_a_document_over_the_memory_limit_is_an_error_and_the_next_is_read() -> None:
    async with ParsePool(1, memory=20_000_000) as pool:
        with pytest.raises(FeedError, match=r"feeds\.example/f takes more time or memory") as caught:
            await pool.parse(COSTLY * 20, None, URL, NOW)
        assert caught.value.kind == "too-costly"
        assert len((await pool.parse(FEED, None, URL, NOW)).items) == 1


async def test_an_unexpected_error_does_not_blame_the_document() -> None:
    async with ParsePool(1) as pool:
        with pytest.raises(FeedError, match="unexpected trouble, please report it: KeyError") as caught:
            await pool._run({"what": "parse", "url": URL}, FEED)  # a job without its time
        assert caught.value.kind == "unexpected"
        assert len((await pool.parse(FEED, None, URL, NOW)).items) == 1


async def test_lone_surrogates_come_back_as_text() -> None:
    half = '"\\ud800"'
    names = ("id", "url", "title", "content_text", "summary", "image", "date_published", "language", "tags")
    each = ", ".join(f'"{name}": {f"[{half}]" if name == "tags" else half}' for name in names)
    body = (
        f'{{"version": "https://jsonfeed.org/version/1", "title": {half}, "items": [{{{each}, "authors": '
        f'[{{"name": {half}}}], "attachments": [{{"url": {half}, "mime_type": {half}}}]}}]}}'
    )
    page = PAGE.replace(b"<body>", b"<body><script type='application/ld+json'>{\"@type\": \"Article\", "
                        b"\"headline\": \"\\ud800\", \"author\": \"\\udfff\"}</script>")  # fmt: skip
    async with ParsePool(1) as pool:
        await pool.parse(body.encode(), None, URL, NOW)
        assert "northern basin" in (await pool.extract(page, "text/html", URL, None)).text


async def test_a_caller_that_gives_up_leaves_the_pool_usable() -> None:
    async with ParsePool(1) as pool:
        await pool.parse(FEED, None, URL, NOW)
        waiting = asyncio.create_task(pool.parse(COSTLY, None, URL, NOW))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert len((await pool.parse(FEED, None, URL, NOW)).items) == 1


async def test_a_worker_that_somebody_killed_is_replaced() -> None:
    async with ParsePool(1) as pool:
        await pool.parse(FEED, None, URL, NOW)
        [worker] = pool._pool.workers
        os.kill(worker._process.pid, signal.SIGKILL)
        await worker._process.wait()
        assert len((await pool.parse(FEED, None, URL, NOW)).items) == 1


ORPHAN = """
import asyncio, os, sys
from datetime import UTC, datetime
from pipeline.feeds.pool import ParsePool
async def main():
    async with ParsePool(1) as pool:
        now = datetime.now(UTC)
        await pool.parse(b"<rss version='2.0'><channel/></rss>", None, "https://f.example/", now)
        [worker] = pool._pool.workers
        print(worker._process.pid, flush=True)
        os.kill(os.getpid(), 9)
asyncio.run(main())
"""


def test_workers_end_with_their_parent_however_that_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    deadline = time.monotonic() + 300
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())


def test_a_worker_imports_no_heavy_packages() -> None:
    heavy = "{'prefect', 'sqlalchemy', 'httpx', 'aiohttp', 'openai'}"
    code = (
        f"import sys, pipeline.feeds.worker, pipeline.feeds.parsing.parse; print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "set()"
