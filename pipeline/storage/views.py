"""Views: which text of a draft was shown to which editor, and when for the first time."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.storage.schema import views

_ADD = {
    "sqlite": sqlite.insert(views).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(views).on_conflict_do_nothing(),
}


def add(connection: sa.Connection, item_id: int, by: str, sha256: str, now: datetime) -> None:
    """Record that an editor was shown a text; what is recorded already stays as it is."""
    row = {"item_id": item_id, "by": by, "sha256": sha256, "at": now}
    connection.execute(_ADD[connection.dialect.name], row)


def known(connection: sa.Connection, item_id: int, by: str, sha256: str) -> bool:
    """Tell whether an editor was shown a text."""
    this = (views.c.item_id == item_id, views.c.by == by, views.c.sha256 == sha256)
    return connection.execute(sa.select(views.c.item_id).where(*this)).first() is not None
