"""Filters of the queue: parsed from and written to a URL's query, and turned into a ledger query. Pure."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlencode

from pipeline.config import Subscriptions
from pipeline.domain.models import FrozenModel
from pipeline.storage import DraftQuery

State = Literal["drafted", "approved", "rejected"]
Findings = Literal["held", "warned", "clean"]
Order = Literal["waiting", "newest", "oldest", "findings", "shortest"]
STATES: tuple[State, ...] = get_args(State)
FINDINGS: tuple[Findings, ...] = get_args(Findings)
ORDERS: tuple[Order, ...] = get_args(Order)


class Filters(FrozenModel):
    """Which drafts the queue shows, and in which order."""

    state: State = "drafted"
    feed: str = ""
    beat: str = ""
    findings: Findings | Literal[""] = ""
    kind: str = ""
    """Only drafts with an open finding of this kind."""
    q: str = ""
    asked: bool = False
    """Only drafts with an open rewrite request."""
    changed: bool = False
    """Only drafts whose source changed."""
    sort: Order = "waiting"

    def query(self, **changes: str | bool) -> str:
        """Return the query string with `changes`, without fields that have their default."""
        defaults = Filters()
        values = self.model_dump() | changes
        return urlencode(
            {name: _parameter(value) for name, value in values.items() if value != getattr(defaults, name)}
        )

    def criteria(self, subscriptions: Subscriptions) -> DraftQuery:
        """Return the filters as the ledger's query; the beat becomes its feeds."""
        feeds = [feed.key for feed in subscriptions.feeds if feed.beat == self.beat] if self.beat else None
        if self.feed:
            feeds = [self.feed] if feeds is None or self.feed in feeds else []
        return DraftQuery(
            state=self.state,
            feeds=None if feeds is None else tuple(feeds),
            words=tuple(self.q.split()[:8]),
            findings=self.findings or None,
            kind=self.kind,
            asked=self.asked,
            changed=self.changed,
            order=self.sort,
        )

    def corrections(self, subscriptions: Subscriptions) -> DraftQuery | None:
        """Return the query for the published articles that stand above the queue, as they need a correction.

        None where they do not: the queue is in another order, or shows drafts of some kind only.
        """
        of_some_kind = self.findings or self.kind or self.asked
        if self.state != "drafted" or self.sort != "waiting" or of_some_kind:
            return None
        changes = {"state": "approved", "changed": True, "order": "newest"}
        return self.criteria(subscriptions).model_copy(update=changes)

    @property
    def narrowed(self) -> bool:
        """Whether anything but state and order is set."""
        return self.model_copy(update={"state": "drafted", "sort": "waiting"}) != Filters()


def _parameter(value: object) -> str:
    return {True: "1", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)


def read_filters(query: Mapping[str, str]) -> Filters:
    """Return the filters of a URL's query; unknown values are ignored."""
    # No database has null characters in texts; PostgreSQL refuses them in parameters, too.
    values: dict[str, object] = {
        name: query.get(name, "").replace("\0", "")[:200] for name in ("feed", "beat", "kind", "q")
    }
    for name, choices in (("state", STATES), ("findings", FINDINGS), ("sort", ORDERS)):
        if query.get(name) in choices:
            values[name] = query[name]
    values |= {name: bool(query.get(name)) for name in ("asked", "changed")}
    return Filters.model_validate(values)
