"""Years that a source does not name but compares its own with: "a year earlier", "before 2019"."""

from collections.abc import Sequence
from functools import cached_property

from pipeline.checks.dates.extract import DATE, RELATIVE, DateMention
from pipeline.checks.dates.lexicon import DateLexicon
from pipeline.checks.dates.source_dates import SourceDates

_BEFORE_CHARS = 24
"""Characters before a year of the source that say that an earlier one is meant. Chosen, not measured."""
_TOLD_CHARS = 60
"""Characters before a year of the draft that tell it as a comparison or an end. Chosen, not measured."""


class ComparedYears:
    """The years before those of a source, where it compares with them."""

    def __init__(
        self, source: SourceDates, mentions: Sequence[DateMention], text: str, lexicon: DateLexicon
    ) -> None:
        self._source = source
        self._mentions = mentions
        self._text = text
        self._lexicon = lexicon

    def evidence(self, claim: DateMention) -> tuple[tuple[int, int], ...] | None:
        """Return the places of the comparison that a date of the year before rests on; None without one."""
        if claim.kind != DATE or not claim.year or (claim.month and not self._has_month(claim)):
            return None
        if (end := self._ends.get(claim.year)) is not None:
            return ((end.start, end.end),)
        years = {claim.year, claim.last} if claim.last > 0 else {claim.year}
        if not self._compares or not all(year + 1 in self._source.years for year in years):
            return None
        return tuple((each.start, each.end) for each in self._mentions if _is_last_year(each))[:1]

    def is_told(self, claim: DateMention, text: str) -> bool:
        """Tell whether the draft tells a year as a comparison or an end: "the same months of 2024"."""
        before = text[max(0, claim.start - _TOLD_CHARS) : claim.start].lower()
        return self._lexicon.reckoned.search(before.rpartition(". ")[2]) is not None

    def _has_month(self, claim: DateMention) -> bool:
        if claim.days:
            return all((claim.month, day) in self._source.days for day in claim.days)
        return claim.month in self._source.months

    @cached_property
    def _compares(self) -> bool:
        return -1 in self._source.steps("year") | self._source.elapsed_steps("year")

    @cached_property
    def _ends(self) -> dict[int, DateMention]:
        """Return the last year before one that the source names as a limit: 2018 for "before 2019"."""
        years = (each for each in self._mentions if each.kind == DATE and not each.month and each.last < 0)
        return {
            each.year - 1: each
            for each in years
            if self._lexicon.earlier.search(
                self._text[max(0, each.start - _BEFORE_CHARS) : each.start].lower()
            )
        }


def _is_last_year(mention: DateMention) -> bool:
    return mention.kind == RELATIVE and mention.unit == "year" and mention.number == -1
