"""Names of processes that hold leases; others on the same host can find out whether they are alive."""

import os
import platform
from pathlib import Path


def current_owner() -> str:
    """Return `host|boot id|pid|start time` of this process; the latter two parts are Linux's, else empty."""
    return "|".join((platform.node(), _boot_id(), str(os.getpid()), _start_time(os.getpid()) or ""))


def is_elsewhere(owner: str) -> bool:
    """Return whether a process is one of another host."""
    return owner.partition("|")[0] != platform.node()


def process_is_dead(owner: str) -> bool:
    """Return whether a process is certainly dead; False for other hosts, where it cannot be known."""
    _, boot_id, pid, started = [*owner.split("|"), "", "", ""][:4]
    if is_elsewhere(owner) or not pid.isdigit():
        return False
    if boot_id != _boot_id():
        return True
    if not _alive(int(pid)):
        return True
    now_started = _start_time(int(pid))
    return bool(started) and now_started is not None and now_started != started


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
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
