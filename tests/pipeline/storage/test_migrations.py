"""A ledger of an earlier Copydesk is brought up to date, and knows what it knew."""

from pathlib import Path

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


def first_db(url: str) -> None:
    """Make the ledger of the first release, with a feed that was polled."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    engine = engine_of(url)
    with engine.begin() as connection:
        environment = EnvironmentContext(config, script, fn=lambda at, _: script._upgrade_revs("0001", at))
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
        polled = sa.text(
            "INSERT INTO feeds (key, first_key, name, url, etag, last_polled_at, failures, last_error) "
            "VALUES ('one', 'one', 'One', 'https://one.example/feed', '\"a\"', :at, 2, 'one: slow')"
        ).bindparams(sa.bindparam("at", NOW, sa.DateTime(timezone=True)))
        connection.execute(polled)
        for statement in _REPAIRED:
            connection.execute(
                sa.text(statement).bindparams(sa.bindparam("at", NOW, sa.DateTime(timezone=True)))
            )
    engine.dispose()


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
