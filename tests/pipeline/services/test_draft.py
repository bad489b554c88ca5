"""Drafting a feed's queue with a scripted model: results, and the effect of each kind of error."""

import asyncio
import contextlib
import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline.articles.front_matter import loads
from pipeline.domain.errors import CopydeskError, DatabaseError, LLMError, LLMRejected, ShutdownRequested
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.http_client import HttpClient
from pipeline.llm.chat import ChatResponse, FinishReason
from pipeline.services.draft import draft_feed
from pipeline.storage import Database
from tests.fakes.model_server import article
from tests.pipeline.services.desk import GOOD, Scripted, run_context
from tests.pipeline.storage.records import NOW, admit, feed, item

LATER = NOW + timedelta(hours=1)


def states(db: Database) -> dict[str, int]:
    return db.feeds.item_counts()["one"]


async def test_a_queue_is_drafted_and_drafted_once(db: Database, net: HttpClient, tmp_path: Path) -> None:
    model = Scripted()
    desk = run_context(db, net, tmp_path, model)
    outcomes = await draft_feed(desk, feed(), 9)
    assert len([outcome for outcome in outcomes if outcome.path and outcome.model]) == 5
    assert await draft_feed(desk, feed(), 9) == []
    assert model.call_count == 5


async def test_a_hostile_headline_is_written_without_its_markup_and_found(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    hostile = "<b>Zero-day</b> in <script>alert(1)</script> wallet, see bad.com"
    admit(db, item(9, title=hostile, published_at=LATER, text="Example Corp mined 1,250 coins in May."))
    answer = article(
        overview="Coins <img src=x onerror=alert(2)> were mined.", category="NEWS", tags=["NEWS"]
    )
    [outcome] = await draft_feed(run_context(db, net, tmp_path, Scripted(json.dumps(answer))), feed(), 1)
    assert outcome.path
    row = db.drafts.get(outcome.path)
    metadata, _ = loads(row.version_text)
    assert metadata["title"] == "Zero-day in wallet, see bad.com"
    assert metadata["description"] == "Coins were mined."
    assert "script" not in outcome.path
    assert row.title == hostile, "the item is as its feed has it"
    assert "overlap" in {finding.kind for finding in row.findings if finding.field == "title"}
    [finding] = [
        finding for finding in row.findings if finding.field == "title" and finding.kind != "overlap"
    ]
    assert (finding.kind, metadata["title"][slice(*finding.span or (0, 0))]) == ("injection", "bad.com")
    assert outcome.held


async def test_one_items_error_does_not_affect_others(db: Database, net: HttpClient, tmp_path: Path) -> None:
    model = Scripted(LLMError("stalled", retry=True), LLMError("refused", retry=False), "no JSON")
    outcomes = await draft_feed(run_context(db, net, tmp_path, model), feed(), 9)
    assert sorted(bool(outcome.path) for outcome in outcomes) == [False, False, True, True, True]
    assert states(db) == {"drafted": 3, "failed": 1, "seen": 1}, "a useless answer was mended at once"
    assert (model.call_count, len(db.budget.calls_since(None))) == (6, 4)
    again = await draft_feed(run_context(db, net, tmp_path, model), feed(), 9)
    assert len(again) == 1, "what may fare better is tried again"
    assert states(db) == {"drafted": 4, "failed": 1}


async def test_a_refused_key_ends_the_run_and_loses_nothing(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    model = Scripted(*[LLMRejected("the key is refused: set OPENAI_API_KEY")] * 5)
    desk = run_context(db, net, tmp_path, model)
    desk.writers(feed())[0].item_slots = asyncio.Semaphore(1)
    assert await draft_feed(desk, feed(), 9) == []
    assert model.call_count == 1
    assert [type(error) for error in desk.fatal_errors] == [LLMRejected]
    assert states(db) == {"seen": 5}
    assert len(await draft_feed(run_context(db, net, tmp_path, Scripted()), feed(), 9)) == 5


async def test_what_an_ending_run_did_not_ask_for_waits_untouched(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    model = Scripted(*[ShutdownRequested("the run ends before this request is sent")] * 5)
    assert await draft_feed(run_context(db, net, tmp_path, model), feed(), 9) == []
    assert states(db) == {"seen": 5}
    assert len(await draft_feed(run_context(db, net, tmp_path, Scripted()), feed(), 9)) == 5


async def test_unfinished_items_are_released_after_the_grace_time(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    class Silent(Scripted):
        async def send(self, body: dict[str, Any], **limits: object) -> ChatResponse:
            if self.call_count == 2:
                desk.fatal_errors.append(ShutdownRequested("told to end"))
                desk.grace_expired.set()
                await asyncio.Event().wait()
            return await super().send(body, **limits)

    desk = run_context(db, net, tmp_path, Silent())
    desk.writers(feed())[0].item_slots = asyncio.Semaphore(1)
    outcomes = await draft_feed(desk, feed(), 9)
    assert [bool(outcome.path) for outcome in outcomes] == [True, True]
    assert states(db) == {"drafted": 2, "seen": 3}
    assert len(await draft_feed(run_context(db, net, tmp_path, Scripted()), feed(), 9)) == 3


async def test_an_answer_outlives_a_folder_that_cannot_be_written(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    (tmp_path / "output").write_text("in the way")
    model = Scripted()
    desk = run_context(db, net, tmp_path, model)
    await draft_feed(desk, feed(), 9)
    assert desk.fatal_errors
    assert desk.fatal_errors[0].exit_code == 5
    calls = model.call_count
    assert states(db).get("answered") == calls
    (tmp_path / "output").unlink()
    outcomes = await draft_feed(run_context(db, net, tmp_path, model), feed(), 9)
    assert (model.call_count, states(db)) == (5, {"drafted": 5})
    assert all(outcome.model for outcome in outcomes), "a recorded text is its model's, and no offline brief"


async def test_a_ledger_that_fails_ends_the_run(db: Database, net: HttpClient, tmp_path: Path) -> None:
    model = Scripted(cast(Exception, DatabaseError("ledger x: the disk is full; free some space")))
    desk = run_context(db, net, tmp_path, model)
    await draft_feed(desk, feed(), 9)
    assert desk.fatal_errors[0].exit_code == 3


async def test_an_unexpected_error_is_raised_after_the_other_items(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    model = Scripted(ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await draft_feed(run_context(db, net, tmp_path, model), feed(), 9)
    assert states(db) == {"drafted": 4, "seen": 1}


async def test_an_unforeseen_error_is_the_feeds_own_in_the_report(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    from pipeline.services.ingest import _report

    desk = run_context(db, net, tmp_path, Scripted())
    report = _report(desk, feed(), ValueError("a bug"))
    assert "one" in str(report.error)
    assert "a bug" in str(report.error)
    assert [error.exit_code for error in desk.fatal_errors] == [CopydeskError.exit_code]


async def test_an_unusable_answer_is_kept_and_counted(db: Database, net: HttpClient, tmp_path: Path) -> None:
    used = TokenUsage(prompt_tokens=1000, completion_tokens=4000)
    model = Scripted(*[ChatResponse(text='{"over', finish_reason=FinishReason.LENGTH, usage=used)] * 2)
    [outcome] = await draft_feed(run_context(db, net, tmp_path, model), feed(), 1)
    assert (outcome.prompt_tokens, outcome.completion_tokens) == (2000, 8000)
    assert [body["max_tokens"] for body in model.bodies] == [4096, 16384]
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        answers = database.execute("SELECT answer, completion_tokens, unusable FROM calls").fetchall()
    assert answers == [('{"over', 4000, "the answer was cut off at the length limit")] * 2
    assert states(db)["failed"] == 1, "asking a third time would be blind"


async def test_an_item_without_a_readable_answer_waits_for_a_later_run(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    model = Scripted("Sure!", "Sure!")
    [outcome] = await draft_feed(run_context(db, net, tmp_path, model), feed(), 1)
    assert "it is not JSON" in str(outcome.reason)
    assert (model.call_count, states(db)) == (2, {"seen": 5})
    [outcome] = await draft_feed(run_context(db, net, tmp_path, Scripted()), feed(), 1)
    assert outcome.path


@pytest.mark.parametrize("crash", [False, True])
async def test_what_was_read_leniently_is_noted_on_the_call(
    db: Database, net: HttpClient, tmp_path: Path, crash: bool
) -> None:
    if crash:  # before the stored answer was read
        [lease] = db.leases.acquire("one", 1, -1.0)
        db.budget.record(
            lease, LLMResponse(text=f"```\n{GOOD}\n```", provenance=Provenance(rewritten=True, model="m"))
        )
    model = Scripted(f"```\n{GOOD}\n```")
    await draft_feed(run_context(db, net, tmp_path, model), feed(), 2)
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as database:
        notes = database.execute("SELECT notes FROM calls ORDER BY id").fetchall()
    missing = "`title` was missing\n`description` was missing"
    fenced = f"code fence\n{missing}"
    assert notes == [(fenced,), (fenced if crash else missing,)]


def test_feed_text_is_inert_in_the_report() -> None:
    from flows.runtime import _cell

    shown = _cell("![x](https://evil.example/p.png) [a](javascript:alert(1)) <b> a\\|b")
    assert not re.search(r"(?<!\\)[\[\]()<>|]", shown.replace("\\\\", ""))
