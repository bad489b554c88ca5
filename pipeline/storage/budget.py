"""The budget: what model calls cost, reservations for calls under way, spending caps and call limits."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import LeaseLost, RateLimited
from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import DEFAULT_PROFILE
from pipeline.storage import leases
from pipeline.storage.batch_queue import BatchQueue
from pipeline.storage.call_totals import CountedCall, add_calls
from pipeline.storage.engine import Transactions
from pipeline.storage.processes import process_is_dead
from pipeline.storage.records import WRITING, DraftRow, Lease
from pipeline.storage.schema import calls, feeds, items, reservations
from pipeline.storage.spending_caps import CallCost, SpendingCap, cap_reached

_MINUTE = timedelta(minutes=1)


class CallLimits(NamedTuple):
    """Limits on the calls of all runs together; None: no limit."""

    at_once: int | None = None
    a_minute: int | None = None
    profile: str | None = None
    """Name of the model profile that is called."""
    profile_a_minute: int | None = None
    """Calls of that profile in a minute."""


UNLIMITED = CallLimits()


class CallDetails(NamedTuple):
    """What is recorded with an answer."""

    purpose: str = "draft"
    at: datetime | None = None
    """None: now."""
    run: str | None = None
    micros: int | None = None
    """Its price in millionths of a US dollar; None where the price is not known."""
    reservation: int | None = None
    """The reservation that the price replaces."""
    profile: str | None = None
    """Name of the model profile."""


_PLAIN_CALL = CallDetails()


class LLMCall(NamedTuple):
    """One answer that was paid for."""

    at: datetime
    feed_key: str
    model: str
    purpose: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    micros: int | None
    """Millionths of a US dollar; None where the price is not known."""
    profile: str = DEFAULT_PROFILE
    estimated: bool = False
    """The server did not tell the whole usage: it is counted at its upper bound."""


CallSubject = Lease | DraftRow
"""What a call is about: a leased item, or a draft that an editor works on."""
_MAX_ANSWERS = 200
"""Answers stored by one transaction: more than calls in flight. Chosen, not measured."""


class Entry(NamedTuple):
    """A part of a group's transaction."""

    write: Callable[[sa.Connection], BaseException | None]
    """Returns its error, if it fails alone."""
    call: CountedCall | None = None
    """The call that it stores."""


