"""Vocabulary of dates in one language, and the regular expressions made of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.dates.periods import PeriodLexicon, period_lexicon
from pipeline.checks.language_tables import Phrases, language_table

YEAR = r"(?:1[5-9]|20)\d\d"
END_OF = 9
"""Offset of "the end of": it supports only itself."""
MAX_ABBREVIATION = 4
"""Below this many letters a month name, up to this many a weekday name is ambiguous. Chosen, not measured."""
_UNITS = ("week", "month", "year", "weekend", "quarter", "season")


class DateLexicon(NamedTuple):
    """Vocabulary of one language, read from `dates.toml`; every word in lower case."""

    pattern: re.Pattern[str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    seasons: Mapping[str, int]
    decades: Mapping[str, int]
    """Words for a decade of a century → its years without the century: nineties → 90."""
    quarters: Mapping[str, int]
    days: Mapping[str, int]
    """Words for today, yesterday and tomorrow → offset in days."""
    steps: Mapping[str, int]
    """Words such as "last" → offset in units: -1."""
    units: Mapping[str, str]
    full_months: frozenset[str]
    """Month names that are not abbreviated."""
    weekday_names: tuple[str, ...]
    """From Monday on."""
    ambiguous: frozenset[str]
    morning: frozenset[str]
    afternoon: frozenset[str]
    capitals: bool
    """Months and weekdays begin with a capital letter."""
    capital_seasons: bool
    through: frozenset[str]
    """Signs and words between the first and the last day of a range."""
    before_season: re.Pattern[str]
    """What stands before a season that is a time, at the end of a text."""
    before_figure: re.Pattern[str]
    """What stands before a number that is no year, at the end of a text."""
    before_year: re.Pattern[str]
    """What stands before a round number that is a year, at the end of a text."""
    idiom: re.Pattern[str]
    """What stands before a word for tomorrow that means the future, at the end of a text."""
    earlier: re.Pattern[str]
    """What stands before a year where the one before it is the last that is meant, at the end of a text."""
    reckoned: re.Pattern[str]
    """Words of a comparison or of an end."""
    elapsed: Phrases
    """A span of time reckoned from a day: groups `first`, `count`, `unit`, `last`."""
    elapsed_words: Mapping[str, str]
    """Words such as "ago" → ago, ahead, earlier, later."""
    elapsed_units: Mapping[str, str]
    counts: Mapping[str, int]
    implied: Phrases
    """A word that implies a time without being a date, such as "noon"."""
    implied_words: Mapping[str, Sequence[tuple[str, int]]]
    """Such words → (unit, number) of each time that they imply."""
    periods: PeriodLexicon
    duration: re.Pattern[str]
    """A span of time: groups `count`, `half`, `unit`; "half an hour" is group `alone`,
    an hour and a half `one_half`."""
    duration_units: Mapping[str, str]
    """Words → minute, hour, day, week, month, year, decade."""
    about: re.Pattern[str]
    """What stands before an hour that is near the real one, at the end of a text."""
    after: re.Pattern[str]
    """What stands before an hour that is earlier than the real one, at the end of a text."""
    before: re.Pattern[str]
    """What stands before an hour that is later than the real one, at the end of a text."""
    month_edge: Phrases
    """A month with a word for its end (group `end`) or its beginning before it."""


@lru_cache(maxsize=64)
def date_lexicon(language: str) -> DateLexicon | None:
    """Return the lexicon of a language tag's primary language, None where it has no table."""
    table = language_table(language, "dates")
    return _build(table) if table else None


def _build(table: Mapping[str, Any]) -> DateLexicon:
    days = ((0, "today"), (-1, "yesterday"), (1, "tomorrow"))
    steps = ((0, "this"), (-1, "last"), (1, "next"), (END_OF, "end"))
    after = {word: n for n, key in ((-1, "last-after"), (1, "next-after")) for word in table[key]}
    vocabularies: dict[str, dict[str, int]] = {
        "months": _numbered(enumerate(table["months"], 1)),
        "weekdays": _numbered(enumerate(table["weekdays"])),
        "seasons": _numbered(enumerate(table["seasons"], 1)),
        "decades": _numbered((10 * tens, words) for tens, words in enumerate(table["decades"], 2)),
        "quarters": {word: number for number, word in enumerate(table["quarters"], 1)},
        "days": _numbered((offset, table[name]) for offset, name in days),
        "steps": _numbered((offset, table[name]) for offset, name in steps),
    }
    units = {word: name for name in _UNITS for word in table[name]}
    pattern = date_pattern(table, {**vocabularies, "units": units, "after": after})
    return DateLexicon(
        months=vocabularies["months"],
        weekdays=vocabularies["weekdays"],
        seasons=vocabularies["seasons"],
        decades=vocabularies["decades"],
        quarters=vocabularies["quarters"],
        days=vocabularies["days"],
        steps=vocabularies["steps"] | after,
        pattern=re.compile(pattern),
        units=units,
        full_months=frozenset(group[0] for group in table["months"]),
        weekday_names=tuple(group[0] for group in table["weekdays"]),
        ambiguous=frozenset(table["doubtful"]),
        morning=frozenset(table["morning"]),
        afternoon=frozenset(table["afternoon"]),
        capitals=table["capitals"],
        capital_seasons=table["capital-seasons"],
        through=frozenset(("-", "–", *table["through"])),
        before_season=_ending(table["before-season"]),
        before_figure=_ending(table["before-figure"]),
        before_year=_ending(table["before-year"]),
        idiom=_ending(table["before-future"]),
        earlier=_ending(table["before-earlier"]),
        reckoned=re.compile(rf"(?<!\w)(?:{alternatives(table['before-reckoned'])})(?!\w)"),
        **_elapsed(table["elapsed"]),
        **_implied(table["implied"], _hours_in_words(table["hours"])),
        **_durations(table),
        periods=_periods(table, vocabularies, after),
        month_edge=_month_edge(table),
    )


