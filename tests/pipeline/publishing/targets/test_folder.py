"""The folder target: atomic writes, only to Copydesk's own files, only inside the folder."""

from pathlib import Path

import pytest

from pipeline.domain.errors import PublishError
from pipeline.publishing.targets.folder import apply_jobs
from tests.pipeline.publishing.targets.jobs import FIRST, PATH, SECOND, job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site" / "news"


def refused(folder: Path, *jobs: object) -> str:
    [result] = apply_jobs(folder, jobs)  # type: ignore[arg-type]
    assert isinstance(result, PublishError)
    assert "\n" not in result.message
    return result.message


def test_publishing_twice_writes_one_file_once(folder: Path) -> None:
    assert apply_jobs(folder, [job()]) == [str(folder / PATH)]
    before = (folder / PATH).stat()
    assert (folder / PATH).read_bytes() == FIRST
    assert apply_jobs(folder, [job()]) == [str(folder / PATH)]
    after = (folder / PATH).stat()
    assert (after.st_ino, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )  # reading changes st_atime


def test_a_newer_text_takes_the_place_of_an_older_one(folder: Path) -> None:
    apply_jobs(folder, [job()])
    apply_jobs(folder, [job(SECOND)])
    assert (folder / PATH).read_bytes() == SECOND


def test_a_withdrawal_removes_what_we_wrote_and_may_be_repeated(folder: Path) -> None:
    apply_jobs(folder, [job(SECOND)])
    assert apply_jobs(folder, [job(None)]) == [str(folder / PATH)]
    assert not (folder / PATH).exists()
    assert apply_jobs(folder, [job(None)]) == [str(folder / PATH)]


@pytest.mark.parametrize(("data", "fix"), [(SECOND, "approve it"), (None, "remove it yourself")])
def test_a_file_that_an_operator_changed_is_not_replaced(folder: Path, data: bytes | None, fix: str) -> None:
    apply_jobs(folder, [job()])
    (folder / PATH).write_bytes(b"mine")
    message = refused(folder, job(data))
    assert "was changed by somebody else" in message
    assert fix in message
    assert (folder / PATH).read_bytes() == b"mine"


def test_a_failed_job_blocks_no_other(folder: Path) -> None:
    (folder / "2026/02").mkdir(parents=True)
    (folder / PATH).write_bytes(b"mine")
    first, second = apply_jobs(folder, [job(), job(path="2026/02/b.md")])
    assert isinstance(first, PublishError)
    assert second == str(folder / "2026/02/b.md")


@pytest.mark.parametrize("path", ["../out.md", "/etc/out.md", "a/../../out.md", "", "a/\0.md"])
def test_no_path_leads_out(folder: Path, path: str) -> None:
    assert "is no path below" in refused(folder, job(path=path))


def test_no_link_leads_out(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "2026").symlink_to(tmp_path / "elsewhere")
    assert "by a symbolic link" in refused(folder, job())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_whose_parent_is_missing_is_a_mistake(tmp_path: Path) -> None:
    assert "does not exist; make it" in refused(tmp_path / "no" / "news", job())


def test_what_a_killed_write_left_behind_goes(folder: Path) -> None:
    apply_jobs(folder, [job()])
    leftover = folder / "2026/02/.output-rises-57767956.md.0123abcd.tmp"
    leftover.write_bytes(b"half")
    apply_jobs(folder, [job()])
    assert not leftover.exists()
