"""Counts the open findings of waiting drafts by kind."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.storage.engine import Transactions
from pipeline.storage.open_findings import indexed_drafts, join_findings, kind_of
from pipeline.storage.schema import acknowledgements, findings, items


class OpenFindings(NamedTuple):
    """Findings of a kind that wait for an editor."""

    kind: str
    blocks: int
    warns: int
    drafts: int
    """Drafts that have them."""


class OpenCounts(NamedTuple):
    """Findings that wait for an editor."""

    kinds: Sequence[OpenFindings] = ()
    held: int = 0
    """Drafts that a finding blocks."""
    warned: int = 0
    """Drafts with warnings and nothing that blocks."""


class FindingCountRepository(Transactions):
    """Counts findings by kind."""

    def open(self) -> OpenCounts:
        """Return the findings of waiting drafts that block or warn and nobody dismissed, the most first."""
        with self._reading() as connection:
            joined, draft = indexed_drafts(connection)
            counts = (_sum(findings.c.severity == "block"), _sum(findings.c.severity == "warn"))
            item_id, kind = draft.c.item_id, kind_of(connection, findings)
            is_open = (items.c.state == "drafted", acknowledgements.c.id.is_(None))
            per_kind = sa.select(
                item_id, kind.label("kind"), counts[0].label("blocks"), counts[1].label("warns")
            )
            per_kind = (
                per_kind.select_from(join_findings(joined, draft)).where(*is_open).group_by(item_id, kind)
            )
            rows = connection.execute(_by_kind_and_draft(per_kind.cte("per_kind"))).all()
        kinds = [OpenFindings(row[0], *map(int, row[1:])) for row in rows if row[0] is not None]
        kinds.sort(key=lambda each: (-each.blocks - each.warns, each.kind))
        [(held, warned)] = [(row[1], row[2]) for row in rows if row[0] is None]
        return OpenCounts(kinds, int(held or 0), int(warned or 0))


def _sum(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _by_kind_and_draft(per_kind: sa.CTE) -> sa.CompoundSelect[tuple[str | None, int, int, int]]:
    """Return the sums of each kind, and a row without a kind: drafts that are held, and that are warned of.

    One statement, so that the findings are read once.
    """
    columns = per_kind.c
    sums = (sa.func.sum(columns.blocks), sa.func.sum(columns.warns), sa.func.count())
    drafts = sa.select(sa.func.sum(columns.blocks).label("blocks")).group_by(columns.item_id).subquery()
    held, warned = _sum(drafts.c.blocks > 0), _sum(drafts.c.blocks == 0)
    return sa.union_all(
        sa.select(columns.kind, *sums).group_by(columns.kind),
        sa.select(sa.null(), held, warned, sa.literal(0)),
    )
