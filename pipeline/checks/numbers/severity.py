"""Decides how serious it is that the source does not have a number of a draft."""

from typing import NamedTuple

from pipeline.checks.numbers.models import FRACTION, MULTIPLE, ORDINAL, PLAIN, POINTS, TIME, NumberMention
from pipeline.domain.reviews import Severity

MAX_COUNTED = 12
"""Highest number in words that a writer may have counted or reckoned. Chosen, not measured."""


_MAX_ROUGH = 100
"""Highest number in words that may be a rough one: "about twenty". Chosen, not measured."""
_COUNTED_KINDS = (PLAIN, TIME, POINTS)
"""Points are also what a text makes: "in six points"."""


class Absence(NamedTuple):
    """What is known about a number that the source does not have."""

    has_counterpart: bool
    """The source has one other number in the same context."""
    is_article: bool = False
    """An article and a unit of time: "a year"."""
    is_distance: bool = False
    """A distance from another time: "a year earlier"."""
    is_record: bool = False
    """An ordinal that is a claim of its own: "the fourth successive title", "for the first time"."""
    is_idiom: bool = False
    """A word such as "twice"."""
    is_listed: bool = False
    """The source lists as many items."""
    may_be_reckoned: bool = False
    """Two numbers of the source, of the same thing, give this sum or difference."""
    is_calendar: bool = False
    """A larger unit in smaller ones ("twelve months"), or the first part of a year ("first nine months")."""
    may_follow: bool = False
    """One step of arithmetic with numbers of the source gives it, perhaps by chance."""
    is_in_name: bool = False
    """It follows a word with a capital, so it may be part of a name: "League Two"."""


def absent_severity(claim: NumberMention, absence: Absence) -> Severity | None:
    """Return how serious a number is that the source does not have; None where it claims nothing.

    Digits block, unless they may follow from the source, or count its lists. In words, a writer may count,
    order, round and divide what the source has: a number blocks only against another one of the source, an
    ordinal, a fraction and a multiple never.
    """
    if absence.is_article:
        is_claim = absence.has_counterpart or (claim.hedge and not absence.is_distance)
        return Severity.WARN if is_claim else None
    if not claim.spelled:
        is_counted = absence.is_listed and claim.kind == PLAIN and not absence.has_counterpart
        return Severity.WARN if is_counted or absence.may_follow else Severity.BLOCK
    if claim.kind == ORDINAL:
        return _absent_ordinal(claim, absence)
    if claim.kind in (FRACTION, MULTIPLE):
        is_vague = absence.is_idiom or (claim.value == 0.5 and not claim.hedge)
        return Severity.NOTE if is_vague and not absence.has_counterpart else Severity.WARN
    if is_small_count(claim):
        if absence.has_counterpart:
            return Severity.WARN if absence.may_be_reckoned else Severity.BLOCK
        is_counted = (claim.value == 2 or absence.is_listed) and claim.kind != TIME and not absence.is_in_name
        return Severity.NOTE if is_counted or absence.is_calendar else Severity.WARN
    may_be_rough = claim.value <= _MAX_ROUGH and not absence.has_counterpart
    return Severity.WARN if may_be_rough or absence.may_follow else Severity.BLOCK


def is_small_count(claim: NumberMention) -> bool:
    """Tell whether a number is a small one in words, which the writer may have counted."""
    return claim.spelled and claim.kind in _COUNTED_KINDS and claim.value <= MAX_COUNTED


def _absent_ordinal(claim: NumberMention, absence: Absence) -> Severity | None:
    if absence.is_record or absence.has_counterpart:
        return Severity.WARN
    return None if claim.value == 1 else Severity.NOTE
