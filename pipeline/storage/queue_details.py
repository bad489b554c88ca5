"""What the rows of the desk's queue say beyond counts: open findings with the texts that they are about."""

import json
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import Finding, Severity
from pipeline.storage.schema import acknowledgements, draft_index, items, shown, versions, views
from pipeline.storage.schema import findings as findings_table

_SEVERITIES = (Severity.BLOCK.value, Severity.WARN.value)


class QueueDetails(FrozenModel):
    """What a draft's row says of its text, to one editor."""

    text: str
    """The last version."""
    findings: tuple[Finding, ...] = ()
    """Those that block or warn and that nobody dismissed, in the order of the text."""
    source: str = ""
    """The source's text, if a finding refers to it and offers no fix; empty if it changed since."""
    viewed: bool = False
    """The editor opened this text."""
    shown: frozenset[str] = frozenset()
    """Hashes of the sentences that were shown to the editor."""


def details_of(connection: sa.Connection, ids: Sequence[int], editor: str) -> dict[int, QueueDetails]:
    """Return the details of drafts by item id, for an editor."""
    opened = sa.exists().where(
        views.c.item_id == draft_index.c.item_id, views.c.by == editor, views.c.sha256 == versions.c.sha256
    )
    joined = draft_index.join(versions, versions.c.id == draft_index.c.version_id)
    columns = (draft_index.c.item_id, versions.c.text, opened.label("viewed"))
    texts = sa.select(*columns).select_from(joined).where(draft_index.c.item_id.in_(ids))
    findings = _open_findings(connection, ids)
    sources = _sources(connection, [item_id for item_id in ids if any(map(_quotes, findings[item_id]))])
    sentences = _shown(connection, ids, editor)
    return {
        row.item_id: QueueDetails(
            text=row.text,
            findings=tuple(findings[row.item_id]),
            source=sources.get(row.item_id, ""),
            viewed=bool(row.viewed),
            shown=frozenset(sentences[row.item_id]),
        )
        for row in connection.execute(texts)
    }


def _open_findings(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Finding]]:
    acknowledged = sa.exists().where(
        acknowledgements.c.item_id == draft_index.c.item_id,
        acknowledgements.c.key == findings_table.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    joined = draft_index.join(findings_table, findings_table.c.version_id == draft_index.c.version_id)
    query = sa.select(draft_index.c.item_id, findings_table.c.payload).select_from(joined)
    query = query.where(
        draft_index.c.item_id.in_(ids), findings_table.c.severity.in_(_SEVERITIES), ~acknowledged
    )
    findings: dict[int, list[Finding]] = defaultdict(list)
    for row in connection.execute(query.order_by(findings_table.c.id)):
        findings[row.item_id].append(Finding.model_validate_json(row.payload))
    return findings


def _quotes(finding: Finding) -> bool:
    return bool(finding.evidence) and not finding.suggestion


def _sources(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    unchanged = (items.c.id.in_(ids), items.c.updated_payload.is_(None))
    rows = connection.execute(sa.select(items.c.id, items.c.payload).where(*unchanged)) if ids else ()
    return {row.id: json.loads(row.payload).get("text") or "" for row in rows}


def _shown(connection: sa.Connection, ids: Sequence[int], editor: str) -> dict[int, set[str]]:
    hashes: dict[int, set[str]] = defaultdict(set)
    mine = (shown.c.by == editor, shown.c.item_id.in_(ids))
    for row in connection.execute(sa.select(shown.c.item_id, shown.c.sentences).where(*mine)):
        hashes[row.item_id].update(row.sentences.split())
    return hashes
