"""A run against a llama.cpp server, where the machine has one.

COPYDESK_TEST_LLAMA is the command that starts it, without the port, for example
`llama-server -m model.gguf -c 16384 --parallel 2 --port`.
"""

import json
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from pipeline.articles.front_matter import loads
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, free_port
from tests.fakes.feed_server import FeedServer
from tests.fakes.pages import rss

COMMAND = os.environ.get("COPYDESK_TEST_LLAMA", "")
pytestmark = [
    pytest.mark.soak,
    pytest.mark.process,
    pytest.mark.skipif(not COMMAND, reason="COPYDESK_TEST_LLAMA names no llama.cpp server"),
]
START_S = 120


class Server(NamedTuple):
    url: str
    model: str


@pytest.fixture
def server() -> Iterator[Server]:
    port = free_port()
    process = subprocess.Popen(
        [*shlex.split(COMMAND), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url, models = f"http://127.0.0.1:{port}/v1", list[str]()
    try:
        for _ in range(START_S * 10):
            if (models := _models(url)) or process.poll() is not None:
                break
            time.sleep(0.1)
        assert models, f"the server of COPYDESK_TEST_LLAMA did not start within {START_S} s"
        yield Server(url, models[0])
    finally:
        process.terminate()
        process.wait()


def _models(url: str) -> list[str]:
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=5) as answer:
            return [str(each["id"]) for each in json.load(answer)["data"]]
    except (urllib.error.URLError, ConnectionError):
        return []


def test_a_small_model_writes_drafts_or_its_items_wait_for_another(
    server: Server, new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/feed", rss([20, 19]), content_type="application/rss+xml")
    project = new_project({"one": feeds.url("/feed")})
    project.environ |= {
        "COPYDESK_MODEL": server.model,
        "OPENAI_BASE_URL": server.url,
        "COPYDESK_VERIFIER": "default",
        "COPYDESK_PRICE": "0/0",
        "COPYDESK_MAX_TOKENS": "400",
        "COPYDESK_MODEL_TIMEOUT": "300",
        "COPYDESK_MODEL_DEADLINE": "900",
        "COPYDESK_PREFECT": "off",
    }
    finished = call_copydesk(project, "run", "--json")
    report: dict[str, Any] = json.loads(finished.stdout)
    [feed] = report["feeds"]
    drafts = [loads(path.read_text())[0] for path in project.drafts()]
    assert all(draft["ai"]["rewritten"] is True for draft in drafts)
    assert len(drafts) + feed["queued"] + len(feed["failed"]) >= 2, "no item is lost"
    assert finished.returncode in (0, 4)
    calls = json.loads(call_copydesk(project, "cost", "--by", "purpose", "--json").stdout)
    writing = sum(row["answers"] for row in calls if not row["purpose"].startswith("verify"))
    assert 1 <= writing <= 4, "two paid answers an item at most"
    assert all(row["prompt"] > 0 for row in calls)
