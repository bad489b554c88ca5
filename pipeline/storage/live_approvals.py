"""SQL: which approvals and retractions are published, as `current_approval` decides for one item."""

import sqlalchemy as sa

from pipeline.domain.reviews import PUBLISHING, ReviewDecision
from pipeline.storage.schema import verdicts

_PUBLISHED = tuple(decision.value for decision in PUBLISHING)
_ENDING = (*_PUBLISHED, ReviewDecision.UNPUBLISH.value)
_every, _undoing = verdicts.alias(), verdicts.alias()

PUBLISHES = verdicts.c.decision.in_(_PUBLISHED)
"""The condition that a review's text was published."""

_UNDONE = sa.select(_undoing.c.id).where(
    _undoing.c.item_id == _every.c.item_id, _undoing.c.undoes == _every.c.id
)
_LAST = (
    sa.select(sa.func.max(_every.c.id))
    .where(_every.c.item_id == verdicts.c.item_id, _every.c.decision.in_(_ENDING), ~_UNDONE.exists())
    .correlate(verdicts)
    .scalar_subquery()
)
IS_LIVE = sa.and_(PUBLISHES, verdicts.c.text != "", verdicts.c.id == _LAST)
"""The condition that a review's text is what targets have, or get; at most one of each item.

A scalar subquery is evaluated by the index of the item, whatever statistics the database has.
"""
