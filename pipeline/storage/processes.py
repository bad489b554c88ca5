"""Names of processes that hold leases; others on the same host can find out whether they are alive."""

import os
import platform
from pathlib import Path


def current_owner() -> str:
    """Return `host|boot id|pid|start time|pid namespace` of this process; others than Linux lack some."""
    pid = os.getpid()
    return "|".join((platform.node(), _boot_id(), str(pid), _start_time(pid) or "", _pid_namespace()))


def is_elsewhere(owner: str) -> bool:
    """Return whether a process cannot be seen from here: it is of another host, or another pid namespace.

    Two containers may have one host name, and each counts its processes from 1.
    """
    host, boot_id, _, _, namespace = _parts(owner)
    if host != platform.node():
        return True
    return boot_id == _boot_id() and namespace not in {"", _pid_namespace()}


def process_is_dead(owner: str) -> bool:
    """Return whether a process is certainly dead; False where it cannot be seen, unless its boot is over."""
    _, boot_id, pid, started, _ = _parts(owner)
    if is_elsewhere(owner) or not pid.isdigit():
        return False
    if boot_id != _boot_id():
        return True
    if not is_alive(int(pid)):
        return True
    now_started = _start_time(int(pid))
    return bool(started) and now_started is not None and now_started != started


def _parts(owner: str) -> list[str]:
    """Return the five parts of an owner; earlier versions wrote no pid namespace."""
    return [*owner.split("|"), "", "", "", ""][:5]


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine runs; also one of another user."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return /proc/PID/stat from its third field on: the second, the name, may contain spaces."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return []


def _state(pid: int) -> str:
    return (_stat(pid) or [""])[0]


def _start_time(pid: int) -> str | None:
    """Return a process's start in clock ticks since boot, which distinguishes reused pids."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else None
