"""PostgreSQL of its own on loopback, from Debian's package; a server that runs already is let be."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.project import free_port


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, None where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    folders += [Path(on_path).parent] if on_path else []
    usable = [folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    return usable[0] if usable and _user() is not None else None


def _user() -> str | None:
    """Return who runs it: initdb refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return None


@contextlib.contextmanager
def postgresql(bin_folder: Path) -> Iterator[str]:
    """Start a server on a fresh folder; yields the URL of its database `postgres`."""
    user, port = _user() or "postgres", free_port()
    folder = Path(tempfile.mkdtemp(prefix="copydesk-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = str(folder / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    try:
        _as(user, [str(bin_folder / "initdb"), "-D", data, "-A", "trust", "-U", "copydesk", "-E", "UTF8"])
        start = [str(bin_folder / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options]
        _as(user, [*start, "start"])
        yield f"postgresql://copydesk@127.0.0.1:{port}/postgres"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            _as(user, [str(bin_folder / "pg_ctl"), "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _as(user: str, command: list[str]) -> None:
    switched = user if os.geteuid() == 0 else None
    subprocess.run(command, check=True, capture_output=True, user=switched, cwd="/", env={"LC_ALL": "C"})
