"""Runs a benchmark in a small size, as one would by hand."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def table(name: str, *arguments: str, code: int = 0) -> list[list[str]]:
    """Return the lines that a benchmark prints, split at tabs; it must end with `code`."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *arguments]
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stdout + done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]
