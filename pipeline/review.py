"""Composes an editor's verdict: the text on disk is checked again, then moved.

The ledger is told before and after, so that a killed verdict is carried out by the next command.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.checks import run_checks
from pipeline.errors import ReviewError
from pipeline.ingest.links import canonical_url
from pipeline.ledger import DraftRow, Ledger, PendingVerdict
from pipeline.models import Beat, Credit, Decision, Finding, Severity, Source, Verdict, utc_iso
from pipeline.output import files
from pipeline.output.frontmatter import dumps, loads
from pipeline.settings import Subscriptions

FOLDERS = {Decision.APPROVE: "published", Decision.REJECT: "rejected"}


def decide(
    ledger: Ledger,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    decision: Decision,
    *,
    by: str | None,
    note: str | None,
    now: datetime,
) -> str:
    """Carry out a verdict on one draft and return the file's new path, relative to `root`.

    Raises ReviewError where no draft or several answer to `ref`, where the draft was decided on before,
    its file is missing or unreadable, or an approval meets a blocking finding.
    """
    row = open_draft(ledger, ref)
    data = files.read_bytes(root, row.path)
    if data is None:
        raise ReviewError(
            f"{row.path} is missing; put the file back (`copydesk drafts show` has its text)", draft=ref
        )
    text = decoded(row, data)
    verdict = Verdict(decision=decision, by=by or "unknown", at=now, note=note, sha256=files.sha256_of(data))
    after = _approved(row, text, subscriptions, verdict) if decision is Decision.APPROVE else text
    target = f"{FOLDERS[decision]}/{row.path.partition('/')[2]}"
    if files.read_bytes(root, target) not in (None, after.encode()):
        raise ReviewError(f"another file stands at {target}; move it away first", draft=ref)
    pending = ledger.intend_verdict(row, verdict, target, after)
    carry_out(ledger, root, pending)
    return target


def finish(ledger: Ledger, root: Path) -> None:
    """Carry out what a killed approval or rejection left half done."""
    for pending in ledger.unfinished_verdicts():
        carry_out(ledger, root, pending)


def carry_out(ledger: Ledger, root: Path, pending: PendingVerdict) -> None:
    """Write the file at its new place, remove the old one, confirm; each step may be repeated.

    What stands at the new place was written by an earlier attempt, and may have been edited since: it is
    left alone. A draft that was changed after the verdict stays where it is, beside the decided text.
    """
    if files.read_bytes(root, pending.new_path) is None:
        files.write_atomically(root, pending.new_path, pending.text.encode())
    old = files.read_bytes(root, pending.old_path)
    if old is not None and files.sha256_of(old) == pending.sha256_before:
        files.remove(root, pending.old_path)
    ledger.confirm_verdict(pending)


def forget(ledger: Ledger, root: Path, url: str, now: datetime) -> list[str]:
    """Remove the files and texts about an item's URL, whatever their state; returns the files removed.

    The ledger lets go of its texts last: a killed command is finished by giving it again.
    Raises ReviewError while a run works on it.
    """
    canonical = canonical_url(url) or url
    paths = ledger.begin_forgetting(canonical, now)
    standing = [path for path in paths if files.read_bytes(root, path) is not None]
    for path in standing:
        files.remove(root, path)
    ledger.forget(canonical)
    return standing


def open_draft(ledger: Ledger, ref: str) -> DraftRow:
    """Return the draft that `ref` means and that waits for a verdict. Raises ReviewError."""
    row = ledger.draft(ref)
    if row.state != "drafted":
        raise ReviewError(f"{row.path} is {row.state} already; nothing was changed", draft=ref)
    return row


def decoded(row: DraftRow, data: bytes) -> str:
    """Return the text of a draft's file. Raises ReviewError where it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ReviewError(
            f"{row.path} is not UTF-8 (byte {error.start}); save it as UTF-8", draft=row.path
        ) from error


def _approved(row: DraftRow, text: str, subscriptions: Subscriptions, verdict: Verdict) -> str:
    """Return the text of the approved article: body and unknown keys as the editor left them."""
    metadata, body = loads(text, row.path)
    findings = _findings(row, body, subscriptions)
    _refuse_blocked(row, findings)
    metadata["draft"] = False
    if _edited(row, metadata, body):
        metadata["updatedAt"] = utc_iso(verdict.at)
    _count(metadata, findings)
    metadata["review"] = _review(verdict)
    return dumps(metadata, body)


def _findings(row: DraftRow, body: str, subscriptions: Subscriptions) -> tuple[Finding, ...]:
    """Check a body against its source; an address that an editor wrote into it is the editor's own."""
    found = run_checks(source_of(row, subscriptions), body, beat_of(subscriptions, row.feed_key))
    ours = row.version_text
    return tuple(
        one
        for one in found
        if one.kind != "injection" or one.span is None or body[one.span[0] : one.span[1]] in ours
    )


def source_of(row: DraftRow, subscriptions: Subscriptions) -> Source:
    """Return what a draft was written from; its feed may have left the subscriptions since."""
    feed = next((feed for feed in subscriptions.feeds if feed.key == row.feed_key), None)
    return Source(
        item=row.item,
        feed_key=row.feed_key,
        feed_name=feed.name if feed else row.feed_key,
        first_key=feed.first_key if feed else row.feed_key,
        category=feed.category if feed else "",
        language=feed.language if feed else row.item.language or "en",
        also=tuple(Credit(name=one.feed_name, url=one.url) for one in row.siblings if one.url),
    )


def beat_of(subscriptions: Subscriptions, feed_key: str) -> Beat:
    """Return the beat of a feed; of any feed, where this one is no longer subscribed."""
    by_key = {feed.key: feed for feed in subscriptions.feeds}
    if feed_key in by_key:
        return subscriptions.beats[by_key[feed_key].beat]
    return next(iter(subscriptions.beats.values()))


def _refuse_blocked(row: DraftRow, findings: tuple[Finding, ...]) -> None:
    blocking = [finding for finding in findings if finding.severity is Severity.BLOCK]
    if blocking:
        kinds = ", ".join(dict.fromkeys(f"{finding.kind}: {finding.message}" for finding in blocking))
        raise ReviewError(f"{row.path} has {len(blocking)} blocking findings ({kinds})", draft=row.path)


def _edited(row: DraftRow, metadata: dict[str, Any], body: str) -> bool:
    ours, our_body = loads(row.version_text, row.path)
    return body != our_body or any(metadata.get(key) != ours.get(key) for key in ("title", "description"))


def _count(metadata: dict[str, Any], findings: tuple[Finding, ...]) -> None:
    ai = metadata.get("ai")
    if isinstance(ai, dict):
        checks = ai.get("checks")
        acknowledged = checks.get("acknowledged", 0) if isinstance(checks, dict) else 0
        counted = sum(finding.severity is not Severity.NOTE for finding in findings)
        ai["checks"] = {"open": counted, "acknowledged": acknowledged}


def _review(verdict: Verdict) -> dict[str, str]:
    note = {"note": verdict.note} if verdict.note else {}
    return {"by": verdict.by, "at": utc_iso(verdict.at), **note}
