"""Takes user and password out of the URLs that are stored of feeds, their polls, items and errors."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_COLUMNS = {
    "feeds": ("url", "poll"),
    "items": ("canonical", "payload", "updated_payload", "reason", "notice"),
    "publications": ("error", "place"),
    "requests": ("outcome",),
    "calls": ("unusable", "notes"),
}
"""Columns that may hold a URL of a feed. Texts of drafts and reviews stay: their hashes are recorded."""
_USERINFO = re.compile(
    r"(https?://)(?:[^/?#\s\"'<>\\]*@|[^/?#\s\"'<>\\:@\[]*:(?!\d*[/?#])[^\s\"'<>\\]{1,300}@)", re.IGNORECASE
)
"""The second form is a password with `/`, `?` or `#` in it."""
_CACHED = "DELETE FROM pages WHERE url LIKE '%://%@%' OR error LIKE '%://%@%'"
"""Pages and site files: what is deleted is requested again."""
_BATCH_ROWS = 500


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # no password stays in the file's free pages
    op.execute(_CACHED)
    for name, columns in _COLUMNS.items():
        _scrub(connection, name, columns)


def _scrub(connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
    table = sa.table(name, sa.column("id"), *map(sa.column, columns))
    texts = [table.c[column] for column in columns]
    last = 0
    while True:
        query = (
            sa.select(table.c.id, *texts)
            .where(table.c.id > last, sa.or_(*(text.like("%://%@%") for text in texts)))
            .order_by(table.c.id)
            .limit(_BATCH_ROWS)
        )
        rows = connection.execute(query).all()
        if not rows:
            return
        for number, *values in rows:
            scrubbed = {
                column: _USERINFO.sub(r"\1", value)
                for column, value in zip(columns, values, strict=True)
                if value is not None and _USERINFO.search(value)
            }
            if scrubbed:
                connection.execute(table.update().where(table.c.id == number).values(scrubbed))
        last = rows[-1].id
