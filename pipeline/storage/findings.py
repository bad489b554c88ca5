"""Findings of the versions of drafts, their acknowledgements by editors, and their other ends."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from pipeline.domain.models import Item
from pipeline.domain.reviews import Finding, Severity, claim_key
from pipeline.storage import finding_ends
from pipeline.storage.engine import Transactions, chunks
from pipeline.storage.finding_ends import FindingEnd, KindOutcomes
from pipeline.storage.item_rows import finding_row, findings_of, require_editable
from pipeline.storage.records import Acknowledgement, DraftRow, Lease
from pipeline.storage.schema import acknowledgements, findings, items, versions

SYSTEM_EDITOR = "copydesk"
"""The editor's name in what Copydesk does itself: redrafts of changed sources, erasures."""
_FAILED_REDRAFT = "redraft"
"""Kind of the note that a draft was not redrafted."""
_SOURCE_UPDATED = "source-updated"
"""Kind of the finding about a changed source: one per draft, about the last change."""


Change = Callable[[tuple[Finding, ...]], tuple[Finding, ...]]
"""Returns what a version's findings become. Pure."""


class FindingRepository(Transactions):
    """Stores editors' acknowledgements of findings, and what else ended findings."""

    def acknowledge(
        self,
        draft_row: DraftRow,
        finding: Finding,
        reason: str,
        editor: str,
        now: datetime,
        *,
        preset: str | None = None,
        equal: Sequence[Finding] = (),
    ) -> None:
        """Acknowledge a finding of a draft, in place of an earlier acknowledgement.

        `equal` findings are acknowledged with it, for the same reason. Raises ReviewError where the draft was
        reviewed.
        """
        common = {"reason": reason, "by": editor, "at": now, "preset": preset}
        with self._writing() as connection:
            require_editable(connection, draft_row, leased=True)
            for key, each in {each.key: each for each in (*equal, finding)}.items():
                _withdraw(connection, draft_row.item_id, key, editor, now)
                row = {"key": key, "kind": each.kind, "message": each.message, **common}
                connection.execute(acknowledgements.insert().values(item_id=draft_row.item_id, **row))

    def withdraw(self, draft_row: DraftRow, key: str, editor: str, now: datetime) -> None:
        """Withdraw the acknowledgement of a finding. Raises ReviewError where the draft was reviewed."""
        with self._writing() as connection:
            require_editable(connection, draft_row, leased=True)
            _withdraw(connection, draft_row.item_id, key, editor, now)

    def change(self, draft_row: DraftRow, sha256: str, change: Change) -> None:
        """Change the findings of a draft's last version, if it has the hash `sha256` and no decision yet."""
        with self._writing() as connection:
            this = sa.select(items.c.state).where(items.c.id == draft_row.item_id).with_for_update()
            last = sa.select(versions.c.id, versions.c.sha256).where(
                versions.c.item_id == draft_row.item_id, ~versions.c.aside
            )
            is_open = connection.scalar(this) == "drafted"
            version = connection.execute(last.order_by(versions.c.id.desc()).limit(1)).first()
            if not is_open or version is None or version.sha256 != sha256:
                return
            current = change(tuple(findings_of(connection, version.id)))
            connection.execute(findings.delete().where(findings.c.version_id == version.id))
            rows = [{"version_id": version.id, **finding_row(finding)} for finding in current]
            if rows:
                connection.execute(findings.insert(), rows)

    def record_end(
        self,
        draft_row: DraftRow,
        finding: Finding,
        outcome: Literal["taken", "edited"],
        editor: str,
        now: datetime | None,
    ) -> None:
        """Record that an editor's change ended a finding, in place of an earlier end of it.

        `now` is None where times of reviews are not stored. Of an erased item nothing is stored.
        """
        with self._writing() as connection:
            if finding_ends.lock_item(connection, draft_row.item_id):
                finding_ends.record_end(connection, draft_row.item_id, finding, outcome, editor, now)

    def reopen(self, draft_row: DraftRow, keys: Collection[str]) -> None:
        """Delete the ends of findings that the draft has again."""
        with self._writing() as connection:
            finding_ends.drop_ends(connection, draft_row.item_id, keys)

    def ends(self, item_id: int) -> list[FindingEnd]:
        """Return the ends of an item's findings that are no dismissals, the first one first."""
        with self._reading() as connection:
            return finding_ends.ends_of(connection, item_id)

    def keys_before(self, item_id: int, version_id: int) -> frozenset[str]:
        """Return the keys of the findings of the text on disk that stands before a version in the list."""
        mine = (versions.c.item_id == item_id, ~versions.c.aside, versions.c.id < version_id)
        before = sa.select(sa.func.max(versions.c.id)).where(*mine).scalar_subquery()
        with self._reading() as connection:
            return frozenset(
                connection.scalars(sa.select(findings.c.key).where(findings.c.version_id == before))
            )

    def outcomes(self, since: datetime | None = None, until: datetime | None = None) -> list[KindOutcomes]:
        """Return how many findings of each kind ended how; with bounds, of those ended in [since, until)."""
        with self._reading() as connection:
            return finding_ends.count_outcomes(connection, since, until)


