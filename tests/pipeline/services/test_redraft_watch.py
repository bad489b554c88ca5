"""Requests of editors are carried out by the process that watches for them, as soon as they are made."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
import yaml

from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import CopydeskError, DatabaseError
from pipeline.services import ingest as services
from pipeline.services.draft_file import EditorContext
from pipeline.services.redraft import request_redraft
from pipeline.services.redraft_watch import BACK, RETRY_S, RedraftWatcher, due_requests, next_retry
from pipeline.services.report import RunReport
from pipeline.services.run import Ports
from pipeline.services.shutdown import StopSwitch
from pipeline.storage import SYSTEM_EDITOR, Database, StartableRedraft
from tests.fakes.checks import ChecksHere
from tests.fakes.model_server import ModelServer, completion
from tests.fakes.stock import FEED, fill, layout
from tests.pipeline.storage.approvals import decided
from tests.pipeline.storage.conftest import open_db, postgres_migrated, postgres_server, url
from tests.pipeline.storage.records import admit, draft, item

__all__ = ["open_db", "postgres_migrated", "postgres_server", "url"]
T = TypeVar("T")
SECTION = json.dumps({"text": "The section says something else now."})


def redraft(number: int) -> StartableRedraft:
    return StartableRedraft(number, 100 + number, "one")


def report(stopped: str | None = None) -> RunReport:
    return RunReport(flow="requests", seconds=0, feeds=(), stopped=stopped, model="m", output="", desk="")


class Runs:
    """What a watcher asks for; each run lasts until it is told to end."""

    def __init__(self) -> None:
        self.pending: list[StartableRedraft] = []
        self.failures: list[Exception] = []
        self.begun: list[list[int]] = []
        self.ends: list[asyncio.Future[RunReport]] = []
        self.now = 0.0
        self.watcher = RedraftWatcher(self._startable, self._run, poll_s=0.001, clock=lambda: self.now)

    def _startable(self) -> Sequence[StartableRedraft]:
        if self.failures:
            raise self.failures.pop()
        return list(self.pending)

    async def _run(self, due: Sequence[StartableRedraft]) -> RunReport:
        self.begun.append([request.id for request in due])
        self.ends.append(asyncio.get_running_loop().create_future())
        return await self.ends[-1]

    async def wait(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.001)

    async def looks(self, count: int = 3) -> None:
        """Let the watcher look a few times."""
        await asyncio.sleep(0.001 * count + 0.02)


def test_a_request_is_due_unless_it_was_tried_a_short_while_ago() -> None:
    every = [redraft(1), redraft(2), redraft(3)]
    assert due_requests(every, {2: 10.5, 3: 10.0}, 10.0) == [every[0], every[2]]


async def test_a_request_does_not_wait_for_the_answer_to_an_earlier_one() -> None:
    runs = Runs()
    task = asyncio.create_task(runs.watcher.watch())
    runs.pending = [redraft(1), redraft(2)]
    await runs.wait(lambda: runs.begun)
    runs.pending += [redraft(3)]
    await runs.wait(lambda: len(runs.begun) == 2)
    assert runs.begun == [[1, 2], [3]], "what a run has is not begun again"
    runs.watcher.stop()
    runs.pending += [redraft(4)]
    await runs.looks()
    assert not task.done(), "it waits for the runs under way"
    for end in runs.ends:
        end.set_result(report())
    async with asyncio.timeout(60):
        await task
    assert len(runs.begun) == 2


async def test_what_a_run_left_pending_is_tried_again_after_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs()
    task = asyncio.create_task(runs.watcher.watch())
    runs.pending = [redraft(1)]
    await runs.wait(lambda: runs.begun)
    runs.ends[0].set_result(report("the key is rejected"))
    await runs.wait(lambda: "the key is rejected" in caplog.text)
    await runs.looks()
    assert runs.begun == [[1]]
    runs.pending += [redraft(2)]
    await runs.wait(lambda: len(runs.begun) == 2)
    assert runs.begun[1] == [2], "another editor's request is tried at once"
    runs.now = RETRY_S
    await runs.wait(lambda: len(runs.begun) == 3)
    assert runs.begun[2] == [1]
    assert [next_retry(at) for at in (0.0, 59.0, 60.0)] == [60.0, 60.0, 120.0], "requests are tried together"
    runs.ends[2].set_exception(CopydeskError("no such luck"))
    await runs.wait(lambda: "no such luck" in caplog.text)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert runs.ends[1].cancelled()


async def test_a_database_that_fails_is_looked_at_again_and_is_two_lines(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline.services.redraft_watch._ERROR_PAUSE_S", 0.001)
    runs = Runs()
    runs.failures = [DatabaseError("it is down")] * 20
    runs.pending = [redraft(1)]
    task = asyncio.create_task(runs.watcher.watch())
    await runs.wait(lambda: runs.begun)
    assert len(caplog.messages) == 2
    assert "it is down" in caplog.messages[0]
    assert caplog.messages[1] == BACK
    runs.failures = [DatabaseError("it is down")]
    await runs.wait(lambda: not runs.failures)
    await runs.looks()
    assert len(caplog.messages) == 2, "not twice a minute, if it fails now and then"
    runs.now = 60.0
    runs.failures = [DatabaseError("it is down")]
    await runs.wait(lambda: len(caplog.messages) == 4)
    assert caplog.messages[3] == BACK
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_requests_that_wait_for_the_same_thing_say_so_once_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ten requests, made one after the other; each look is half a minute after the one before."""
    loop, now, tries = asyncio.get_running_loop(), [0.0], list[int]()

    def startable() -> Sequence[StartableRedraft]:
        for _ in range(3):  # runs end meanwhile
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        now[0] += 30
        return [redraft(number) for number in range(min(10, int(now[0] / 30)))]

    async def carry_out(due: Sequence[StartableRedraft]) -> RunReport:
        tries.extend(request.id for request in due)
        if now[0] > 1.5 * 3600:
            raise CopydeskError("feeds.yaml is wrong")
        return report(f"the key is rejected; {len(due)} items stay queued")

    watcher = RedraftWatcher(startable, carry_out, poll_s=0.001, clock=lambda: now[0])
    task = asyncio.create_task(watcher.watch())
    async with asyncio.timeout(60):
        while now[0] < 2 * 3600:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(tries) > 100
    assert ["rejected" in line for line in caplog.messages] == [True, True, False]
    assert "feeds.yaml is wrong" in caplog.messages[2]


