"""Runs: recorded when they begin, completed with what they did when they end."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from pydantic import Field, TypeAdapter

from pipeline.domain.days import Day
from pipeline.domain.models import FrozenModel
from pipeline.storage.daily import by_day
from pipeline.storage.engine import Transactions
from pipeline.storage.processes import is_elsewhere, process_is_dead
from pipeline.storage.run_schema import runs
from pipeline.storage.schema import calls

RunState = Literal["running", "done", "stopped", "lost"]
"""Under way; ended as planned; ended early, with a reason; its process ended before it recorded an end."""
MAX_AGE = timedelta(days=400)
"""Older runs are deleted. Chosen, not measured: a year can be compared with the year before."""
_SILENT = timedelta(days=1)
"""After this time, a run on another host that has not ended counts as lost. Chosen, not measured."""
_LONGEST = timedelta(days=30)
"""Calls of a run without an end are looked for so long after its beginning. Chosen, not measured."""


class ItemCounts(FrozenModel):
    """What a run did with items, and what its calls cost."""

    new: int = 0
    drafted: int = 0
    held: int = 0
    skipped: int = 0
    merged: int = 0
    failed: int = 0
    """Items that it tried in vain."""
    waiting: int = 0
    """Items whose page could not be had, at its end."""
    queued: int = 0
    """Items left for the next run."""
    micros: int = 0
    """Millionths of a US dollar, of the calls whose price is known."""
    unpriced: int = 0


class FeedActivity(ItemCounts):
    """What a run did with one feed."""

    feed: str
    drafts: tuple[str, ...] = ()
    """External ids of the first ones."""
    waits: dict[str, int] = Field(default_factory=dict)
    """Number of waiting items by cause."""
    causes: dict[str, int] = Field(default_factory=dict)
    """Number of failed items by cause, without words of the items: those can be erased."""
    seconds: float = 0
    error: str | None = None
    """Why the feed could not be read."""


class RunSummary(ItemCounts):
    """What a run did, and how it ended."""

    polled: int = 0
    """Feeds that were polled or worked on."""
    unread: int = 0
    """Feeds that could not be read."""
    exit_code: int = 0
    stopped: str | None = None
    """Why it ended early."""
    feeds: tuple[FeedActivity, ...] = ()
    """Those with something to tell."""


class RunRow(RunSummary):
    """A run."""

    name: str
    flow: str
    page: str
    """URL of its page in Prefect; empty without one."""
    began_at: datetime
    ended_at: datetime | None
    state: RunState
    is_reported: bool
    """Whether it recorded what it did: not if it is under way, was killed, or ended by an error."""


class RunCost(NamedTuple):
    """What the calls of a run cost."""

    calls: int
    unpriced: int
    """Calls whose price is not known."""
    micros: int
    """Millionths of a US dollar, of the others."""


class RunCount(FrozenModel):
    """How many runs of a day are in a state."""

    day: Day
    state: RunState
    count: int


class RunRepository(Transactions):
    """Stores runs."""

    def begin(self, name: str, flow: str, now: datetime, page: str = "") -> None:
        """Record a run that begins, and delete those older than MAX_AGE."""
        row = {"name": name, "flow": flow, "page": page, "began_at": now, "owner": self._owner}
        with self._writing() as connection:
            connection.execute(runs.delete().where(runs.c.began_at < now - MAX_AGE))
            connection.execute(runs.insert().values(**row))

    def end(self, name: str, summary: RunSummary, now: datetime) -> None:
        """Complete the record of a run that ends; not of one that is complete, or was never recorded."""
        details = _FEEDS.dump_json(summary.feeds, exclude_defaults=True).decode()
        outcome = "stopped" if summary.exit_code or summary.stopped else "done"
        end = {"ended_at": now, "outcome": outcome, "details": details}
        self._complete(name, {**summary.model_dump(exclude={"feeds"}), **end})

    def fail(self, name: str, stopped: str, exit_code: int, now: datetime) -> None:
        """Complete the record of a run that ends by an error, as `end` does; what it did is not recorded."""
        end = {"ended_at": now, "outcome": "stopped", "stopped": stopped, "exit_code": exit_code}
        self._complete(name, end)

    def _complete(self, name: str, values: dict[str, Any]) -> None:
        with self._writing() as connection:
            connection.execute(runs.update().where(runs.c.name == name, _IS_OPEN).values(**values))

    def get(self, name: str, now: datetime) -> RunRow | None:
        """Return a run with what it did with each feed; None: no such run is stored."""
        with self._reading() as connection:
            query = _LISTED.add_columns(runs.c.details).where(runs.c.name == name)
            row = connection.execute(query).first()
        if row is None:
            return None
        feeds = _FEEDS.validate_json(row.details) if row.details else ()
        return _run(row, now).model_copy(update={"feeds": feeds})

    def between(
        self, since: datetime, until: datetime, now: datetime, *, limit: int, offset: int = 0
    ) -> list[RunRow]:
        """Return the runs that began in [since, until), the last one first."""
        query = _LISTED.where(runs.c.began_at >= since, runs.c.began_at < until)
        ordered = query.order_by(runs.c.began_at.desc(), runs.c.name).limit(limit).offset(offset)
        with self._reading() as connection:
            return [_run(row, now) for row in connection.execute(ordered)]

    def cost(self, run: RunRow, now: datetime) -> RunCost:
        """Return what the recorded calls of a run cost; also of one that recorded no report."""
        until = run.ended_at or min(now, run.began_at + _LONGEST)
        mine = (calls.c.at >= run.began_at, calls.c.at <= until, calls.c.run == run.name)
        sums = (sa.func.count(calls.c.micros), sa.func.coalesce(sa.func.sum(calls.c.micros), 0))
        with self._reading() as connection:
            query = sa.select(sa.func.count(), *sums).where(*mine)
            number, priced, micros = connection.execute(query).one()
        return RunCost(number, number - priced, int(micros))

    def counts(self, days: Sequence[Day], now: datetime) -> list[RunCount]:
        """Return the numbers of runs by the day on which they began, and state."""
        with self._reading() as connection:
            rows = [(day, row.outcome, row.number) for day, row in by_day(connection, _COUNTED, days)]
            open_runs = connection.execute(_OPEN, {"since": days[0].since}).all() if days else []
        counts = Counter({(day, outcome): number for day, outcome, number in rows if outcome})
        for row in open_runs:
            day = next((day for day in days if day.since <= row.began_at < day.until), None)
            counts.update([(day, _state(row, now))] if day else [])
        return [RunCount(day=day, state=state, count=number) for (day, state), number in counts.items()]


def _run(row: sa.Row[Any], now: datetime) -> RunRow:
    values = {key: value for key, value in row._mapping.items() if key in RunRow.model_fields}
    return RunRow(**values, state=_state(row, now), is_reported=row.reported)


def _state(row: sa.Row[Any], now: datetime) -> RunState:
    """Return a run's state; one that has not ended is lost if its process is dead."""
    if row.outcome is not None:
        outcome: RunState = row.outcome
        return outcome
    is_silent = is_elsewhere(row.owner) and now - row.began_at > _SILENT
    return "lost" if is_silent or process_is_dead(row.owner) else "running"


_FEEDS = TypeAdapter(tuple[FeedActivity, ...])
_LISTED = sa.select(
    *(column for column in runs.c if column.name != "details"), runs.c.details.is_not(None).label("reported")
)
_SINCE = sa.bindparam("since", type_=runs.c.began_at.type)
_UNTIL = sa.bindparam("until", type_=runs.c.began_at.type)
_BEGAN = sa.and_(runs.c.began_at >= _SINCE, runs.c.began_at < _UNTIL)
_IS_OPEN = runs.c.outcome.is_(None)
_COUNTED = sa.select(runs.c.outcome, sa.func.count().label("number")).where(_BEGAN).group_by(runs.c.outcome)
_OPEN = sa.select(runs.c.began_at, runs.c.owner, runs.c.outcome).where(_IS_OPEN, runs.c.began_at >= _SINCE)