def _numbered(groups: Iterable[tuple[int, Sequence[str]]]) -> dict[str, int]:
    return {word: number for number, words in groups for word in words}


def alternatives(words: Iterable[str]) -> str:
    """Return an expression for any of these words, the longest first; one that matches nothing for none."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) or "(?!)"


def _ending(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{alternatives(words)})\s?$")


def date_pattern(table: Mapping[str, Any], vocabularies: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an expression with a named group for each kind of date, the longer kinds first.

    Dates that begin with a digit and those that begin with a letter are apart, which halves the time.
    """
    words = {name: alternatives(vocabulary) for name, vocabulary in vocabularies.items()}
    between = alternatives(["-", "–", *table["through"], *table["also"]])
    day = rf"\d{{1,2}}{table['day-ending']}"
    full_month = alternatives([group[0] for group in table["months"]])
    figure = alternatives(table["after-figure"])
    year = rf"{YEAR}\b(?!\s?(?:{figure})\b|[.,]\d)"
    words |= {
        "between": between,
        "span": rf"{day}(?: ?(?:{between}) ?{day})?",
        "quarter": alternatives(table["quarter"]),
        "month": rf"(?:(?:{full_month})\b|(?:{words['months']})\b\.?)",
        "figure": figure,
        "year": year,
        "of year": rf"(?:(?:,?\s|-){table['of']}{year})?",
    }
    digits, letters = "|".join(_digit_kinds(table, words)), "|".join(_letter_kinds(table, words))
    return rf"(?<![\w$€£.,#@])(?:(?=\d)(?:{digits})|(?=[^\W\d_])(?:{letters}))"


