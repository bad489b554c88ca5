"""What an editor wants to see, as the query of a URL and as the ledger is asked. Pure."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlencode

from pipeline.config import Subscriptions
from pipeline.domain.models import FrozenModel
from pipeline.storage import DraftQuery

State = Literal["drafted", "approved", "rejected"]
Findings = Literal["held", "warned", "clean"]
Order = Literal["newest", "oldest", "findings"]
STATES: tuple[State, ...] = get_args(State)
FINDINGS: tuple[Findings, ...] = get_args(Findings)
ORDERS: tuple[Order, ...] = get_args(Order)


class Filters(FrozenModel):
    """The part of the queue that is looked at."""

    state: State = "drafted"
    feed: str = ""
    beat: str = ""
    findings: Findings | Literal[""] = ""
    q: str = ""
    asked: bool = False
    changed: bool = False
    sort: Order = "newest"

    def query(self, **changes: str | bool) -> str:
        """Return the query string, without what is as usual."""
        usual = Filters()
        told = self.model_dump() | changes
        return urlencode(
            {name: _told(value) for name, value in told.items() if value != getattr(usual, name)}
        )

    def wanted(self, subscriptions: Subscriptions) -> DraftQuery:
        """Return what the ledger is asked for."""
        feeds = [feed.key for feed in subscriptions.feeds if feed.beat == self.beat] if self.beat else None
        if self.feed:
            feeds = [self.feed] if feeds is None or self.feed in feeds else []
        return DraftQuery(
            state=self.state,
            feeds=None if feeds is None else tuple(feeds),
            words=tuple(self.q.split()[:8]),
            findings=self.findings or None,
            asked=self.asked,
            changed=self.changed,
            order=self.sort,
        )

    @property
    def narrowed(self) -> bool:
        """Tell whether anything but the state is chosen."""
        return self.model_copy(update={"state": "drafted", "sort": "newest"}) != Filters()


def _told(value: object) -> str:
    return {True: "1", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)


def read_filters(query: Mapping[str, str]) -> Filters:
    """Return what a URL asks for; what nobody knows is left out."""
    known: dict[str, object] = {name: query.get(name, "")[:200] for name in ("feed", "beat", "q")}
    for name, choices in (("state", STATES), ("findings", FINDINGS), ("sort", ORDERS)):
        if query.get(name) in choices:
            known[name] = query[name]
    known |= {name: bool(query.get(name)) for name in ("asked", "changed")}
    return Filters.model_validate(known)
