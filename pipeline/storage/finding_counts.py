"""How often checks find something: open findings of waiting drafts, and how editors ended findings."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.storage.draft_query import with_findings
from pipeline.storage.engine import Transactions
from pipeline.storage.finding_ends import KindOutcomes, count_outcomes
from pipeline.storage.schema import acknowledgements, draft_index, findings, items


class OpenFindings(NamedTuple):
    """Findings of a kind that wait for an editor."""

    kind: str
    blocks: int
    warns: int


class FindingCountRepository(Transactions):
    """Counts findings by kind."""

    def open(self) -> list[OpenFindings]:
        """Return the findings of waiting drafts that block or warn and nobody dismissed, the most first."""
        with self._reading() as connection:
            kind = _kind(connection)
            blocks, warns = (
                sa.func.sum(sa.case((findings.c.severity == level, 1), else_=0))
                for level in ("block", "warn")
            )
            query = sa.select(kind, blocks, warns).select_from(with_findings(items.join(draft_index)))
            is_open = sa.and_(findings.c.severity.in_(("block", "warn")), acknowledgements.c.id.is_(None))
            rows = connection.execute(query.where(items.c.state == "drafted", is_open).group_by(kind)).all()
        counts = [OpenFindings(str(row[0]), int(row[1]), int(row[2])) for row in rows]
        return sorted(counts, key=lambda each: (-each.blocks - each.warns, each.kind))

    def ended(self, since: datetime, until: datetime) -> list[KindOutcomes]:
        """Return how editors ended findings in [since, until), by kind.

        Ends without a time (COPYDESK_REVIEW_TIMES is off) are at NO_TIME.
        """
        with self._reading() as connection:
            return count_outcomes(connection, since, until)


def _kind(connection: sa.Connection) -> sa.ColumnElement[str]:
    """Return a finding's kind, which its JSON has."""
    if connection.dialect.name == "sqlite":
        return sa.func.coalesce(sa.func.json_extract(findings.c.payload, "$.kind"), "")
    kind = sa.cast(findings.c.payload, sa.JSON)["kind"].as_string()
    return sa.func.coalesce(kind, "")
