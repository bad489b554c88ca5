"""Atomic writes: whole or not at all, and never outside the output folder."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.articles.files import Write, read_bytes, remove, remove_temp_files, sha256_of, write_atomically
from pipeline.domain.errors import OutputError

DRAFT = "drafts/2026/03/a-01234567.md"


def write_x(root: Path, relative: str) -> None:
    write_atomically(root, relative, b"x")


ACTS: tuple[Callable[[Path, str], object], ...] = (write_x, read_bytes, remove)


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def failing(number: int, after: int = 3) -> Write:
    """A disk that takes some bytes and then fails."""
    taken = 0

    def write(descriptor: int, data: bytes) -> int:
        nonlocal taken
        if taken:
            raise OSError(number, os.strerror(number))
        taken = os.write(descriptor, data[:after])
        return taken

    return write


def test_what_was_written_is_read(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet"
    assert read_bytes(root, DRAFT) is None
    write_atomically(root, DRAFT, b"one")
    write_atomically(root, DRAFT, b"two\r\n\0")
    assert read_bytes(root, DRAFT) == b"two\r\n\0"
    assert everything(root) == [DRAFT]


def test_a_disk_that_takes_few_bytes_at_once_gets_them_all(tmp_path: Path) -> None:
    data = bytes(range(256))
    write_atomically(tmp_path, DRAFT, data, write=lambda fd, rest: os.write(fd, rest[:7]))
    assert read_bytes(tmp_path, DRAFT) == data


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "access is denied"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failed_write_leaves_the_old_file_and_says_what_to_do(
    tmp_path: Path, number: int, advice: str
) -> None:
    write_atomically(tmp_path, DRAFT, b"old")
    with pytest.raises(OutputError, match=advice) as caught:
        write_atomically(tmp_path, DRAFT, b"new text", write=failing(number))
    assert str(tmp_path / DRAFT) in caught.value.message
    assert caught.value.context == {"path": str(tmp_path / DRAFT), "errno": number}
    assert read_bytes(tmp_path, DRAFT) == b"old"
    assert everything(tmp_path) == [DRAFT]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(descriptor: int, data: bytes) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path, DRAFT, b"new", write=interrupted)
    assert everything(tmp_path) == []


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_bytes(b"in the way")
    for act in ACTS:
        with pytest.raises(OutputError, match="there is a file where a folder should be"):
            act(tmp_path, DRAFT)
    assert (tmp_path / "drafts").read_bytes() == b"in the way"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / DRAFT).mkdir(parents=True)
    with pytest.raises(OutputError, match="there is a folder where the file should be"):
        write_atomically(tmp_path, DRAFT, b"x")
    assert everything(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_a_folder_of_somebody_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="access is denied"):
        write_atomically(tmp_path, DRAFT, b"x")


@pytest.mark.parametrize("relative", ["/etc/x.md", "../x.md", "drafts/../../x.md", "", ".", "a\0b"])
def test_a_path_elsewhere_is_refused(tmp_path: Path, relative: str) -> None:
    root = tmp_path / "output"
    for act in ACTS:
        with pytest.raises(OutputError, match="is no path below"):
            act(root, relative)
    assert everything(tmp_path) == []


def test_a_symbolic_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "output", tmp_path / "outside"
    root.mkdir()
    (outside / "2026/03").mkdir(parents=True)
    (outside / "2026/03/a-01234567.md").write_bytes(b"private")
    (root / "drafts").symlink_to(outside)
    (root / "secret.md").symlink_to(outside / "2026/03/a-01234567.md")
    (root / "circle").symlink_to(root / "circle")
    for relative in (DRAFT, "secret.md", "circle/x.md"):
        with pytest.raises(OutputError, match=r"symbolic link|Too many levels"):
            read_bytes(root, relative)
        with pytest.raises(OutputError, match=r"symbolic link|Too many levels"):
            write_atomically(root, relative, b"x")
    assert (outside / "2026/03/a-01234567.md").read_bytes() == b"private"


def test_a_link_within_the_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "drafts").symlink_to(tmp_path / "store")
    write_atomically(tmp_path, DRAFT, b"x")
    assert (tmp_path / "store/2026/03/a-01234567.md").read_bytes() == b"x"


def test_sweep_removes_only_leftovers(tmp_path: Path) -> None:
    write_atomically(tmp_path, DRAFT, b"x")
    folder = (tmp_path / DRAFT).parent
    remaining = [folder / ".hidden.tmp", folder / "a.0123abcd.tmp", folder / ".a.md.swp"]
    for path in (*remaining, folder / ".a-01234567.md.0123abcd.tmp"):
        path.write_bytes(b"half")
    assert remove_temp_files(tmp_path) == 1
    assert remove_temp_files(tmp_path) == 0
    assert len(everything(tmp_path)) == len(remaining) + 1
    assert remove_temp_files(tmp_path / "missing") == 0


def test_sweep_lets_a_write_in_progress_be(tmp_path: Path) -> None:
    swept = []

    def write(descriptor: int, data: bytes) -> int:
        swept.append(remove_temp_files(tmp_path))
        return os.write(descriptor, data)

    write_atomically(tmp_path, DRAFT, b"whole", write=write)
    assert swept == [0]
    assert read_bytes(tmp_path, DRAFT) == b"whole"


def test_sweep_takes_what_a_dead_writer_had_locked(tmp_path: Path) -> None:
    leftover = tmp_path / ".a.md.0123abcd.tmp"
    leftover.write_bytes(b"half")
    with leftover.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_temp_files(tmp_path) == 0
    assert remove_temp_files(tmp_path) == 1


def test_removing_twice_is_well(tmp_path: Path) -> None:
    write_atomically(tmp_path, DRAFT, b"x")
    remove(tmp_path, DRAFT)
    remove(tmp_path, DRAFT)
    assert read_bytes(tmp_path, DRAFT) is None


def test_sha256() -> None:
    assert sha256_of(b"abc") == hashlib.sha256(b"abc").hexdigest()
