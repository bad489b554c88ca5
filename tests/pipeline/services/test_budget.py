"""Several processes on one ledger with a cap: no more is spent, nothing is lost, the next day goes on."""

import asyncio
import multiprocessing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.errors import BudgetExceeded
from pipeline.http_client import HttpClient
from pipeline.llm.client import ClientConfig, LLMClient
from pipeline.llm.pricing import Price, Rates
from pipeline.services import draft_feed
from pipeline.storage import Ledger
from tests.fakes.model_server import ModelServer
from tests.pipeline.services.desk import run_context
from tests.pipeline.storage.records import NOW, admit, feed, item

USED = {"prompt_tokens": 1000, "completion_tokens": 400}
RATES = Rates(Decimal(1), Decimal(1), Decimal(4))
ARTICLE = 1000 + 400 * 4
"""Millionths of a dollar."""
CAP = Decimal(40 * ARTICLE) / 1_000_000


async def _draft(url: str, base_url: str, folder: Path, now: datetime, cap: Decimal) -> list[type]:
    async with HttpClient("test") as net, LLMClient("fake-1", ClientConfig(base_url)) as model:
        with Ledger.open(url) as ledger:
            price = Price("fake-1", base_url, RATES)
            desk = run_context(ledger, net, folder, model, now=now, price=price, cap_day=cap)
            while not desk.stop and await draft_feed(desk, feed(), 10):
                pass
            return [type(error) for error in desk.stop]


def _process(url: str, base_url: str, folder: Path, now: datetime, cap: Decimal) -> None:
    assert set(asyncio.run(_draft(url, base_url, folder, now, cap))) == {BudgetExceeded}


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_four_processes_keep_one_cap_and_the_next_day_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with ModelServer() as server, Ledger.open(url) as ledger:
        server.usage = USED
        ledger.sync_feeds([feed()])
        admit(ledger, *(item(number) for number in range(200)))
        context = multiprocessing.get_context("spawn")
        arguments = (url, server.base_url, tmp_path, NOW, CAP)
        workers = [context.Process(target=_process, args=arguments) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        spent = sum(call.micros or 0 for call in ledger.calls_since(None))
        states = ledger.counts()["one"]
        assert server.requests * ARTICLE == spent <= 40 * ARTICLE
        assert states["drafted"] == server.requests >= 36, "the cap is used, too"
        assert states["drafted"] + states["seen"] == 200, "what waits, waits"
        tomorrow = NOW + timedelta(days=1)
        assert asyncio.run(_draft(url, server.base_url, tmp_path, tomorrow, CAP * 10)) == []
        assert ledger.counts() == {"one": {"drafted": 200}}
        assert server.requests == 200, "none was paid for twice"
