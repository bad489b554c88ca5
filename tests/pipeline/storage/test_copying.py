"""A database moves from SQLite to PostgreSQL and back, with every row, or not at all."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.domain.errors import DatabaseError, ReviewError
from pipeline.storage import Database
from pipeline.storage.copying import TableDigest, copied_tables, digest_of
from pipeline.storage.engine import open_engine
from pipeline.storage.schema import metadata
from tests.commands import call_copydesk
from tests.databases import prepared
from tests.end_to_end.project import Project
from tests.fakes.stock import fill, layout
from tests.pipeline.storage.records import NOW

HOSTILE = "Ünï‮ \U0001f600 \\x00 'q' \"d\" \t\n\\. \\N"


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return the URL of a new empty database of a kind."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'target' / 'ledger.db'}"
        return request.getfixturevalue("new_postgres")()  # type: ignore[no-any-return]

    return make


def value_of(column: sa.Column[Any], number: int) -> object:
    """Return a value of a column's type, another for each row."""
    if column.foreign_keys or column.name == "id":
        return number
    if isinstance(column.type, sa.Boolean):
        return number % 2 == 0
    if isinstance(column.type, sa.BigInteger):
        return -(2**62) + number
    if isinstance(column.type, sa.Integer):
        return number
    if isinstance(column.type, sa.Float):
        return number / 3
    if isinstance(column.type, sa.LargeBinary):
        return bytes(range(256)) * number
    if "DateTime" in type(column.type).__name__:
        return NOW + timedelta(microseconds=number)
    return None if column.nullable and number == 1 else f"{HOSTILE} {number}"


def fill_every_table(url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for table in copied_tables():
            for number in (1, 2, 3):
                connection.execute(
                    table.insert().values({c.name: value_of(c, number) for c in table.columns})
                )
        if engine.dialect.name != "sqlite":
            for table in copied_tables():
                if "id" in table.columns:
                    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                    connection.execute(sa.select(sa.func.setval(sequence, 3)))
    engine.dispose()


def rows_of(url: str, also: Collection[str] = ()) -> dict[str, list[Any]]:
    """Return the rows of all tables that are copied, and of derived ones that are named."""
    engine = open_engine(url)
    with engine.connect().execution_options(reading=True) as connection:
        rows = {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
            if "filled_by" not in table.info or table.name in also
        }
    engine.dispose()
    return rows


def moved(source: str, target: str, folder: Path) -> None:
    """Copy a database into another one by way of a file."""
    with Database.open(source) as db:
        db.snapshot(folder / "copy.db")
    if target.startswith("sqlite"):
        Path(target.removeprefix("sqlite:///")).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "copy.db", target.removeprefix("sqlite:///"))
    else:
        with Database.open(target) as db, db.loading(folder / "copy.db"):
            pass


