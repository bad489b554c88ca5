"""Ends of findings: a fix was taken, its words were edited, an approval passed it; and their counts.

A finding has one end, the last one. A dismissal is an acknowledgement, and counts before any other end.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import OTHER_REASON, PRESETS, Finding, claim_key
from pipeline.storage.schema import acknowledgements, finding_ends, items

Outcome = Literal["taken", "edited", "passed"]
RECENT = timedelta(days=30)
"""What status and metrics count of the ends: all ends are too many to count often. Chosen, not measured."""
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""What is stored in place of a time where times of reviews are not stored."""


class FindingEnd(FrozenModel):
    """What ended a finding."""

    key: str
    kind: str
    message: str
    outcome: Outcome
    by: str
    """The editor; empty: it was edited in the file."""
    at: datetime | None
    """None where times of reviews are not stored."""


class KindOutcomes(FrozenModel):
    """How many findings of a kind ended how, over all drafts and editors."""

    kind: str
    dismissed: dict[str, int]
    """By preset; reasons in editors' own words are `other`."""
    taken: int = 0
    edited: int = 0
    passed: int = 0

    @property
    def decided(self) -> int:
        """The number of findings that have an end."""
        return sum(self.dismissed.values()) + self.taken + self.edited + self.passed

    @property
    def false_alarms(self) -> int:
        """The number of findings that were dismissed with a reason that means a false alarm."""
        return sum(count for preset, count in self.dismissed.items() if preset in PRESETS)

    @property
    def false_alarm_rate(self) -> float:
        """The share of false alarms in the decided findings; 0 where none is decided."""
        return self.false_alarms / self.decided if self.decided else 0.0


def end_key(finding: Finding) -> str:
    """Return the key of a finding, as its row has it."""
    return finding.key or claim_key(finding.kind, finding.message)


def record_end(
    connection: sa.Connection,
    item_id: int,
    finding: Finding,
    outcome: Outcome,
    editor: str,
    now: datetime | None,
) -> None:
    """Record the end of a finding, in place of an earlier one; the caller holds the item's row."""
    key = end_key(finding)
    drop_ends(connection, item_id, [key])
    about = {"key": key, "kind": finding.kind, "message": finding.message}
    row = {**about, "outcome": outcome, "by": editor, "at": now or NO_TIME}
    connection.execute(finding_ends.insert().values(item_id=item_id, **row))


def drop_ends(connection: sa.Connection, item_id: int, keys: Collection[str]) -> None:
    """Delete the ends of findings that stand again."""
    mine = sa.and_(finding_ends.c.item_id == item_id, finding_ends.c.key.in_(keys))
    connection.execute(finding_ends.delete().where(mine))


def drop_passed(connection: sa.Connection, item_id: int) -> None:
    """Delete the ends that an approval was, as it is undone."""
    mine = sa.and_(finding_ends.c.item_id == item_id, finding_ends.c.outcome == "passed")
    connection.execute(finding_ends.delete().where(mine))


def ends_of(connection: sa.Connection, item_id: int) -> list[FindingEnd]:
    """Return the ends of an item's findings, the first one first."""
    mine = sa.select(finding_ends).where(finding_ends.c.item_id == item_id).order_by(finding_ends.c.id)
    return [
        FindingEnd(
            key=row.key, kind=row.kind, message=row.message, outcome=row.outcome, by=row.by,
            at=None if row.at == NO_TIME else row.at,
        )
        for row in connection.execute(mine)
    ]  # fmt: skip


def lock_item(connection: sa.Connection, item_id: int) -> bool:
    """Hold an item's row until the transaction ends; returns whether the item is not erased."""
    state = connection.scalar(sa.select(items.c.state).where(items.c.id == item_id).with_for_update())
    return state not in (None, "forgotten")


def count_outcomes(
    connection: sa.Connection, since: datetime | None = None, until: datetime | None = None
) -> list[KindOutcomes]:
    """Return the numbers of ends by kind of finding; with bounds, of those in [since, until).

    Ends without a time (COPYDESK_REVIEW_TIMES is off) are in any period.
    """
    dismissed: defaultdict[str, dict[str, int]] = defaultdict(dict)
    ended: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for kind, preset, count in connection.execute(_DISMISSALS.where(*_at(acknowledgements, since, until))):
        reason = preset if preset in PRESETS else OTHER_REASON
        dismissed[kind][reason] = dismissed[kind].get(reason, 0) + count
    for kind, outcome, count in connection.execute(_OTHERS.where(*_at(finding_ends, since, until))):
        ended[kind][outcome] = count
    kinds = sorted(dismissed.keys() | ended.keys())
    return [KindOutcomes(kind=kind, dismissed=dismissed[kind], **ended[kind]) for kind in kinds]


def _at(table: sa.Table, since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    lower = [sa.or_(table.c.at >= since, table.c.at == NO_TIME)] if since else []
    return lower + ([table.c.at < until] if until else [])


_IS_VALID = acknowledgements.c.withdrawn_at.is_(None)
_DISMISSALS = (
    sa.select(acknowledgements.c.kind, acknowledgements.c.preset, sa.func.count())
    .where(_IS_VALID)
    .group_by(acknowledgements.c.kind, acknowledgements.c.preset)
)
_IS_DISMISSED = sa.exists().where(
    acknowledgements.c.item_id == finding_ends.c.item_id,
    acknowledgements.c.key == finding_ends.c.key,
    _IS_VALID,
)
_OTHERS = (
    sa.select(finding_ends.c.kind, finding_ends.c.outcome, sa.func.count())
    .where(~_IS_DISMISSED)
    .group_by(finding_ends.c.kind, finding_ends.c.outcome)
)
