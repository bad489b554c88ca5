"""The benchmarks still run, and measure what they say; how long anything takes is nobody's business here."""

from tests.benchmarks.small import table
from tests.fakes.feed_server import several_hosts


def test_the_real_flow_beside_a_bare_loop() -> None:
    head, figures, memory = table("throughput", "--items", "30", "--in-flight", "10", "--latency", "0.1")
    told = dict(zip(head, figures, strict=True))
    assert (told["drafted"], told["paid for each"]) == ("30", "1.000")
    assert memory[0].startswith("MB")


def test_with_faults_few_items_wait_for_another_run() -> None:
    """An answer that was lost twice may have been paid for twice: it is not asked for once more."""
    head, figures, _ = table("throughput", "--items", "30", "--latency", "0.1", "--faults", "0.2")
    assert 25 <= int(dict(zip(head, figures, strict=True))["drafted"]) <= 30


def test_three_processes_on_sqlite_meet_no_lock() -> None:
    rows = table("sqlite", "--minutes", "0.1")
    assert [row[2].split()[0] for row in rows[1:]] == ["0"] * 3
    assert all(int(row[1]) > 0 for row in rows[1:])


def test_the_ledgers_questions() -> None:
    rows = table("ledger", "--sizes", "300", "600")
    assert rows[0] == ["ms", "300", "600"]
    assert {"claim 20, give back", "metrics for Prometheus"} <= {row[0] for row in rows}


def test_what_serving_costs_while_nothing_happens() -> None:
    rows = table("idle", "--minutes", "0.1", "--feeds", "2")
    assert rows[0][1] == "ours, % of a core"
    assert len(rows) > 5


def test_calls() -> None:
    rows = table("calls", "--items", "20", "--latency", "0.1", "--rounds", "1")
    assert rows[-1][0].startswith("median ratio")


@several_hosts
def test_lanes() -> None:
    head, figures, *_ = table("lanes", "--items", "2", "--delay", "0.1", "--latency", "0.1")
    assert dict(zip(head, figures, strict=True))["drafted"] == "8"
