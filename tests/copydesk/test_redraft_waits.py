"""`copydesk redraft` while another process rewrites the draft."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from copydesk.drafts import await_other_processes
from pipeline.storage import Database, DraftRow, Lease
from tests.databases import prepared
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([feed()])
        admit(opened, item(1))
        [lease] = opened.leases.acquire("one", 1, LEASE_S)
        opened.leases.begin_write(lease, draft(lease))
        opened.leases.confirm_write(lease)
        yield opened


def take(db: Database) -> tuple[DraftRow, int, Lease]:
    """Request a redraft, and lease its item as another process does."""
    [row] = db.drafts.list()
    number = db.redrafts.request(row, "Ada", NOW)
    [lease] = db.leases.acquire("one", 1, LEASE_S, lease_filter="asked")
    return row, number, lease


def once(step: Callable[[], object]) -> Callable[[float], None]:
    """Return a `sleep` in which the other process takes its step."""
    steps = [step]

    def sleep(_seconds: float) -> None:
        steps.pop()()

    return sleep


@pytest.mark.parametrize(
    ("step", "end"),
    [
        (lambda db, lease: db.leases.keep_current(lease, "it refuses"), "was not rewritten: it refuses"),
        (lambda db, lease: db.leases.release([lease]), "waits for the next `copydesk run`."),
        (lambda db, lease: db.leases.confirm_write(lease), "was rewritten by another process."),
    ],
)
def test_what_the_other_process_does_is_waited_for_and_said(
    db: Database, capsys: pytest.CaptureFixture[str], step: Callable[[Database, Lease], object], end: str
) -> None:
    row, number, lease = take(db)
    await_other_processes(db, {number: row.path}, sleep=once(lambda: step(db, lease)))
    said, after = capsys.readouterr().out.splitlines()
    assert said == f"Another process is rewriting {row.path}. Waiting; Ctrl-C leaves it to that process."
    assert after == f"{row.path} {end}"


def test_an_erased_request_is_not_waited_for(db: Database, capsys: pytest.CaptureFixture[str]) -> None:
    await_other_processes(db, {999: "drafts/x.md"})
    assert capsys.readouterr().out == ""
