"""Ledgers without a migration each: a file that was migrated once in this process, copied."""

import tempfile
from functools import cache
from pathlib import Path

from pipeline.storage import Database
from pipeline.storage.engine import file_of


def prepared(url: str) -> str:
    """Put an empty ledger with all its tables where SQLite has no file yet; returns the URL as given."""
    path = file_of(url)
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_bytes(_migrated())
    return url


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        Database.open(f"sqlite:///{path}").close()
        return path.read_bytes()
