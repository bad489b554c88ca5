"""A backup during a run is consistent; the restored run continues and pays for no answer twice."""

import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.articles.front_matter import loads
from pipeline.storage import Database
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk
from tests.end_to_end.test_interrupted_runs import ITEMS, rss
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

IN_FLIGHT = 4


def in_the_midst(project: Project, model: ModelServer, archive: Path) -> None:
    """Save a backup while a run is under way, and kill the run after it."""
    process = run_copydesk(project, "run", wait=False)
    deadline = time.monotonic() + 300
    while len(model.answered) < 8 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    saved = call_copydesk(project, "backup", "save", str(archive))
    assert saved.returncode == 0, saved.stderr
    assert "and the database" in saved.stdout
    process.kill()
    process.wait(120)


def test_a_backup_of_a_run_is_restored_and_continued(
    new_project: Callable[..., Project], feeds: FeedServer, tmp_path: Path
) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    project = new_project({"stories": feeds.url("/stories.xml")}, max_items=ITEMS)
    archive = tmp_path / "backup.tar.gz"
    with ModelServer(latency_s=0.2) as model:
        project.environ |= {
            "COPYDESK_MODEL": "m",
            "OPENAI_BASE_URL": model.base_url,
            "COPYDESK_MAX_IN_FLIGHT": str(IN_FLIGHT),
        }
        in_the_midst(project, model, archive)
        (project.folder / "output").rename(tmp_path / "lost")
        (project.folder / ".copydesk").rename(tmp_path / "lost-ledger")
        paid = len(model.answered)

        restored = call_copydesk(project, "backup", "restore", str(archive))
        assert restored.returncode == 0, restored.stderr
        with Database.open(f"sqlite:///{project.folder / '.copydesk/ledger.db'}") as db:
            recorded = len(db.budget.calls_since(None))
            waiting = {row.path for row in db.drafts.list()}
            filed = set(db.files.expected())
        on_disk = {path.relative_to(project.folder / "output").as_posix() for path in project.drafts()}
        # The next run writes what was only meant to be written.
        assert waiting <= on_disk <= filed

        finished = call_copydesk(project, "run")
        assert finished.returncode == 0, finished.stderr
        # Only what was answered after the backup is paid for again, and what the killed run asked last.
        assert ITEMS - recorded <= len(model.answered) - paid <= ITEMS - recorded + IN_FLIGHT
    names = [loads(path.read_text())[0]["externalId"] for path in project.drafts()]
    assert len(names) == len(set(names)) == ITEMS


def test_existing_files_are_not_overwritten(
    new_project: Callable[..., Project], feeds: FeedServer, tmp_path: Path
) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    project = new_project({"stories": feeds.url("/stories.xml")}, max_items=2)
    assert call_copydesk(project, "run").returncode == 0
    archive = tmp_path / "backup.tar.gz"
    assert call_copydesk(project, "backup", "save", str(archive)).returncode == 0
    again = call_copydesk(project, "backup", "save", str(archive))
    assert (again.returncode, "exists; name another file" in again.stderr) == (2, True)
    refused = call_copydesk(project, "backup", "restore", str(archive))
    assert refused.returncode == 6
    assert "ledger.db exists already; move it away first" in refused.stderr
    (project.folder / ".copydesk/ledger.db").unlink()
    refused = call_copydesk(project, "backup", "restore", str(archive))
    assert "has articles already" in refused.stderr


def test_an_invalid_archive_or_path_is_an_error(new_project: Callable[..., Project], tmp_path: Path) -> None:
    project = new_project({})
    archive = tmp_path / "backup.tar.gz"
    archive.write_bytes(b"no archive")
    refused = call_copydesk(project, "backup", "restore", str(archive))
    assert (refused.returncode, "is not a backup" in refused.stderr) == (5, True)
    evil = tmp_path / "evil.md"
    evil.write_text("evil")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(evil, "output/../../evil.md")
    refused = call_copydesk(project, "backup", "restore", str(archive))
    assert (refused.returncode, "set COPYDESK_DATABASE_URL to that database" in refused.stderr) == (6, True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(evil, "output/../../evil.md")
        tar.add(evil, "ledger.db")
    refused = call_copydesk(project, "backup", "restore", str(archive))
    assert (refused.returncode, "is no path below" in refused.stderr) == (5, True)
    assert not (project.folder / ".copydesk/ledger.db").exists()
    assert not (project.folder.parent / "evil-project").exists()
    assert list(project.folder.rglob("evil.md")) == []
