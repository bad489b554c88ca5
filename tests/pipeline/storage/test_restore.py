"""A restore of files that are older than the ledger: they are brought to what it knows, edits are kept."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from copydesk.backup import _require_database
from pipeline.articles import files
from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import loads
from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services import review
from pipeline.services.backup import create_backup, reconcile_database, restore_files, verify_backup
from pipeline.services.draft_file import EditorContext
from pipeline.services.edit import DraftEdit, save_edit, start_revision
from pipeline.storage import Database
from tests.fakes.stock import FEED, fill, layout
from tests.pipeline.storage.records import admit, draft, item


def now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """A newsroom of twelve drafts, and its editor."""

    def __init__(self, folder: Path, url: str) -> None:
        self.settings: Settings = layout(folder, {"COPYDESK_DATABASE_URL": url})
        self.refs = fill(self.settings, 12, faults=False)
        self.db = Database.open(url)
        self.root = self.settings.output
        self.ctx = EditorContext(self.db, self.root, load_feeds(self.settings.feeds_file), "Ada")

    def decide(self, number: int, decision: ReviewDecision) -> str:
        return review.submit_review(self.ctx, self.refs[number], decision, note="n", light=True)

    def undo(self, number: int) -> str:
        return review.undo_review(self.ctx, self.refs[number])

    def tree(self) -> dict[str, str]:
        """Return every article on disk, by path."""
        paths = sorted(self.root.rglob("*.md"))
        return {path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8") for path in paths}

    def edit(self, number: int, title: str) -> None:
        text = self.path(number).read_text(encoding="utf-8")
        metadata, body = loads(text)
        changes = DraftEdit(
            title=title, description="What it is about.", category=metadata["category"],
            tags=tuple(metadata["tags"]), sentiment=Sentiment(metadata["sentiment"]),
            sticky_weight=0, body=body,
        )  # fmt: skip
        save_edit(self.ctx, self.refs[number], changes, (), base=files.sha256_of(text.encode()))

    def path(self, number: int) -> Path:
        return self.root / self.db.drafts.get(self.refs[number]).path

    def lose(self) -> None:
        shutil.rmtree(self.root)


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Iterator[Desk]:
    desk = Desk(tmp_path / "project", url)
    with desk.db:
        yield desk


def test_files_are_brought_to_what_the_ledger_knows(desk: Desk, tmp_path: Path) -> None:
    for number in (4, 5, 6, 7):
        desk.decide(number, ReviewDecision.APPROVE)
    desk.decide(8, ReviewDecision.REJECT)
    desk.edit(9, "Edited before")
    create_backup(desk.db, desk.root, tmp_path / "backup.tar.gz")

    desk.decide(0, ReviewDecision.APPROVE)
    desk.decide(1, ReviewDecision.REJECT)
    desk.edit(2, "Edited since")
    forgotten = desk.db.drafts.get(desk.refs[3]).item.canonical
    review.erase_item(desk.db, desk.root, str(forgotten), now())
    desk.undo(4)
    start_revision(desk.ctx, desk.refs[5])
    desk.edit(5, "Revised")
    start_revision(desk.ctx, desk.refs[6])
    desk.edit(6, "Revised and approved")
    desk.decide(6, ReviewDecision.APPROVE)
    start_revision(desk.ctx, desk.refs[7])
    desk.decide(7, ReviewDecision.REJECT)
    desk.undo(8)
    desk.edit(8, "Taken back and edited")
    desk.edit(9, "Edited again")
    desk.decide(9, ReviewDecision.APPROVE)
    fill(desk.settings, 2, first=12)
    then = desk.tree()

    desk.lose()
    restore_files(tmp_path / "backup.tar.gz", desk.root, None)
    assert desk.tree() != then
    amended = reconcile_database(desk.db, desk.root)
    assert desk.tree() == then
    assert len(amended.left_out) == len({0, 1, 3, 4, 8, 9})
    assert reconcile_database(desk.db, desk.root) == ([], [])


def test_what_an_editor_wrote_past_the_ledger_stays(desk: Desk, tmp_path: Path) -> None:
    path = desk.path(0)
    path.write_text(path.read_text(encoding="utf-8") + "By hand.\n", encoding="utf-8")
    desk.decide(1, ReviewDecision.APPROVE)
    site = desk.path(1)
    site.write_text(site.read_text(encoding="utf-8") + "By hand.\n", encoding="utf-8")
    then = desk.tree()
    create_backup(desk.db, desk.root, tmp_path / "backup.tar.gz")
    desk.lose()
    restore_files(tmp_path / "backup.tar.gz", desk.root, None)
    assert reconcile_database(desk.db, desk.root) == ([], [])
    assert desk.tree() == then


def test_what_a_run_has_still_to_write_is_left_to_it(desk: Desk, tmp_path: Path) -> None:
    admit(desk.db, item(1), key=FEED)
    [lease] = desk.db.leases.acquire(FEED, 1, 900.0)
    intended = draft(lease)
    desk.db.leases.begin_write(lease, intended)
    files.write_atomically(desk.root, intended.path, intended.text.encode())
    then = desk.tree()
    assert intended.path in then
    create_backup(desk.db, desk.root, tmp_path / "backup.tar.gz")
    desk.lose()
    restore_files(tmp_path / "backup.tar.gz", desk.root, None)
    assert reconcile_database(desk.db, desk.root) == ([], [])
    assert desk.tree() == then


@pytest.mark.parametrize("kept", [0.2, 0.9, 0.999])
def test_a_cut_off_archive_is_refused(desk: Desk, tmp_path: Path, kept: float) -> None:
    archive = tmp_path / "backup.tar.gz"
    saved = create_backup(desk.db, desk.root, archive)
    assert verify_backup(archive) == saved
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(OutputError, match="is not a backup, or is damaged"):
        verify_backup(archive)
    damaged = bytearray(whole)
    damaged[int(len(whole) * kept)] ^= 0xFF
    archive.write_bytes(damaged)
    with pytest.raises(OutputError, match="is not a backup, or is damaged"):
        verify_backup(archive)


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_what_a_ledger_left_behind_is_refused(tmp_path: Path, ending: str) -> None:
    database = tmp_path / "ledger.db"
    beside = Path(f"{database}{ending}")
    beside.write_bytes(b"pages of another ledger")
    with pytest.raises(ReviewError, match=f"{beside} exists already"):
        restore_files(tmp_path / "never-read.tar.gz", tmp_path / "output", database)
    assert beside.read_bytes() == b"pages of another ledger"


def test_an_archive_without_a_database_is_answered_for_the_kind_of_database(tmp_path: Path, url: str) -> None:
    settings = layout(tmp_path / "project", {"COPYDESK_DATABASE_URL": url})
    Database.open(url).close()
    with pytest.raises(ReviewError, match="the archive contains no database") as refused:
        _require_database(settings, dump=True)
    is_server = url.startswith("postgresql")
    assert ("pg_restore" in refused.value.message) is is_server
    assert ("set COPYDESK_DATABASE_URL" in refused.value.message) is not is_server
