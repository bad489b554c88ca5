"""An index of drafts (by `queue`): what the review desk's queue lists, sorts and searches by."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_LINES = re.compile(r"^(?:title|description):(.*(?:\n[ \t].*)*)", re.MULTILINE)


def upgrade() -> None:
    op.create_table(
        "draft_index",
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Boolean(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "draft_terms",
        sa.Column("item_id", sa.Integer(), sa.ForeignKey("items.id"), primary_key=True),
        sa.Column("terms", sa.Text(), nullable=False),
    )
    op.drop_index("findings_version", "findings")
    op.create_index("findings_version", "findings", ["version_id", "severity", "key"])
    if op.get_bind().dialect.name == "postgresql":  # words stay in their row, uncompressed: a search reads all
        op.execute("ALTER TABLE draft_terms ALTER COLUMN terms SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE draft_terms SET (toast_tuple_target = 8160)")
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    stored = sa.table(
        "versions", sa.column("id"), sa.column("item_id"), sa.column("text"), sa.column("cause"),
        sa.column("at", sa.DateTime(timezone=True)), sa.column("aside", sa.Boolean),
    )  # fmt: skip
    items = sa.table("items", sa.column("id"), sa.column("title"))
    index = sa.table(
        "draft_index",
        *(sa.column(name) for name in ("item_id", "version_id", "word_count")),
        sa.column("since", sa.DateTime(timezone=True)),
        sa.column("revision", sa.Boolean),
    )
    terms = sa.table("draft_terms", sa.column("item_id"), sa.column("terms"))
    columns = (stored.c.id, stored.c.at, stored.c.cause)
    last = sa.select(stored.c.text, items.c.title).join(items, items.c.id == stored.c.item_id)
    for item_id in list(connection.scalars(sa.select(stored.c.item_id).where(~stored.c.aside).distinct())):
        mine = sa.select(*columns).where(stored.c.item_id == item_id, ~stored.c.aside).order_by(stored.c.id)
        versions = connection.execute(mine).all()
        text, title = connection.execute(last.where(stored.c.id == versions[-1].id)).one()
        body, words = _read(title, text)
        row = {"item_id": item_id, "version_id": versions[-1].id, "word_count": len(body.split())}
        connection.execute(sa.insert(index).values(**row, **_waiting(versions)))
        connection.execute(sa.insert(terms).values(item_id=item_id, terms=" ".join(words)))


def _waiting(versions: Sequence[sa.Row[Any]]) -> dict[str, datetime | bool]:
    revised: list[datetime] = [version.at for version in versions if version.cause == "revise"]
    return {"since": revised[-1] if revised else versions[0].at, "revision": bool(revised)}


def _read(title: str, text: str) -> tuple[str, dict[str, None]]:
    match = _FRONT.match(text.replace("\r\n", "\n"))
    body = text.replace("\r\n", "\n")[match.end() :] if match else text
    lines = _LINES.findall(match[1]) if match else []
    folded = unicodedata.normalize("NFKC", " ".join((title, *lines, body))).casefold()
    return body, dict.fromkeys(folded.split())
