"""An index of drafts (by `queue`): what the review desk's queue lists, sorts and searches by."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_LINES = re.compile(r"^(?:title|description):(.*(?:\n[ \t].*)*)", re.MULTILINE)
_CHUNK = 500
_INDEX = sa.table(
    "draft_index",
    *(sa.column(name) for name in ("item_id", "version_id", "word_count")),
    sa.column("since", sa.DateTime(timezone=True)),
    sa.column("revision", sa.Boolean),
)
_TERMS = sa.table("draft_terms", sa.column("item_id"), sa.column("terms"))


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
    if op.get_bind().dialect.name == "postgresql":  # a search reads all: words stay in their rows
        op.execute("ALTER TABLE draft_terms ALTER COLUMN terms SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE draft_terms SET (toast_tuple_target = 8160)")
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    stored = sa.table(
        "versions", sa.column("id"), sa.column("item_id"), sa.column("text"), sa.column("cause"),
        sa.column("at", sa.DateTime(timezone=True)), sa.column("aside", sa.Boolean),
    )  # fmt: skip
    columns = (stored.c.id, stored.c.item_id, stored.c.at, stored.c.cause)
    versions = sa.select(*columns).where(~stored.c.aside).order_by(stored.c.item_id, stored.c.id)
    rows = connection.execute(versions).all()
    drafts = [list(group) for _, group in groupby(rows, lambda row: row.item_id)]
    for start in range(0, len(drafts), _CHUNK):
        _add(connection, stored, drafts[start : start + _CHUNK])


def _add(connection: sa.Connection, stored: sa.TableClause, drafts: Sequence[Sequence[sa.Row[Any]]]) -> None:
    items = sa.table("items", sa.column("id"), sa.column("title"))
    last = sa.select(stored.c.id, stored.c.text, items.c.title).join(items, items.c.id == stored.c.item_id)
    last = last.where(stored.c.id.in_([versions[-1].id for versions in drafts]))
    texts = {row.id: _read(row.title, row.text) for row in connection.execute(last)}
    index, terms = [], []
    for versions in drafts:
        key, (body, words) = {"item_id": versions[-1].item_id}, texts[versions[-1].id]
        count = {"version_id": versions[-1].id, "word_count": len(body.split())}
        index.append({**key, **count, **_waiting(versions)})
        terms.append({**key, "terms": " ".join(words)})
    connection.execute(sa.insert(_INDEX), index)
    connection.execute(sa.insert(_TERMS), terms)


def _waiting(versions: Sequence[sa.Row[Any]]) -> dict[str, datetime | bool]:
    revised: list[datetime] = [version.at for version in versions if version.cause == "revise"]
    return {"since": revised[-1] if revised else versions[0].at, "revision": bool(revised)}


def _read(title: str, text: str) -> tuple[str, dict[str, None]]:
    match = _FRONT.match(text.replace("\r\n", "\n"))
    body = text.replace("\r\n", "\n")[match.end() :] if match else text
    lines = map(_unquoted, _LINES.findall(match[1])) if match else ()
    folded = unicodedata.normalize("NFKC", " ".join((title, *lines, body))).casefold()
    return body, dict.fromkeys(folded.split())


def _unquoted(value: str) -> str:
    line = value.strip()
    return line[1:-1].replace("''", "'") if line[:1] == "'" else line
