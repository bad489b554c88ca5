"""The trials that need PostgreSQL: several processes, and whatever runs being killed."""

import pytest

from tests.benchmarks.small import table
from tests.pipeline.storage.postgres import programs

pytestmark = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


def test_several_processes_share_a_queue() -> None:
    [head, *rows] = table(
        "scaling", "--items", "60", "--in-flight", "5", "--latency", "0.2", "--processes", "2"
    )
    for row in rows:
        told = dict(zip(head, row, strict=True))
        assert (told["drafted twice"], told["paid answers"]) == ("0", "60 for 60")


def test_what_is_killed_loses_nothing() -> None:
    rows = table("chaos", "--items", "60", "--kills", "3", "--latency", "0.5", "--pause", "1", "3")
    assert rows[-1] == ["every bar is met"]


def test_the_ledger_on_postgresql() -> None:
    assert table("ledger", "--sizes", "300", "--postgresql")[0] == ["ms", "300"]
