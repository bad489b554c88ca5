"""A ledger of an earlier Copydesk is brought up to date, and knows what it knew."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from pipeline.storage import Database, schema
from pipeline.storage.engine import _parsed, _postgresql, _sqlite
from pipeline.storage.schema import metadata
from tests.pipeline.storage.records import NOW

_REPAIRED = (
    "INSERT INTO items (feed_id, guid, external_id, payload, content_hash, title, published_at, state, "
    "attempts, lease_token) VALUES (1, 'a', '0123456789abcdef', '{}', 'h', 'A', :at, 'answered', 1, 1)",
    "INSERT INTO calls (item_id, purpose, at, model, answer, prompt_tokens, completion_tokens) "
    "VALUES (1, 'draft', :at, 'm', '{}', 10, 5), (1, 'verify', :at, 'm', '{}', 10, 5)",
)
"""An item whose sentences were repaired."""


def engine_of(url: str) -> sa.Engine:
    parsed = _parsed(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def earlier_db(url: str, revision: str, *statements: sa.TextClause) -> None:
    """Make the ledger of an earlier release, with what statements insert."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    engine = engine_of(url)
    with engine.begin() as connection:
        environment = EnvironmentContext(config, script, fn=lambda at, _: script._upgrade_revs(revision, at))
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def at_noon(statement: str) -> sa.TextClause:
    text = sa.text(statement)
    return (
        text.bindparams(sa.bindparam("at", NOW, sa.DateTime(timezone=True))) if ":at" in statement else text
    )


def first_db(url: str) -> None:
    """Make the ledger of the first release, with a feed that was polled."""
    polled = (
        "INSERT INTO feeds (key, first_key, name, url, etag, last_polled_at, failures, last_error) "
        "VALUES ('one', 'one', 'One', 'https://one.example/feed', '\"a\"', :at, 2, 'one: slow')"
    )
    earlier_db(url, "0001", *map(at_noon, (polled, *_REPAIRED)))


def test_what_the_first_release_knew_of_its_feeds_is_kept(url: str) -> None:
    first_db(url)
    with Database.open(url) as db:
        state = db.feeds.poll_states()["one"]
    assert (state.etag, state.failures, state.last_error) == ('"a"', 2, "one: slow")
    assert state.last_polled_at == NOW


def test_earlier_sentence_repairs_are_no_calls_of_the_second_reader(url: str) -> None:
    first_db(url)
    with Database.open(url) as db:
        assert [call.purpose for call in db.budget.calls_since(None)] == ["draft", "sentence_repair"]


_LOGIN = "https://ada:s3same@one.example"
_WITH_LOGINS = (
    "INSERT INTO feeds (key, first_key, name, url, poll) "
    f"VALUES ('one', 'one', 'One', '{_LOGIN}/feed?a=b@c', "
    f"""'{{"url": "{_LOGIN}/new", "last_error": "one: {_LOGIN} is slow", "failures": 2}}')""",
    "INSERT INTO feeds (key, first_key, name, url) VALUES ('two', 'two', 'Two', 'https://two.example/@ada')",
    "INSERT INTO items (feed_id, guid, external_id, payload, content_hash, title, published_at, state, "
    "attempts, lease_token, reason, notice, canonical) VALUES (1, 'a', 'a', "
    f"""'{{"link": "{_LOGIN}/1", "text": "mail: ada@one.example, http://t0ken@x.example"}}', """
    f"'h', 'A', :at, 'failed', 1, 1, '{_LOGIN}/1 is gone', '{_LOGIN}', '{_LOGIN}/1')",
    'INSERT INTO requests (item_id, "by", at, outcome) '
    f"SELECT id, 'Ada', :at, '{_LOGIN} does not answer' FROM items",
    f"INSERT INTO pages (url, at, payload, error) VALUES ('site file {_LOGIN}/robots.txt', :at, '', NULL), "
    f"('https://one.example/a', :at, NULL, '{_LOGIN}/b is gone'), "
    "('https://one.example/c', :at, 'kept', NULL)",
    "INSERT INTO feeds (key, first_key, name, url) "
    "VALUES ('three', 'three', 'Three', 'https://ada:s3same/?#x@three.example/feed')",
)


def test_logins_in_urls_are_taken_out(url: str) -> None:
    earlier_db(url, "0016", *(at_noon(statement) for statement in _WITH_LOGINS[:2]))
    engine = engine_of(url)
    with engine.begin() as connection:
        for number in range(2, 1203):  # more than one batch
            statement = _WITH_LOGINS[2].replace("'a', 'a'", f"'a{number}', 'a{number}'")
            connection.execute(at_noon(statement))
        for statement in _WITH_LOGINS[3:]:
            connection.execute(at_noon(statement))
    engine.dispose()
    with Database.open(url) as db:
        assert [status.url for status in db.feeds.status()] == [
            "https://one.example/feed?a=b@c",
            "https://three.example/feed",
            "https://two.example/@ada",
        ]
        state = db.feeds.poll_states()["one"]
        assert (state.url, state.failures) == ("https://one.example/new", 2)
    engine = engine_of(url)
    with engine.connect().execution_options(reading=True) as connection:
        stored = [
            str(value)
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
            for value in row
        ]
    engine.dispose()
    assert len(stored) > 1201 * 10
    assert "kept" in stored, "only what may hold a login is read again"
    assert not [text for text in stored if "s3same" in text or "t0ken" in text]
    assert [text for text in stored if "mail: ada@one.example, http://x.example" in text]


def test_no_login_stays_in_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    earlier_db(url, "0016", *(at_noon(statement) for statement in _WITH_LOGINS))
    assert b"s3same" in (tmp_path / "ledger.db").read_bytes()
    Database.open(url).close()
    assert b"s3same" not in (tmp_path / "ledger.db").read_bytes()


@pytest.mark.process
def test_an_archive_with_logins_is_restored_without_them(
    new_postgres: Callable[[], str], tmp_path: Path
) -> None:
    earlier_db(f"sqlite:///{tmp_path / 'archived.db'}", "0016", *(at_noon(each) for each in _WITH_LOGINS))
    with Database.open(new_postgres()) as db:
        with db.loading(tmp_path / "archived.db"):
            pass
        assert {status.url for status in db.feeds.status()} == {
            "https://one.example/feed?a=b@c",
            "https://three.example/feed",
            "https://two.example/@ada",
        }
