"""The index of drafts: what the desk's queue lists, sorts and searches by, derived from the stored texts.

It is written with each text, so that a list of thousands reads no text.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.storage.live_approvals import IS_LIVE
from pipeline.storage.schema import draft_index, draft_terms, items, verdicts, versions

REVISE = "revise"
"""Cause of a published article's text with which a revision starts."""
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_LINES = re.compile(r"^(?:title|description):(.*(?:\n[ \t].*)*)", re.MULTILINE)
"""A key of front matter whose text readers see, with the lines that continue it."""


def fold(text: str) -> str:
    """Return a text in which case and composed characters do not count, in any script."""
    return unicodedata.normalize("NFKC", text).casefold()


def search_terms(query: str) -> tuple[str, ...]:
    """Return the words of a query, as the index has them."""
    return tuple(dict.fromkeys(fold(query).split()))


def parts_of(text: str) -> tuple[str, str]:
    """Return the front matter's title and description, and the body, of an article's text."""
    plain = text.replace("\r\n", "\n")
    match = _FRONT.match(plain)
    if match is None:
        return "", plain
    return " ".join(map(_unquoted, _LINES.findall(match[1]))), plain[match.end() :]


def _unquoted(value: str) -> str:
    """Return a value of front matter without YAML's single quotes."""
    line = value.strip()
    return line[1:-1].replace("''", "'") if line[:1] == "'" else line


def reindex(connection: sa.Connection, item_id: int) -> None:
    """Write the index of an item's draft again, as its texts changed."""
    columns = (versions.c.id, versions.c.at, versions.c.cause)
    mine = sa.select(*columns).where(versions.c.item_id == item_id, ~versions.c.aside)
    texts = connection.execute(mine.order_by(versions.c.id)).all()
    if not texts:
        return
    this = sa.select(versions.c.text, items.c.title).join(items).where(versions.c.id == texts[-1].id)
    text, title = connection.execute(this).one()
    is_live = connection.scalar(sa.select(verdicts.c.id).where(verdicts.c.item_id == item_id, IS_LIVE))
    revised = [row.at for row in texts if row.cause == REVISE] if is_live is not None else []
    lines, body = parts_of(text)
    row = {
        "version_id": texts[-1].id,
        "since": revised[-1] if revised else texts[0].at,
        "revision": bool(revised),
        "word_count": len(body.split()),
    }
    _put(connection, draft_index, item_id, row)
    terms = {"terms": " ".join(search_terms(f"{title} {lines} {body}"))}
    _put(connection, draft_terms, item_id, terms)


def _put(connection: sa.Connection, table: sa.Table, item_id: int, row: dict[str, Any]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(table).values(item_id=item_id, **row)
    connection.execute(insert.on_conflict_do_update(index_elements=["item_id"], set_=row))


def has_terms(connection: sa.Connection, terms: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a draft has all of these words."""
    position = sa.func.instr if connection.dialect.name == "sqlite" else sa.func.strpos
    return [position(draft_terms.c.terms, sa.literal(term, draft_terms.c.terms.type)) > 0 for term in terms]