class BudgetRepository(Transactions):
    """Reserves, records and lists the cost of model calls."""

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        super().__init__(engine, owner)
        self.commits = BatchQueue(self._write_all, limit=_MAX_ANSWERS)

    def reserve(
        self,
        run: str,
        cost: CallCost,
        caps: Sequence[SpendingCap],
        now: datetime,
        *,
        stale: datetime,
        limits: CallLimits = UNLIMITED,
    ) -> tuple[int, int]:
        """Reserve up to `cost.max_micros`, as far as the caps allow; returns the reservation's id and amount.

        Raises BudgetExceeded naming the cap where less than `cost.min_micros` is left; `pending` in its
        context is whether calls begun after `stale` hold some of that cap, which they may release. Raises
        RateLimited where a call limit is reached.
        """
        with self._exclusive_write() as connection:
            _require_limits(connection, limits, now, stale)
            micros = _granted(connection, run, cost, caps, stale)
            row = reservations.insert().values(
                run=run, at=now, micros=micros, owner=self._owner, profile=limits.profile
            )
            [number] = connection.execute(row).inserted_primary_key or [0]
            return int(number), micros

    def require_left(self, run: str, cost: CallCost, caps: Sequence[SpendingCap]) -> None:
        """Raise BudgetExceeded where `reserve` would, and reserve nothing."""
        with self._reading() as connection:
            _granted(connection, run, cost, caps)

    def release(self, reservation: int) -> None:
        """Delete a reservation: the call was not answered."""
        with self._writing() as connection:
            _release(connection, reservation)

    def reclaim_dead(self) -> None:
        """Mark the reservations of dead processes of this host as not under way.

        Their amounts stay reserved: the calls may have been billed.
        """
        with self._writing() as connection:
            query = sa.select(reservations.c.owner).where(reservations.c.owner.is_not(None)).distinct()
            dead = [owner for owner in connection.scalars(query) if owner and process_is_dead(owner)]
            if dead:
                ended = reservations.update().where(reservations.c.owner.in_(dead))
                connection.execute(ended.values(owner=None))

    def submit(
        self, about: CallSubject, answer: LLMResponse, details: CallDetails = _PLAIN_CALL
    ) -> "Future[None]":
        """Store an answer soon, together with others; its price replaces its reservation.

        The future raises LeaseLost where another run holds the item now; the answer is stored even so.
        """
        usage = answer.usage
        call = CountedCall(
            answer.provenance.model, details.purpose, usage.prompt_tokens, usage.completion_tokens,
            details.micros, answer.seconds,
        )  # fmt: skip
        return self.commits.submit(Entry(partial(_record, about, answer, details), call))

    def record(self, about: CallSubject, answer: LLMResponse, details: CallDetails = _PLAIN_CALL) -> None:
        """Store an answer as `submit` does, and wait until it is stored."""
        self.submit(about, answer, details).result()

    def close(self) -> None:
        """Store what was submitted."""
        self.commits.close()

    def annotate(self, about: CallSubject, notes: Sequence[str]) -> "Future[None]":
        """Add notes to the last answer about an item soon; notes that it has already stay single."""
        return self.commits.submit(Entry(partial(_add_notes, about, notes)))

    def _write_all(self, entries: Sequence[Entry]) -> list[BaseException | None]:
        with self._writing(urgent=True) as connection:
            results = [entry.write(connection) for entry in entries]
            add_calls(connection, [entry.call for entry in entries if entry.call])
            return results

    def spent(self, cap: SpendingCap) -> int:
        """Return what was spent in the period of a cap that is not a run's, in millionths of a US dollar."""
        with self._reading() as connection:
            return _spent(connection, "", cap)

    def reserved(self, cap: SpendingCap) -> int:
        """Return what is reserved in such a period: for calls under way, and those of killed processes."""
        with self._reading() as connection:
            return _reserved(connection, "", cap)

    def mark_unusable(self, about: CallSubject, reason: str, purpose: str = "draft") -> None:
        """Mark an item's answers for a purpose as unusable, so that the next lease calls again.

        The purposes of WRITING are one. Raises LeaseLost.
        """
        purposes = WRITING if purpose in WRITING else (purpose,)
        with self._writing() as connection:
            mine = sa.and_(
                calls.c.item_id == about.item_id, calls.c.unusable.is_(None), calls.c.purpose.in_(purposes)
            )
            if about.request:
                mine = sa.and_(mine, calls.c.request_id == about.request.id)
            connection.execute(calls.update().where(mine).values(unusable=reason))
            if isinstance(about, Lease) and purposes is WRITING:
                leases.set_state(connection, about, "seen")

    def estimated_among_last(self, profile: str, model: str, count: int) -> int:
        """Return how many of the last `count` answers of a profile's model have an estimated usage."""
        mine = (sa.func.coalesce(calls.c.profile, DEFAULT_PROFILE) == profile, calls.c.model == model)
        last = sa.select(calls.c.estimated).where(*mine).order_by(calls.c.id.desc()).limit(count).subquery()
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(last.c.estimated)) or 0

    def calls_since(self, since: datetime | None) -> list[LLMCall]:
        """Return the paid answers since a time (None: all), in the order of the calls."""
        columns = (
            calls.c.at, feeds.c.key, calls.c.model, calls.c.purpose, calls.c.prompt_tokens,
            calls.c.cached_tokens, calls.c.completion_tokens, calls.c.reasoning_tokens, calls.c.micros,
            sa.func.coalesce(calls.c.profile, DEFAULT_PROFILE), calls.c.estimated,
        )  # fmt: skip
        query = sa.select(*columns).select_from(calls.join(items).join(feeds)).order_by(calls.c.id)
        if since is not None:
            query = query.where(calls.c.at >= since)
        with self._reading() as connection:
            return [LLMCall(*row) for row in connection.execute(query)]


def _granted(
    connection: sa.Connection,
    run: str,
    cost: CallCost,
    caps: Sequence[SpendingCap],
    stale: datetime | None = None,
) -> int:
    """Return the micros that the caps allow for a call. Raises BudgetExceeded where they are too few."""
    micros = cost.max_micros
    for cap in caps:
        spent, reserved = _spent(connection, run, cap), _reserved(connection, run, cap)
        micros = min(micros, cap.micros - spent - reserved)
        if micros < cost.min_micros:
            pending = _reserved(connection, run, cap, stale) > 0
            raise cap_reached(cap, spent, cost, pending=pending)
    return micros


