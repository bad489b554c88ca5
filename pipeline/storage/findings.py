"""Findings as they stand with a version of a draft, and what is added to them later.

Acknowledgements: findings that an editor answers for, by their keys.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.domain.models import Finding, Item, Severity, claim_key
from pipeline.storage.engine import chunks
from pipeline.storage.records import Acknowledgement, Claim, DraftRow
from pipeline.storage.schema import acknowledgements, findings, items, versions

OURSELVES = "copydesk"
"""Who asks for a redraft because a source changed."""
UPDATED = "source-updated"
"""The kind of the finding that tells of a changed source: one a draft, about the last change."""


def findings_of(connection: sa.Connection, version_id: int) -> list[Finding]:
    """Return a version's findings, in their order."""
    query = sa.select(findings.c.payload).where(findings.c.version_id == version_id).order_by(findings.c.id)
    return [Finding.model_validate_json(payload) for payload in connection.scalars(query)]


def add_finding(connection: sa.Connection, version_id: int, finding: Finding) -> None:
    """Add a finding to a version, once."""
    row = stored(finding)
    same = findings.c.payload == row["payload"]
    known = sa.select(findings.c.id).where(findings.c.version_id == version_id, same)
    if not connection.execute(known).first():
        connection.execute(findings.insert().values(version_id=version_id, **row))


def stored(finding: Finding) -> dict[str, str]:
    """Return a finding as a row; one that no check made is about the whole draft."""
    key = finding.key or claim_key(finding.kind, finding.message)
    whole = finding.model_copy(update={"key": key})
    return {"severity": finding.severity.value, "key": key, "payload": whole.model_dump_json()}


def flag_request(connection: sa.Connection, claim: Claim, reason: str) -> None:
    """Tell the editor, with the draft, why it was not written anew, or that its source changed."""
    if claim.request is None or claim.request.by == OURSELVES:
        later = connection.scalar(sa.select(items.c.updated_payload).where(items.c.id == claim.item_id))
        now = Item.model_validate_json(later) if later else claim.updated or claim.item
        flag_update(connection, claim.item_id, now)
        return
    said = Finding(kind="redraft", severity=Severity.NOTE, message=f"It was not written anew: {reason}")
    if (version_id := _latest(connection, claim.item_id)) is not None:
        add_finding(connection, version_id, said)


def _latest(connection: sa.Connection, item_id: int) -> int | None:
    latest = sa.select(sa.func.max(versions.c.id)).where(versions.c.item_id == item_id, ~versions.c.aside)
    found: int | None = connection.scalar(latest)
    return found


def flag_update(connection: sa.Connection, item_id: int, item: Item) -> None:
    """Tell the editor, with the draft, that its source says something else now: once, of the last change."""
    version_id = _latest(connection, item_id)
    if version_id is not None:
        said = (
            f"The source changed after this was drafted; it is now: {item.title} ({item.link or 'no link'})"
        )
        # Its key holds the text: who answers for one change does not answer for the next.
        key = claim_key(UPDATED, said, [item.content_hash])
        earlier = [one.key for one in findings_of(connection, version_id) if one.kind == UPDATED]
        mine = sa.and_(findings.c.version_id == version_id, findings.c.key.in_(earlier))
        connection.execute(findings.delete().where(mine))
        warning = Finding(kind=UPDATED, severity=Severity.WARN, message=said, key=key)
        add_finding(connection, version_id, warning)


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