@pytest.mark.process
def test_a_derived_table_is_filled_and_not_copied(
    source: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = "INSERT INTO draft_terms SELECT item_id, 'derived' FROM draft_index"
    monkeypatch.setitem(metadata.tables["draft_terms"].info, "filled_by", statement)
    with Database.open(empty) as db, db.loading(source):
        pass
    rows = rows_of(empty, also=("draft_terms", "item_counts"))
    assert sum(number for _, _, number in rows["item_counts"]) == len(rows["items"])
    assert rows["draft_terms"] == [(1, "derived"), (2, "derived"), (3, "derived")]
    assert len(rows["draft_index"]) == 3


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_every_row_of_every_table_moves(
    url: str, target: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    fill_every_table(url)
    other = new_url(target)
    moved(url, other, tmp_path)
    assert rows_of(other) == rows_of(url)
    engine = open_engine(other)
    with engine.begin() as connection:  # the next ids follow
        feed = {"key": "new", "first_key": "new", "name": "New", "url": "https://new.example/"}
        result = connection.execute(metadata.tables["feeds"].insert().values(feed))
        assert result.inserted_primary_key == (4,)
    engine.dispose()


def test_a_copy_is_one_file(url: str, tmp_path: Path) -> None:
    fill_every_table(url)
    with Database.open(url) as db:
        db.snapshot(tmp_path / "copy.db")
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    connection = sqlite3.connect(tmp_path / "copy.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_every_table_of_the_migrations_is_copied(url: str) -> None:
    Database.open(url).close()
    engine = open_engine(url)
    with engine.connect().execution_options(reading=True) as connection:
        tables = set(sa.inspect(connection).get_table_names())
    engine.dispose()
    assert tables - {"alembic_version"} == set(metadata.tables)


@pytest.mark.parametrize(
    "change", ["DELETE FROM pages WHERE error IS NULL", "UPDATE pages SET error = 'x' WHERE error IS NULL"]
)
def test_a_digest_tells_a_lost_row_and_a_changed_one(url: str, change: str) -> None:
    fill_every_table(url)
    engine = open_engine(url)
    pages = metadata.tables["pages"]
    with engine.begin() as connection:
        before = digest_of(connection, pages)
        connection.exec_driver_sql(change)
        assert digest_of(connection, pages) != before
    engine.dispose()


def test_a_digest_does_not_depend_on_the_order_of_rows() -> None:
    rows = [(1, "a"), (2, "b"), (2, "b")]
    assert TableDigest(0, 0).add(rows) == TableDigest(0, 0).add(rows[1:]).add(rows[:1])
    assert TableDigest(0, 0).add(rows) != TableDigest(0, 0).add(rows[:2])


class _StopError(Exception):
    pass


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An SQLite file with rows in every table."""
    path = tmp_path / "source.db"
    fill_every_table(prepared(f"sqlite:///{path}"))
    return path


@pytest.fixture
def empty(new_postgres: Callable[[], str]) -> str:
    return new_postgres()


def is_empty(url: str) -> bool:
    return not any(rows_of(url).values())


@pytest.mark.process
def test_a_copy_that_is_cut_off_leaves_the_database_empty(source: Path, empty: str) -> None:
    with Database.open(empty) as db:
        with pytest.raises(_StopError), db.loading(source):
            raise _StopError
        assert is_empty(empty)
        with db.loading(source):
            pass
    assert rows_of(empty) == rows_of(f"sqlite:///{source}")


@pytest.mark.process
@pytest.mark.parametrize(
    ("table", "body", "message"),
    [("items", "NEW.title := 'x'; RETURN NEW;", "3 rows were read, 3 arrived with other content"),
     ("alerts", "RETURN NULL;", "3 rows were read, 0 arrived")],
)  # fmt: skip
def test_a_copy_that_differs_is_refused(
    source: Path, empty: str, table: str, body: str, message: str
) -> None:
    Database.open(empty).close()
    with psycopg.connect(empty) as connection:
        connection.execute(
            f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$".encode()
        )
        connection.execute(
            "CREATE TRIGGER meddle BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION meddle()"
        )
        if "NULL" in body:  # items that refer to it would fail first
            connection.execute("ALTER TABLE items DISABLE TRIGGER meddle")
            connection.execute(
                "CREATE TRIGGER meddle BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION meddle()"
            )
    with Database.open(empty) as db, pytest.raises(DatabaseError, match=message), db.loading(source):
        pass
    assert is_empty(empty)


@pytest.mark.process
def test_a_database_with_rows_is_refused(source: Path, empty: str) -> None:
    with psycopg.connect(empty) as connection:
        Database.open(empty).close()
        connection.execute("INSERT INTO alerts (key, told_at) VALUES ('disk', now())")
    with Database.open(empty) as db, pytest.raises(ReviewError, match="has data already"), db.loading(source):
        pass


@pytest.mark.process
def test_a_database_to_which_others_are_connected_is_refused(source: Path, empty: str) -> None:
    with Database.open(empty) as db:
        with (
            psycopg.connect(empty, application_name="desk"),
            pytest.raises(ReviewError, match="is in use by desk; end"),
            db.loading(source),
        ):
            pass
        assert is_empty(empty)


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Settings:
    """A desk with drafts and a target."""
    settings = layout(tmp_path / "project", {"COPYDESK_DATABASE_URL": url})
    with settings.feeds_file.open("a", encoding="utf-8") as file:
        file.write(f"publish:\n  site: {{kind: folder, path: {tmp_path / 'site'}}}\n")
    fill(settings, 4, faults=False)
    return settings


def command(settings: Settings, url: str, *arguments: str) -> str:
    folder = settings.feeds_file.parent
    environ = {"HOME": str(folder), "COLUMNS": "200", "COPYDESK_EDITOR": "Ada", "COPYDESK_DATABASE_URL": url}
    ended = call_copydesk(Project(folder, environ | {"COPYDESK_PREFECT": "off"}), *arguments)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return ended.stdout


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_work_goes_on_after_the_move(
    desk: Settings, url: str, target: str, new_url: Callable[[str], str], tmp_path: Path
) -> None:
    refs = [draft["external_id"] for draft in json.loads(command(desk, url, "drafts", "list", "--json"))]
    command(desk, url, "approve", refs[0])
    command(desk, url, "reject", refs[1])
    before = json.loads(command(desk, url, "status", "--json"))
    command(desk, url, "backup", "save", "move.tar.gz")
    desk.output.rename(tmp_path / "output-before")
    other = new_url(target)
    assert "and the database restored" in command(desk, other, "backup", "restore", "move.tar.gz")
    assert json.loads(command(desk, other, "status", "--json")) == before
    command(desk, other, "approve", refs[2])
    command(desk, other, "publish")
    assert len(list((tmp_path / "site").rglob("*.md"))) == 2
    assert [row["waiting"] for row in before["publications"]] == [1]
