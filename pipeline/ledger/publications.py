"""Publications: what is to be done about approved articles at each target, and what came of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from pipeline.ledger.schema import publications

Action = Literal["publish", "withdraw"]

SUPERSEDED = "superseded"
"""The `place` of what need not be done any more: something else is to be done at the same target."""


def add(
    connection: sa.Connection,
    item_id: int,
    targets: Iterable[str],
    *,
    action: Action,
    sha256: str,
    path: str,
    by: str,
    now: datetime,
) -> None:
    """Have an article published at targets, or withdrawn from them; what waited there waits no more."""
    told = {"action": action, "sha256": sha256, "path": path, "by": by, "at": now}
    for target in targets:
        same = sa.and_(publications.c.item_id == item_id, publications.c.target == target)
        waits = publications.update().where(same, publications.c.done_at.is_(None))
        connection.execute(waits.values(done_at=now, place=SUPERSEDED))
        connection.execute(publications.insert().values(item_id=item_id, target=target, **told))
