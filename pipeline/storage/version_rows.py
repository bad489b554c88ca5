"""Rows of versions, for the transactions of several repositories: the texts of drafts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.reviews import Draft
from pipeline.storage.engine import Row, chunks
from pipeline.storage.findings import finding_row, findings_of
from pipeline.storage.records import PreviousVersion
from pipeline.storage.schema import findings, versions

EDIT = "edit"
"""Cause of a text that an editor wrote."""
REVISE = "revise"
"""Cause of a published article's text with which a revision starts."""
BY_HAND = (EDIT, REVISE)
"""Causes of texts whose front matter editors may have changed on disk."""
EDITORS_CAUSES = (*BY_HAND, "restore")
"""Causes of texts that editors cause: no run writes them to disk."""


class NewVersion(NamedTuple):
    """How a text is stored as a version."""

    number: int
    """`ai.version`."""
    cause: str
    confirmed: bool
    """No file has to be written."""
    by: str | None = None
    """The editor who wrote it."""
    aside: bool = False
    """Superseded: it is never written to disk."""
    base: str | None = None
    """SHA-256 of the text that it replaces."""
    form: str | None = None
    """The desk's form that it was sent from."""


unwritten = sa.select(versions.c.item_id).where(
    ~versions.c.confirmed, ~versions.c.aside, versions.c.cause.not_in(EDITORS_CAUSES)
)
"""Query for the ids of the items with a text whose write is recorded and not confirmed."""


def add(connection: sa.Connection, item_id: int, draft: Draft, version: NewVersion) -> int:
    """Store a text with its findings and return the version's id."""
    text = {"path": draft.path, "sha256": draft.sha256, "text": draft.text}
    row = versions.insert().values(item_id=item_id, at=datetime.now(UTC), **text, **version._asdict())
    [version_id] = connection.execute(row).inserted_primary_key or [0]
    rows = [{"version_id": version_id, **finding_row(finding)} for finding in draft.findings]
    if rows:
        connection.execute(findings.insert(), rows)
    return int(version_id)


def texts(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Row]]:
    """Return the versions of items, the last one last, by item id."""
    texts: dict[int, list[Row]] = defaultdict(list)
    for chunk in chunks(ids):
        query = sa.select(versions).where(versions.c.item_id.in_(chunk)).order_by(versions.c.id)
        for row in connection.execute(query):
            texts[row.item_id].append(row)
    return texts


def unconfirmed(connection: sa.Connection, written: Sequence[Row], external_id: str) -> Draft | None:
    """Return the text whose write is recorded and not confirmed."""
    row = _last([version for version in written if version.cause not in EDITORS_CAUSES], confirmed=False)
    if row is None:
        return None
    findings = tuple(findings_of(connection, row.id))
    return Draft(external_id=external_id, path=row.path, text=row.text, findings=findings)


def previous(written: Sequence[Row]) -> PreviousVersion | None:
    """Return the last text that was written, as recorded."""
    row = _last(written, confirmed=True)
    if row is None:
        return None
    edited = row.at if row.cause == EDIT else None
    origin = _last([version for version in written if version.cause not in BY_HAND], confirmed=True)
    return PreviousVersion(
        path=row.path,
        sha256=row.sha256,
        text=row.text,
        version=row.number,
        edited_at=edited,
        origin=origin.text if origin else "",
    )


def _last(written: Sequence[Row], *, confirmed: bool) -> Row | None:
    return next((row for row in reversed(written) if row.confirmed is confirmed and not row.aside), None)


def confirm(connection: sa.Connection, item_id: int) -> None:
    """Record that the texts of a run are written."""
    mine = sa.and_(versions.c.item_id == item_id, versions.c.cause.not_in(EDITORS_CAUSES))
    connection.execute(versions.update().where(mine).values(confirmed=True))
