"""Months and days at the edges of periods: "the three months to December", "the 1st of next month"."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.checks.language_tables import Phrases

_YEAR_MONTHS = 12
_HALF_YEAR, _QUARTER = 6, 3
_MAX_STEP = 1
"""Months from publication of "this", "last" and "next month"."""


class PeriodLexicon(NamedTuple):
    """Expressions of one language for lower-case texts, read from `periods` of `dates.toml`."""

    months_to: Phrases
    """Some months that end with a named one: groups `count`, `half`, `quarter`, `month`."""
    first_months: Phrases
    """The first months of a year: group `count`."""
    fiscal_year: Phrases
    """A year that ends with a month: groups `fiscal`, empty for "the year to March", and `month`."""
    day_of_month: Phrases
    """A day of this, the last or the next month: groups `day`, `step`."""
    night_before: Phrases
    """The night before a weekday: group `weekday`."""


def period_lexicon(table: Mapping[str, Any], words: Mapping[str, str]) -> PeriodLexicon:
    """Return the lexicon; `words` has expressions for counts, months, weekdays and steps."""
    periods = {name: "|".join(forms) for name, forms in table["periods"].items()}
    end = rf"(?:{periods['end']})\s(?:(?:{periods['edge']})\s)?(?:\d{{1,2}}(?:st|nd|rd|th|\.|º)?\s(?:de\s)?)?"
    count = rf"(?P<count>\d{{1,2}}|{words['counts']})"
    month = rf"(?P<month>{words['months']})(?!\w)"
    day = rf"(?P<day>\d{{1,2}})(?:{periods['ordinal']})?\s"
    expressions = {
        "months_to": rf"(?:{count}[\s-](?:{periods['months']})|(?P<half>{periods['six-months']})"
        rf"|(?P<quarter>{periods['three-months']}))\s{end}{month}",
        "first_months": rf"(?:{periods['first']})\s{count}\s(?:{periods['months']})(?!\w)",
        "fiscal_year": rf"(?:(?P<fiscal>{periods['fiscal']})|(?:{periods['year']})),?\s{end}{month}",
        "day_of_month": rf"{day}(?:{periods['of']})\s?(?P<step>{words['steps']})\s(?:{periods['month']})"
        r"(?!\w)"
        rf"|(?<!\w){day.replace('<day>', '<d>')}(?:{periods['of']})\s?(?:{periods['month']})\s"
        rf"(?P<after>{words['after']})(?!\w)",
        "night_before": rf"(?:{periods['night-before']})\s(?P<weekday>{words['weekdays']})(?!\w)",
    }
    table = table["periods"]
    firsts = {
        "months_to": ("0", *words["counts"].split("|"), *table["six-months"], *table["three-months"]),
        "first_months": table["first"],
        "fiscal_year": (*table["fiscal"], *table["year"]),
        "day_of_month": ("0",),
        "night_before": table["night-before"],
    }
    return PeriodLexicon(
        **{
            name: Phrases(re.compile(rf"(?<!\w){expression}"), firsts[name])
            for name, expression in expressions.items()
        }
    )


class PeriodWords(NamedTuple):
    """The numbers of words of one language."""

    counts: Mapping[str, int]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    steps: Mapping[str, int]


def period_edges(
    lower: str, text: str, lexicon: PeriodLexicon, words: PeriodWords
) -> Iterator[tuple[int, str, int]]:
    """Yield (position, unit, number) of each month, weekday and day at the edge of a period of a text.

    Units: month (1 to 12), weekday (from Monday, 0), "day of month" (100 times the months from publication,
    plus the day).
    """
    for match in lexicon.months_to.finditer(lower, text):
        fixed = _HALF_YEAR if match["half"] else _QUARTER if match["quarter"] else 0
        count = fixed or words.counts.get(match["count"]) or int(match["count"])
        yield match.start(), "month", _month(words.months[match["month"]] - count + 1)
    for match in lexicon.first_months.finditer(lower, text):
        count = words.counts.get(match["count"]) or int(match["count"])
        if count <= _YEAR_MONTHS:
            yield from ((match.start(), "month", month) for month in (1, count))
    for match in lexicon.fiscal_year.finditer(lower, text):
        last = words.months[match["month"]]
        halves = (last + _HALF_YEAR, last + _HALF_YEAR + 1) if match["fiscal"] else ()
        yield from ((match.start(), "month", _month(month)) for month in (last + 1, *halves))
    for match in lexicon.day_of_month.finditer(lower, text):
        step = words.steps[match["step"] or match["after"]]
        if abs(step) <= _MAX_STEP:
            yield match.start(), "day of month", 100 * step + int(match["day"] or match["d"])
    for match in lexicon.night_before.finditer(lower, text):
        yield match.start(), "weekday", (words.weekdays[match["weekday"]] - 1) % 7


def _month(number: int) -> int:
    """Return the month from 1 to 12 of a number that may be beyond the year."""
    return (number - 1) % _YEAR_MONTHS + 1
