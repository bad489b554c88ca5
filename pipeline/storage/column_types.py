"""Types of columns that behave alike on both databases."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time, on databases with and without time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return a time in UTC. Raises ValueError for a time without zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ANN401
        """Return a stored time in UTC; SQLite stores no zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def replace_unstorable(text: str) -> str:
    """Return a text with U+FFFD for characters that a database cannot store: NUL, lone surrogates."""
    if "\0" not in text:
        with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate
            text.encode()
            return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


class SafeText(sa.TypeDecorator[str]):
    """Text that both databases can store: PostgreSQL refuses NUL, both refuse lone surrogates.

    Answers of models and quotations of feeds can contain them.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return the text with U+FFFD for characters that cannot be stored."""
        return None if value is None else replace_unstorable(value)


def id_column() -> sa.Column[int]:
    """Return the column `id`, which counts the rows."""
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def reference(table: str) -> sa.Column[int]:
    """Return the column that refers to the id of a row of another table: `item_id` for `items`."""
    return sa.Column(f"{table[:-1]}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False)
