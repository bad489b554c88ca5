"""Who holds a lease: a process, named so that another on the same host can tell whether it lives."""

import os
import platform
from pathlib import Path


def current_owner() -> str:
    """Return `host|boot id|pid|start time` of this process; the latter two parts are Linux's, else empty."""
    return "|".join((platform.node(), _boot_id(), str(os.getpid()), _start_time(os.getpid()) or ""))


def is_dead(owner: str) -> bool:
    """Say whether an owner certainly lives no more; of another host nobody knows."""
    host, boot_id, pid, started = [*owner.split("|"), "", "", ""][:4]
    if host != platform.node() or not pid.isdigit():
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
    """Return /proc/PID/stat from its third field on: the second, the name, may hold blanks."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return []


def _state(pid: int) -> str:
    return (_stat(pid) or [""])[0]


def _start_time(pid: int) -> str | None:
    """Return clock ticks since boot at which a process began, so that a reused pid is told apart."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else None