_VALID = acknowledgements.c.withdrawn_at.is_(None)


def _withdraw(connection: sa.Connection, item_id: int, key: str, editor: str, now: datetime) -> None:
    mine = sa.and_(acknowledgements.c.item_id == item_id, acknowledgements.c.key == key, _VALID)
    connection.execute(acknowledgements.update().where(mine).values(withdrawn_by=editor, withdrawn_at=now))


def add_finding(connection: sa.Connection, version_id: int, finding: Finding) -> None:
    """Add a finding to a version that does not have it yet."""
    row = finding_row(finding)
    same = findings.c.payload == row["payload"]
    existing = sa.select(findings.c.id).where(findings.c.version_id == version_id, same)
    if not connection.execute(existing).first():
        connection.execute(findings.insert().values(version_id=version_id, **row))


def flag_failed_redraft(connection: sa.Connection, lease: Lease, reason: str) -> None:
    """Add a finding to a draft: why it was not redrafted, or that its source changed."""
    if lease.request is None or lease.request.by == SYSTEM_EDITOR:
        later = connection.scalar(sa.select(items.c.updated_payload).where(items.c.id == lease.item_id))
        now = Item.model_validate_json(later) if later else lease.updated or lease.item
        flag_update(connection, lease.item_id, now)
        return
    note = Finding(kind=_FAILED_REDRAFT, severity=Severity.NOTE, message=f"It was not written anew: {reason}")
    if (version_id := latest_version(connection, lease.item_id)) is not None:
        add_finding(connection, version_id, note)


def drop_failed_redraft(connection: sa.Connection, item_id: int) -> None:
    """Remove the finding of a draft that it was not redrafted, as its request waits again."""
    if (version_id := latest_version(connection, item_id)) is not None:
        drop_findings(connection, version_id, (_FAILED_REDRAFT,))


def drop_findings(connection: sa.Connection, version_id: int, kinds: Collection[str]) -> None:
    """Remove the findings of these kinds from a version."""
    keys = [finding.key for finding in findings_of(connection, version_id) if finding.kind in kinds]
    mine = sa.and_(findings.c.version_id == version_id, findings.c.key.in_(keys))
    connection.execute(findings.delete().where(mine))


def latest_version(connection: sa.Connection, item_id: int) -> int | None:
    """Return the id of the last text of an item's draft that stands, or stood, on disk."""
    latest = sa.select(sa.func.max(versions.c.id)).where(versions.c.item_id == item_id, ~versions.c.aside)
    version_id: int | None = connection.scalar(latest)
    return version_id


def flag_update(connection: sa.Connection, item_id: int, item: Item) -> None:
    """Add the finding to a draft that its source changed, in place of one about an earlier change."""
    version_id = latest_version(connection, item_id)
    if version_id is not None:
        message = (
            f"The source changed after this was drafted; it is now: {item.title} ({item.link or 'no link'})"
        )
        # Its key includes the content: an acknowledgement of one change does not cover the next.
        key = claim_key(_SOURCE_UPDATED, message, [item.content_hash])
        drop_findings(connection, version_id, (_SOURCE_UPDATED,))
        warning = Finding(kind=_SOURCE_UPDATED, severity=Severity.WARN, message=message, key=key)
        add_finding(connection, version_id, warning)


def is_edited_since_update(connection: sa.Connection, item_id: int) -> bool:
    """Return whether an item has an earlier text with the finding that its last text has on its source."""
    version_id = latest_version(connection, item_id)
    if version_id is None:
        return False
    keys = [each.key for each in findings_of(connection, version_id) if each.kind == _SOURCE_UPDATED]
    same = sa.select(findings.c.id).join(versions, versions.c.id == findings.c.version_id)
    mine = (versions.c.item_id == item_id, versions.c.id != version_id, findings.c.key.in_(keys))
    return connection.execute(same.where(*mine)).first() is not None


def drop_update(connection: sa.Connection, item_id: int) -> None:
    """Remove the finding of a draft that its source changed."""
    if (version_id := latest_version(connection, item_id)) is not None:
        drop_findings(connection, version_id, (_SOURCE_UPDATED,))


def acknowledged(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Acknowledgement]]:
    """Return the valid acknowledgements of items, by item id."""
    by_item: dict[int, list[Acknowledgement]] = defaultdict(list)
    for chunk in chunks(ids):
        mine = sa.select(acknowledgements).where(acknowledgements.c.item_id.in_(chunk), _VALID)
        for row in connection.execute(mine.order_by(acknowledgements.c.id)):
            columns = {name: getattr(row, name) for name in Acknowledgement.model_fields}
            by_item[row.item_id].append(Acknowledgement(**columns))
    return by_item
