"""What the flow `requests` has to do, and when `copydesk serve` starts it again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.config import HookTarget, Target
from pipeline.storage import SYSTEM_EDITOR, Database, Publication

FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 3600.0
"""Seconds until that is tried again which a run left pending; doubled between these. Chosen, not measured."""


@dataclass(frozen=True)
class PendingRequests:
    """Work of the flow `requests`: redrafts of our own, texts without a file, publications."""

    every: frozenset[str]
    """Keys of all of it."""
    due: frozenset[str]
    """Without the publications that wait after a failure."""


NOTHING_PENDING = PendingRequests(frozenset(), frozenset())


@dataclass(frozen=True)
class RequestPause:
    """What the last run had to do, and the pause after it."""

    tried: frozenset[str] = frozenset()
    """Keys of what was pending when it began, and still is."""
    pause_s: float = 0.0
    not_before: float = 0.0
    """When it is tried again, of the same clock as `now`."""

    def without_done(self, pending: PendingRequests) -> "RequestPause":
        """Return the pause without what is no longer pending: if it comes again, it is new. Pure."""
        left = self.tried & pending.every
        return self if left == self.tried else replace(self, tried=left, pause_s=0.0)

    def may_start(self, pending: PendingRequests, now: float) -> bool:
        """Return whether a run may start: what is new starts one at once. Pure."""
        return bool(pending.due - self.tried) or (bool(pending.due) and now >= self.not_before)

    def after_run(self, pending: PendingRequests, now: float) -> "RequestPause":
        """Return the pause after a run that began with `pending`: longer if it had the same to do. Pure."""
        is_same = pending.every == self.tried
        longer_s = min(max(2 * self.pause_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        pause_s = longer_s if is_same else FIRST_PAUSE_S
        return RequestPause(pending.every, pause_s, now + pause_s)


def pending_requests(db: Database, targets: Sequence[Target], now: datetime) -> PendingRequests:
    """Return what is pending, but for the redrafts that editors request. Raises DatabaseError."""
    publications = publications_to_send(db.publications.pending(), targets)
    others = {f"redraft {number}" for number in db.redrafts.pending_ids(SYSTEM_EDITOR)}
    others |= {f"text {number}" for number in db.versions.unwritten()}
    due = {_key(row) for row in publications if row.is_due(now)}
    return PendingRequests(
        every=frozenset(others | {_key(row) for row in publications}), due=frozenset(others | due)
    )


def _key(row: Publication) -> str:
    return f"publication {row.id}"


def publications_to_send(pending: Iterable[Publication], targets: Sequence[Target]) -> list[Publication]:
    """Return the pending publications that a run can carry out. Pure.

    Those of targets that are not configured are left out, and deploy hooks for articles that other targets
    are still to get: the run that sends them calls the hooks.
    """
    hooks = {target.name for target in targets if isinstance(target, HookTarget)}
    others = {target.name for target in targets} - hooks
    rows = list(pending)
    content = [row for row in rows if row.target in others]
    unsent = {row.item_id for row in content}
    return content + [row for row in rows if row.target in hooks and row.item_id not in unsent]