def _digit_kinds(table: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    year = words["year"]
    kinds = [
        rf"(?P<iso>{YEAR}-\d\d-\d\d)\b",
        rf"(?P<numeric>\d{{1,2}}(?P<mark>[/.-])\d{{1,2}}(?P=mark)(?:{YEAR}|(?<!-)\d\d))\b",
        rf"(?P<clock>{_clock_pattern(table, words['between'])})",
        rf"(?P<dmy>{words['span']}[\s-]{table['of']}{words['month']}{words['of year']})",
        rf"(?P<nth>(?:[1-4]q(?:\b|(?=fy|\d\d\b))|[1-4](?:st|nd|rd|th|[.º])[\s-](?:{words['quarter']})\b)"
        rf"(?:\s{table['of']}{year})?)",
        r"(?P<decade>(?:1[5-9]|20)?\d0(?:['’]?s|ern?)\b)",
        rf"(?P<year>(?<!/)(?:{YEAR}\s?[-–/]\s?(?:{YEAR}|\d\d)\b|{year})(?![,.]?\d|%|[-–]\d\d?[- ]|\w))",
    ]
    if table["before-short"]:
        befores = "|".join(rf"(?<=\b{re.escape(word)}\s)" for word in table["before-short"])
        kinds.insert(2, rf"(?:{befores})(?P<short>\d{{1,2}}\.\d{{1,2}}\.)(?!\d)")
    return kinds


def _letter_kinds(table: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    of, year = table["of"], words["year"]
    month_first = rf"\s{words['span']}\b(?![:.,]?\d|%|\s(?:{words['figure']})\b){words['of year']}|"
    return [
        rf"(?P<month>{words['month']}(?:{month_first if table['month-first'] else ''},?\s{of}{year})?)",
        rf"(?P<quarter>q[1-4](?:\b|(?=fy|\d\d\b))(?:[ /-]{year})?"
        rf"|(?:{words['quarters']})\w{{0,2}}[\s-](?:{words['quarter']})\b(?:\s{of}{year})?)",
        rf"(?P<relative>(?:{words['steps']})\s(?:{words['units']})\b"
        rf"|(?:{words['units']})\s(?:{words['after']})\b|(?:{words['days']})\b)",
        rf"(?P<weekday>(?:{_weekday_pattern(table)})\b)",
        rf"(?P<season>(?:{words['seasons']})\b(?:\s{of}{year})?)",
        rf"(?P<decades>(?:{words['decades']})\b)",
    ]


def _clock_pattern(table: Mapping[str, Any], between: str) -> str:
    half = alternatives([*table["morning"], *table["afternoon"], *table["hour"]])
    time = r"\d{1,2}(?:[:.]\d\d)?"
    first = rf"(?:{time}\s?(?:(?:{half})\s?)?(?:{between})\s?)?"
    hour = alternatives(table["hour-of-minutes"])
    return (
        rf"{first}{time}\s?(?:{half})(?!\w)|\d{{1,2}}[:.]\d\d\s?(?:{hour})(?!\w)"
        r"|(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:)"
    )


def _weekday_pattern(table: Mapping[str, Any]) -> str:
    names = [name for group in table["weekdays"] for name in group]
    full = [name for name in names if len(name) > MAX_ABBREVIATION]
    return rf"(?:{alternatives(full)}){table['weekday-ending']}|(?:{alternatives(names)})"


def _elapsed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for "two years ago" and the like."""
    counts = {word: number for number, words in enumerate(table["counts"], 1) for word in words}
    units = {word: unit for unit, words in table["units"].items() for word in words}
    first, last = ({w: kind for kind, words in table[at].items() for w in words} for at in ("first", "last"))
    span = rf"(?P<count>\d{{1,3}}|{alternatives(counts)})[\s-](?P<unit>{alternatives(units)})"
    begun = rf"(?P<first>{alternatives(first)})\s{span}(?!\w)"
    ended = rf"{span}\s(?P<last>{alternatives(last)})(?!\w)".replace("<count>", "<n>").replace(
        "<unit>", "<u>"
    )
    return {
        "elapsed": Phrases(re.compile(rf"(?<!\w)(?:{begun}|{ended})"), ("0", *counts, *first)),
        "elapsed_words": first | last,
        "elapsed_units": units,
        "counts": counts,
    }


def _implied(table: Mapping[str, Sequence[str]], hours: Mapping[str, int]) -> dict[str, Any]:
    """Return the fields for words that imply a time; a key of the table is a unit and its numbers."""
    words = {phrase: [("clock", minute)] for phrase, minute in hours.items()}
    for key, phrases in table.items():
        unit, *numbers = key.split()
        for phrase in phrases:
            words.setdefault(phrase, []).extend((unit, int(number)) for number in numbers)
    pattern = re.compile(rf"(?<!\w)(?:{alternatives(words)})(?!\w)")
    return {"implied": Phrases(pattern, words), "implied_words": words}


def _hours_in_words(table: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return phrases such as "half past eight" → minute of the half day."""
    phrases: dict[str, int] = {}
    for minute in (key for key in table if key != "names"):
        for template in table[minute]:
            step = 1 if "next" in template else 0
            for at, name in enumerate(table["names"], 1):
                hour = (at - step) % 12
                for form in (name, str(at)):
                    phrases[template.replace("next ", "").format(form)] = 60 * hour + int(minute)
    return phrases


def _durations(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for spans of time, and for the words that make an hour a rough one."""
    own = table["durations"]
    units = {word: unit for unit, words in table["elapsed"]["units"].items() for word in words}
    units |= {word: unit for unit in ("minute", "hour", "year") for word in own[unit]}
    counts = alternatives(word for words in table["elapsed"]["counts"] for word in words)
    half, alone = alternatives(own["and-half"]), alternatives(own["half-hour"])
    one_half = alternatives(own["hour-and-half"])
    number = rf"(?P<count>\d{{1,3}}|{counts})(?P<half>[.,]5|{half})?"
    late = rf"(?P<late>{half})?"
    return {
        "duration": re.compile(
            rf"(?<![\w.,])(?:(?P<alone>{alone})|(?P<one_half>{one_half})|{number}[\s-]?(?P<unit>{alternatives(units)})(?!\w){late})"
        ),
        "duration_units": units,
        **{name: _ending(own[name]) for name in ("about", "after", "before")},
    }


def _periods(
    table: Mapping[str, Any], vocabularies: Mapping[str, Mapping[str, int]], after: Mapping[str, int]
) -> PeriodLexicon:
    words = {name: alternatives(vocabularies[name]) for name in ("months", "weekdays", "steps")}
    counts = alternatives(word for group in table["elapsed"]["counts"] for word in group)
    return period_lexicon(table, words | {"counts": counts, "after": alternatives(after)})


def _month_edge(table: Mapping[str, Any]) -> Phrases:
    end, start = alternatives(table["month-end"]), alternatives(table["month-start"])
    months = alternatives([name for group in table["months"] for name in group])
    pattern = re.compile(rf"(?<!\w)(?:(?P<end>{end})|(?:{start}))\s(?P<month>{months})(?!\w|\s\d{{1,2}}\b)")
    return Phrases(pattern, (*table["month-end"], *table["month-start"]))
