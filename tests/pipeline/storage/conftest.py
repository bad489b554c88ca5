"""Every test of the ledger runs on SQLite and on PostgreSQL."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pipeline.storage import Database
from tests.databases import prepared
from tests.pipeline.storage.postgres import postgresql, programs


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: the ledger is tested on SQLite alone")
    with postgresql(folder) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: str) -> str:
    """The name of a database with all tables, to be copied."""
    Database.open(_database(postgres_server, "migrated")).close()
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; with all tables where `open_db` opens it, which migrates no more."""
    migrated = "open_db" in request.fixturenames
    if request.param == "sqlite":
        empty = f"sqlite:///{tmp_path / 'folder' / 'ledger.db'}"
        return prepared(empty) if migrated else empty
    server: str = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_migrated") if migrated else "template1"
    return _database(server, f"t{uuid.uuid4().hex}", template)


@pytest.fixture
def new_postgres(postgres_server: str) -> Callable[[], str]:
    """Create an empty PostgreSQL database and return its URL, each time another one."""
    return lambda: _database(postgres_server, f"t{uuid.uuid4().hex}")


def _database(server: str, name: str, template: str = "template1") -> str:
    """Create a database and return its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}'.encode())
    return server.replace("/postgres", f"/{name}")


@pytest.fixture
def open_db(url: str) -> Iterator[Callable[..., Database]]:
    """Open the same ledger as often as wanted, under any owner's name."""
    opened: list[Database] = []

    def open_as(owner: str | None = None) -> Database:
        opened.append(Database.open(url, owner=owner))
        return opened[-1]

    yield open_as
    for db in opened:
        db.close()