class Project:
    """Three drafts and an item that waits, in either database; redrafts are carried out in this process."""

    def __init__(self, settings: Settings, model: ModelServer) -> None:
        self.settings, self.model = settings, model
        self.refs = fill(settings, 3, faults=False)
        self.switch = StopSwitch()

    def request(self, db: Database, ref: str) -> None:
        self.model.enqueue(completion(SECTION))
        editor = EditorContext(db, self.settings.output, load_feeds(self.settings.feeds_file), "Ada")
        request_redraft(editor, ref, section="Overview")

    def watcher(self, db: Database) -> RedraftWatcher:
        ports = Ports(switch=self.switch, checks=ChecksHere())

        async def carry_out(due: Sequence[StartableRedraft]) -> RunReport:
            return await services.redrafts(due, ports)

        return RedraftWatcher(db.redrafts.startable, carry_out, poll_s=0.01)

    def text(self, ref: str) -> str:
        [path] = self.settings.output.glob(f"drafts/**/*-{ref[:8]}.md")
        return path.read_text(encoding="utf-8")


@pytest.fixture
def project(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    model = ModelServer()
    environ = {
        "COPYDESK_DATABASE_URL": url,
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_ALLOW_HOSTS": urlsplit(model.base_url).netloc,
        "COPYDESK_STOP_GRACE": "60",
    }
    settings = layout(tmp_path / "project", environ)
    config = yaml.safe_load(settings.feeds_file.read_text())
    config["defaults"] |= {"min_chars": 0, "full_text": "never"}
    settings.feeds_file.write_text(yaml.safe_dump(config))
    monkeypatch.chdir(settings.base)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return Project(settings, model)


async def written(db: Database, ref: str) -> None:
    async with asyncio.timeout(120):
        while (row := db.drafts.get(ref)).version != 2 or row.request is not None:
            await asyncio.sleep(0.02)


async def test_a_section_is_written_by_one_call_and_nothing_else_is_done(
    project: Project, open_db: Callable[..., Database]
) -> None:
    """Two watchers, as two processes have, and requests one after the other."""
    db = open_db()
    admit(db, item(1, text="A text of its own, which no draft of this desk has. " * 9), key=FEED)
    with project.model as model:
        tasks = [asyncio.create_task(project.watcher(db).watch()) for _ in range(2)]
        for ref in project.refs[:2]:
            project.request(db, ref)
            await written(db, ref)
            assert "something else now" in project.text(ref)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(model.received) == 2
    assert {key: backlog.total for key, backlog in db.items.backlogs(datetime.now(UTC)).items()} == {FEED: 1}
    assert db.drafts.get(project.refs[2]).version == 1


async def test_a_request_of_a_removed_feed_ends_and_its_editor_sees_why(
    project: Project, open_db: Callable[..., Database]
) -> None:
    db = open_db()
    own = db.redrafts.request(db.drafts.get(project.refs[1]), SYSTEM_EDITOR, datetime.now(UTC))
    admit(db, item(1), key=FEED)
    [lease] = db.leases.acquire(FEED, 1, 60, lease_filter="new")
    db.leases.begin_write(lease, recorded := draft(lease))
    db.leases.release([lease])
    with project.model as model:
        project.request(db, project.refs[0])
        config = yaml.safe_load(project.settings.feeds_file.read_text())
        config["feeds"][0] |= {"key": "other", "url": "https://wire.example/other"}
        project.settings.feeds_file.write_text(yaml.safe_dump(config))
        startable = db.redrafts.startable()
        assert [request.feed_key for request in startable] == [FEED]
        assert (await services.redrafts(startable, Ports(checks=ChecksHere()))).stopped is None
        assert db.redrafts.startable() == []
        assert db.redrafts.pending_ids(SYSTEM_EDITOR) == [own]
        await services.requests(Ports(checks=ChecksHere()))
        assert db.redrafts.counts() == {}
        assert model.received == []
    assert db.versions.unwritten() == {}
    assert (project.settings.output / recorded.path).read_text() == recorded.text, "it was paid for"
    reason = f"feed {FEED} is not in feeds.yaml"
    assert reason in (db.redrafts.last_finished(db.drafts.get(project.refs[0]).item_id) or ("",) * 5)[4]
    editors, ours = (db.drafts.get(ref) for ref in project.refs[:2])
    assert [reason in finding.message for finding in editors.findings if finding.kind == "redraft"] == [True]
    assert "source-updated" in {finding.kind for finding in ours.findings}
    assert (editors.version, ours.version, editors.state) == (1, 1, "drafted")


async def test_an_approval_waits_for_no_redraft_and_a_bug_in_one_stops_nothing(
    project: Project, open_db: Callable[..., Database]
) -> None:
    db, steps = open_db(), list[str]()
    config = yaml.safe_load(project.settings.feeds_file.read_text())
    config["publish"] = {"site": {"kind": "folder", "path": "site"}}
    project.settings.feeds_file.write_text(yaml.safe_dump(config))
    approved = db.drafts.get(project.refs[0])
    decided(db, approved, project.text(project.refs[0]), targets=("site",))
    db.redrafts.request(db.drafts.get(project.refs[1]), SYSTEM_EDITOR, datetime.now(UTC))

    async def as_task(name: str, step: Callable[[], Awaitable[T]], /) -> T:
        steps.append(name)
        if name.startswith("redraft"):
            raise ZeroDivisionError
        return await step()

    with project.model:
        done = await services.requests(Ports(checks=ChecksHere(), as_task=as_task))
    assert steps == ["publish site", f"redraft {FEED}"]
    assert [result.target for result in done.published] == ["site"]
    assert "ZeroDivisionError" in (done.stopped or "")


async def test_a_request_of_a_feed_under_a_new_key_goes_on(
    project: Project, open_db: Callable[..., Database]
) -> None:
    db = open_db()
    with project.model:
        project.request(db, project.refs[0])
        before = db.redrafts.startable()
        config = yaml.safe_load(project.settings.feeds_file.read_text())
        config["feeds"][0] |= {"key": "renamed", "previous_keys": [FEED]}
        project.settings.feeds_file.write_text(yaml.safe_dump(config))
        await services.redrafts(before, Ports(checks=ChecksHere()))
        [after] = db.redrafts.startable()
        assert after == before[0]._replace(feed_key="renamed")
        await services.redrafts([after], Ports(checks=ChecksHere()))
    assert db.redrafts.startable() == []
    assert "something else now" in project.text(project.refs[0])


async def test_a_stop_stores_the_answer_under_way_and_begins_nothing(
    project: Project, open_db: Callable[..., Database]
) -> None:
    db = open_db()
    project.model._latency_s = 0.3
    with project.model as model:
        watcher = project.watcher(db)
        task = asyncio.create_task(watcher.watch())
        project.request(db, project.refs[0])
        async with asyncio.timeout(60):
            while not model.received:
                await asyncio.sleep(0.005)
        watcher.stop()
        project.switch.stop()
        project.request(db, project.refs[1])
        async with asyncio.timeout(60):
            await task
    assert "something else now" in project.text(project.refs[0])
    assert len(model.received) == 1
    assert [request.item_id for request in db.redrafts.startable()] == [
        db.drafts.get(project.refs[1]).item_id
    ]


async def test_a_cancelled_redraft_can_be_begun_again_and_its_stored_answer_counts(
    project: Project, open_db: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = open_db()
    checking = asyncio.Event()

    async def hang(*_draft: object) -> None:
        checking.set()
        await asyncio.Event().wait()

    with project.model as model:
        with monkeypatch.context() as patched:
            patched.setattr(ChecksHere, "check", hang)
            task = asyncio.create_task(project.watcher(db).watch())
            project.request(db, project.refs[0])
            async with asyncio.timeout(60):
                await checking.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        calls = len(model.received)
        task = asyncio.create_task(project.watcher(db).watch())
        await written(db, project.refs[0])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(model.received) == max(1, calls), "no answer is paid for twice"
