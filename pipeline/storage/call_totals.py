"""Totals of model calls by model and purpose, kept in the transactions that store calls.

Counters of monitoring are sums over all calls ever made: adding them up reads every call each time.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.storage.column_types import SafeText
from pipeline.storage.schema import metadata

BUCKETS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds, in seconds, of the histogram of answer times. Chosen, not measured."""
BUCKET_COLUMNS = tuple(f"within_{end:g}_s" for end in BUCKETS_S)
_SUMS = ("calls", "prompt_tokens", "completion_tokens", "priced", "micros", "timed")
"""priced: calls whose price is known; timed: calls whose time is known."""

call_totals = sa.Table(
    "call_totals",
    metadata,
    sa.Column("model", SafeText, primary_key=True),
    sa.Column("purpose", SafeText, primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in (*_SUMS, *BUCKET_COLUMNS)),
    sa.Column("seconds", sa.Float, nullable=False),
)


class CountedCall(NamedTuple):
    """What the totals hold of one call."""

    model: str
    purpose: str
    prompt_tokens: int
    completion_tokens: int
    micros: int | None
    seconds: float | None


def add_calls(connection: sa.Connection, counted: Iterable[CountedCall]) -> None:
    """Add calls to the totals; the last statement of the transaction that stores them.

    The rows are written in one order, so that two transactions never wait for each other.
    """
    sums: dict[tuple[str, str], Counter[str]] = {}
    for call in counted:
        sums.setdefault((call.model, call.purpose), Counter()).update(_parts(call))
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(call_totals)
    columns = (*_SUMS, *BUCKET_COLUMNS, "seconds")
    added = insert.on_conflict_do_update(
        index_elements=["model", "purpose"],
        set_={name: call_totals.c[name] + insert.excluded[name] for name in columns},
    )
    for (model, purpose), parts in sorted(sums.items()):
        values = {name: parts[name] for name in columns}
        connection.execute(added.values(model=model, purpose=purpose, **values))


def _parts(call: CountedCall) -> dict[str, float]:
    """Return what a call adds to each column."""
    parts: dict[str, float] = {
        "calls": 1,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "priced": int(call.micros is not None),
        "micros": call.micros or 0,
        "timed": int(call.seconds is not None),
        "seconds": call.seconds or 0.0,
    }
    if call.seconds is not None:
        ends = zip(BUCKET_COLUMNS, BUCKETS_S, strict=True)
        parts |= {name: 1 for name, end in ends if call.seconds <= end}
    return parts
