"""Published articles: searched, counted and paged by the database, those with a changed source first."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.domain.days import Day
from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import ReviewDecision
from pipeline.domain.withdrawals import notice_kind
from pipeline.storage.draft_query import CHANGED, NOTICE
from pipeline.storage.engine import CHUNK, Transactions
from pipeline.storage.live_approvals import IS_LIVE
from pipeline.storage.schema import feeds, items, verdicts

_STATES = ("approved", "drafted")
"""An article with a waiting revision is `drafted`."""
_HEAD_CHARS = 8_000
"""Beginning of a text that is read for its front matter. Chosen, not measured."""
_MAX_WORDS = 8


class PublishedRow(FrozenModel):
    """A published article."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    state: str
    decision: ReviewDecision
    """approve or retract."""
    by: str
    at: datetime
    """When it was approved or retracted."""
    path: str
    """Below the output folder."""
    head: str
    """The beginning of its text, with the front matter."""
    changed: bool
    """Its source has another text, or a notice."""
    notice: str | None

    @property
    def change(self) -> str:
        """Return what kind of change its source has: changed, withdrawn or missing."""
        return notice_kind(self.notice or "changed")

    @property
    def is_retracted(self) -> bool:
        """Whether a notice stands in its place."""
        return self.decision is ReviewDecision.RETRACT

    @property
    def has_revision(self) -> bool:
        """Whether a revision of it waits."""
        return self.state == "drafted"


class PublishedPage(FrozenModel):
    """A page of the published articles that match."""

    rows: tuple[PublishedRow, ...]
    total: int
    """Number of articles that match, on all pages."""
    changed: int
    """Number of those whose source changed; they come first."""


class PublishedRepository(Transactions):
    """Finds published articles."""

    def page(
        self, words: Sequence[str] = (), *, day: Day | None = None, limit: int = 50, offset: int = 0
    ) -> PublishedPage:
        """Return a page of the articles whose texts have all these words, those approved last first.

        With `day`, of those that were approved or retracted on it.
        """
        with self._reading() as connection:
            matches = [_has_word(connection, word) for word in words[:_MAX_WORDS]]
            matches += [verdicts.c.at >= day.since, verdicts.c.at < day.until] if day else []
            items_changed = list(connection.scalars(_ITEMS_CHANGED))
            among = items_changed if len(items_changed) <= CHUNK else _ITEMS_CHANGED
            is_changed = verdicts.c.item_id.in_(among)
            changed = list(connection.scalars(_LIVE.where(is_changed, *matches))) if items_changed else []
            others = _LIVE.where(~is_changed, *matches) if items_changed else _LIVE.where(*matches)
            if matches:
                ids = changed + list(connection.scalars(others))
                total, ids = len(ids), ids[offset : offset + limit]
            else:
                total, ids = _total(connection), changed[offset : offset + limit]
                others = others.limit(limit - len(ids)).offset(max(0, offset - len(changed)))
                ids += connection.scalars(others)
            return PublishedPage(rows=tuple(_rows(connection, ids)), total=total, changed=len(changed))


_ITEMS_CHANGED = sa.select(items.c.id).where(items.c.state.in_(_STATES), CHANGED)
_LIVE = sa.select(verdicts.c.id).where(IS_LIVE).order_by(verdicts.c.id.desc())
"""The reviews by which articles are published, the last one first: read in this order, up to a limit."""


def _total(connection: sa.Connection) -> int:
    approved = sa.select(sa.func.count()).where(items.c.state == "approved")
    live = sa.select(verdicts.c.id).where(verdicts.c.item_id == items.c.id, IS_LIVE).exists()
    revised = sa.select(sa.func.count()).where(items.c.state == "drafted", live)
    return (connection.scalar(approved) or 0) + (connection.scalar(revised) or 0)


def _has_word(connection: sa.Connection, word: str) -> sa.ColumnElement[bool]:
    """Return the condition that an article has a word, in any case.

    SQLite compares only ASCII letters without case. YAML may double an apostrophe of a title.
    """
    column = verdicts.c.text
    like = column.like if connection.dialect.name == "sqlite" else column.ilike
    spellings = {word, word.replace("'", "''")}
    if not word.isascii():
        spellings |= {word.lower(), word.capitalize(), word.upper()}
    patterns = (spelling.translate(_ESCAPES) for spelling in sorted(spellings))
    return sa.or_(*(like(f"%{pattern}%", escape="\\") for pattern in patterns))


_ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[PublishedRow]:
    columns = (
        verdicts.c.id, items.c.id.label("item_id"), items.c.external_id, feeds.c.key.label("feed_key"),
        items.c.title, items.c.state, verdicts.c.decision, verdicts.c.by, verdicts.c.at,
        verdicts.c.new_path.label("path"), sa.func.substr(verdicts.c.text, 1, _HEAD_CHARS).label("head"),
        CHANGED.label("changed"), NOTICE.label("notice"),
    )  # fmt: skip
    joined = verdicts.join(items, items.c.id == verdicts.c.item_id).join(feeds)
    query = sa.select(*columns).select_from(joined).where(verdicts.c.id.in_(ids))
    rows = {row.id: row for row in connection.execute(query)}
    return [
        PublishedRow(**{key: value for key, value in rows[number]._asdict().items() if key != "id"})
        for number in ids
    ]
