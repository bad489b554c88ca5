"""SQL: which approvals and retractions are published, as `current_approval` decides for one item."""

import sqlalchemy as sa

from pipeline.domain.reviews import PUBLISHING, ReviewDecision
from pipeline.storage.schema import verdicts

_undoing, _later, _undoing_later = verdicts.alias(), verdicts.alias(), verdicts.alias()
_PUBLISHED = tuple(decision.value for decision in PUBLISHING)
_ENDING = (*_PUBLISHED, ReviewDecision.UNPUBLISH.value)

PUBLISHES = verdicts.c.decision.in_(_PUBLISHED)
"""The condition that a review's text was published."""


def _is_undone(table: sa.FromClause, undoing: sa.FromClause) -> sa.ColumnElement[bool]:
    same = sa.and_(undoing.c.item_id == table.c.item_id, undoing.c.undoes == table.c.id)
    return sa.select(undoing.c.id).where(same).exists()


_REPLACED = (
    sa.select(_later.c.id)
    .where(
        _later.c.item_id == verdicts.c.item_id,
        _later.c.id > verdicts.c.id,
        _later.c.decision.in_(_ENDING),
        ~_is_undone(_later, _undoing_later),
    )
    .exists()
)
IS_LIVE = sa.and_(PUBLISHES, verdicts.c.text != "", ~_is_undone(verdicts, _undoing), ~_REPLACED)
"""The condition that a review's text is what targets have, or get; at most one of each item."""
