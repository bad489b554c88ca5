"""Decides how serious it is that the source does not have a number of a draft."""

from pipeline.checks.numbers.models import FRACTION, MULTIPLE, ORDINAL, PLAIN, TIME, NumberMention
from pipeline.domain.reviews import Severity

MAX_COUNTED = 12
"""Highest number in words that a writer may have counted or reckoned. Chosen, not measured."""


def absent_severity(claim: NumberMention, *, has_counterpart: bool, is_article: bool) -> Severity | None:
    """Return how serious a number is that the source does not have; None where it claims nothing.

    `has_counterpart`: the source has another number in the same context. `is_article`: an article and a unit
    of time, "a year". What is written in digits blocks. In words, a writer may count, order and divide what
    the source lists: a small count blocks only against another one of the source, the rest never blocks.
    """
    if is_article:
        return Severity.WARN if has_counterpart else None
    if not claim.spelled:
        return Severity.BLOCK
    if claim.kind == ORDINAL:
        return Severity.WARN if has_counterpart else (None if claim.value == 1 else Severity.NOTE)
    if claim.kind in (FRACTION, MULTIPLE):
        is_common = claim.value in (0.5, 2)
        return Severity.NOTE if is_common and not has_counterpart else Severity.WARN
    if claim.kind in (PLAIN, TIME) and claim.value <= MAX_COUNTED:
        if has_counterpart:
            return Severity.BLOCK
        return Severity.NOTE if claim.value == 2 else Severity.WARN
    return Severity.BLOCK
