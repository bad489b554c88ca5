"""Acknowledgements: findings that an editor answers for, by their keys."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.ledger.items import chunks
from pipeline.ledger.records import Acknowledgement, DraftRow
from pipeline.ledger.schema import acknowledgements
from pipeline.models import Finding

_STANDS = acknowledgements.c.withdrawn_at.is_(None)


def add(
    connection: sa.Connection, row: DraftRow, finding: Finding, reason: str, by: str, now: datetime
) -> None:
    """Answer for a finding; what was said before about the same is replaced."""
    withdraw(connection, row.item_id, finding.key, by, now)
    told = {"kind": finding.kind, "message": finding.message, "reason": reason, "by": by, "at": now}
    connection.execute(acknowledgements.insert().values(item_id=row.item_id, key=finding.key, **told))


def withdraw(connection: sa.Connection, item_id: int, key: str, by: str, now: datetime) -> None:
    """Answer for a finding no more."""
    mine = sa.and_(acknowledgements.c.item_id == item_id, acknowledgements.c.key == key, _STANDS)
    connection.execute(acknowledgements.update().where(mine).values(withdrawn_by=by, withdrawn_at=now))


def of_items(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Acknowledgement]]:
    """Return what is answered for, by the numbers of the items."""
    found: dict[int, list[Acknowledgement]] = defaultdict(list)
    for some in chunks(ids):
        mine = sa.select(acknowledgements).where(acknowledgements.c.item_id.in_(some), _STANDS)
        for row in connection.execute(mine.order_by(acknowledgements.c.id)):
            told = {name: getattr(row, name) for name in Acknowledgement.model_fields}
            found[row.item_id].append(Acknowledgement(**told))
    return found