def _require_limits(connection: sa.Connection, limits: CallLimits, now: datetime, stale: datetime) -> None:
    """Raise RateLimited where a limit of calls under way, or of calls in a minute, is reached."""
    table = reservations
    under_way = sa.and_(table.c.at > stale, table.c.owner.is_not(None))
    if limits.at_once is not None and _count(connection, under_way) >= limits.at_once:
        raise RateLimited("as many calls are under way as there may be", limit="at once")
    last = now - _MINUTE
    if limits.a_minute is not None and _calls_after(connection, last) >= limits.a_minute:
        raise RateLimited("as many calls were made in a minute as there may be", limit="a minute")
    own = limits.profile_a_minute
    if own is not None and _calls_after(connection, last, limits.profile) >= own:
        raise RateLimited(f"{limits.profile} was called as often in a minute as it may be", limit="a minute")


def _calls_after(connection: sa.Connection, last: datetime, profile: str | None = None) -> int:
    """Return the calls under way or made after a time; with a profile, its own."""
    reserved, made = [reservations.c.at > last], [calls.c.at > last]
    if profile is not None:
        reserved.append(reservations.c.profile == profile)
        made.append(calls.c.profile == profile)
    counted = sa.select(sa.func.count()).select_from(calls).where(*made)
    return _count(connection, sa.and_(*reserved)) + (connection.scalar(counted) or 0)


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(reservations).where(condition)) or 0


def _release(connection: sa.Connection, reservation: int) -> None:
    connection.execute(reservations.delete().where(reservations.c.id == reservation))


def _add_notes(about: CallSubject, notes: Sequence[str], connection: sa.Connection) -> None:
    mine = sa.select(calls.c.id, calls.c.notes).where(calls.c.item_id == about.item_id)
    number, earlier = connection.execute(mine.order_by(calls.c.id.desc()).limit(1)).one()
    lines = "\n".join(dict.fromkeys((*(earlier or "").splitlines(), *notes)))
    connection.execute(calls.update().where(calls.c.id == number).values(notes=lines))


def _record(
    about: CallSubject, answer: LLMResponse, details: CallDetails, connection: sa.Connection
) -> LeaseLost | None:
    _insert_call(connection, about, answer, details)
    if details.reservation is not None:
        _release(connection, details.reservation)
    if not isinstance(about, Lease):
        return None
    try:
        leases.set_state(connection, about, "answered")
    except LeaseLost as error:
        return error
    return None


def _insert_call(
    connection: sa.Connection, about: CallSubject, answer: LLMResponse, details: CallDetails
) -> None:
    connection.execute(
        calls.insert().values(
            item_id=about.item_id,
            feed_id=sa.select(items.c.feed_id).where(items.c.id == about.item_id).scalar_subquery(),
            request_id=about.request.id if about.request else None,
            purpose=details.purpose,
            at=details.at or datetime.now(UTC),
            run=details.run,
            micros=details.micros,
            model=answer.provenance.model,
            prompt=answer.provenance.prompt,
            answer=answer.text,
            seconds=answer.seconds,
            estimated=answer.estimated,
            notes="\n".join(answer.notes) or None,
            profile=details.profile,
            **answer.usage.model_dump(),
        )
    )


def _spent(connection: sa.Connection, run: str, cap: SpendingCap) -> int:
    return int(connection.scalar(_spent_query(run, cap)) or 0)


def _spent_query(run: str, cap: SpendingCap) -> sa.Select[tuple[int | None]]:
    return sa.select(sa.func.sum(calls.c.micros)).where(*_within(run, cap, calls))


def _within(run: str, cap: SpendingCap, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for rows of calls or reservations that count for a cap."""
    if cap.since is None:
        return [table.c.run == run]
    named = [table.c.run.startswith(cap.runs, autoescape=True)] if cap.runs else []
    return [table.c.at >= cap.since, *named]


def _reserved(connection: sa.Connection, run: str, cap: SpendingCap, after: datetime | None = None) -> int:
    table = reservations
    within = _within(run, cap, table)
    within += [table.c.at > after, table.c.owner.is_not(None)] if after else []
    return int(connection.scalar(sa.select(sa.func.sum(table.c.micros)).where(*within)) or 0)
