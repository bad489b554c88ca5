"""Several processes on one database with a spending cap: it holds, no item is lost, the next day works."""

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
from pipeline.services.draft import draft_feed
from pipeline.storage import Database
from tests.databases import prepared
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
        with Database.open(url) as db:
            price = Price("fake-1", base_url, RATES)
            desk = run_context(db, net, folder, model, now=now, price=price, cap_day=cap)
            while not desk.fatal_errors and await draft_feed(desk, feed(), 10):
                pass
            return [type(error) for error in desk.fatal_errors]


def _process(url: str, base_url: str, folder: Path, now: datetime, cap: Decimal) -> None:
    assert set(asyncio.run(_draft(url, base_url, folder, now, cap))) == {BudgetExceeded}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return prepared(f"sqlite:///{tmp_path / 'shared.db'}")


def _waiting(db: Database, count: int) -> None:
    db.feeds.sync([feed()])
    admit(db, *(item(number) for number in range(count)))


async def test_two_runs_keep_one_cap_and_the_next_day_goes_on(tmp_path: Path, url: str) -> None:
    with ModelServer() as server, Database.open(url) as db:
        server.usage = USED
        _waiting(db, 16)
        arguments = (url, server.base_url, tmp_path)
        ended = await asyncio.gather(*(_draft(*arguments, NOW, CAP / 4) for _ in range(2)))
        assert {kind for kinds in ended for kind in kinds} == {BudgetExceeded}
        spent = sum(call.micros or 0 for call in db.budget.calls_since(None))
        assert server.requests * ARTICLE == spent <= 10 * ARTICLE
        assert db.feeds.item_counts()["one"]["drafted"] == server.requests > 0
        assert await _draft(*arguments, NOW + timedelta(days=1), CAP) == []
        assert db.feeds.item_counts() == {"one": {"drafted": 16}}
        assert server.requests == 16, "none was paid for twice"


@pytest.mark.soak
@pytest.mark.process
def test_four_processes_keep_one_cap_and_the_next_day_goes_on(tmp_path: Path, url: str) -> None:
    """As `test_two_runs_keep_one_cap_and_the_next_day_goes_on`, in processes apart."""
    with ModelServer() as server, Database.open(url) as db:
        server.usage = USED
        _waiting(db, 200)
        context = multiprocessing.get_context("spawn")
        arguments = (url, server.base_url, tmp_path, NOW, CAP)
        workers = [context.Process(target=_process, args=arguments) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
        spent = sum(call.micros or 0 for call in db.budget.calls_since(None))
        states = db.feeds.item_counts()["one"]
        assert server.requests * ARTICLE == spent <= 40 * ARTICLE
        assert states["drafted"] == server.requests >= 36, "the cap is used, too"
        assert states["drafted"] + states["seen"] == 200, "what waits, waits"
        tomorrow = NOW + timedelta(days=1)
        assert asyncio.run(_draft(url, server.base_url, tmp_path, tomorrow, CAP * 10)) == []
        assert db.feeds.item_counts() == {"one": {"drafted": 200}}
        assert server.requests == 200, "none was paid for twice"
