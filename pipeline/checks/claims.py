"""Checks of any text against any source: what of it does not stand there. Needs no beat and no item."""

from collections.abc import Callable, Iterable
from datetime import datetime

from pipeline.checks.dates import check_dates
from pipeline.checks.names import check_names
from pipeline.checks.numbers import check_numbers
from pipeline.checks.quotations.check import check_quotations
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding

Check = Callable[[CheckInput], Iterable[Finding]]

CLAIM_CHECKS: tuple[Check, ...] = (check_numbers, check_dates, check_names, check_quotations)
"""Those that trace what is said to the source."""


def check_text(
    source: str, text: str, *, language: str = "en", published: datetime | None = None
) -> list[Finding]:
    """Return what of a plain text does not stand in its source, in the order of the text.

    Spans are characters of `text`, evidence characters of `source`. Severity: block and warn for claims that
    the source does not bear out; notes for those that can be worked out from it (their evidence is what
    from), and for kinds of claims that are not checked in the language.
    """
    case = CheckInput(TokenizedText(text), TokenizedText(source), language, published)
    return sorted((one for check in CLAIM_CHECKS for one in check(case)), key=lambda one: one.span or (0, 0))
