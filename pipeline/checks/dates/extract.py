"""A date as a text tells it: whole, in part, or counted from the day of the text.

Finds the dates of a text by the words of its language.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.languages import language_table

DATE = "date"
"""Month with a day, a year, both or neither; a year alone."""
WEEKDAY = "weekday"
CLOCK = "clock"
QUARTER = "quarter"
SEASON = "season"
DECADE = "decade"
RELATIVE = "relative"


class DateMention(NamedTuple):
    """One date of a text."""

    start: int
    end: int
    """Half-open, in characters."""
    kind: str
    days: tuple[int, ...] = ()
    month: int = 0
    """1 to 12, 0 where none is told."""
    year: int = 0
    number: int = 0
    """Weekday (Monday is 0), minute of the day, quarter, season; what is relative: how far off."""
    unit: str = ""
    """Of what is relative: day, week, month, year, weekend."""
    certain: bool = True
    """Not a word that may mean something else."""


_YEAR = r"(?:1[5-9]|20)\d\d"
_UNITS = ("week", "month", "year", "weekend", "quarter", "season")
_END = 9
"""Stands for "the end of": told as it is, or not at all."""
_ABBREVIATED = 4
"""Letters of a word for a month that is short for another one, at most."""


class _DateLexicon(NamedTuple):
    pattern: re.Pattern[str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    seasons: Mapping[str, int]
    quarters: Mapping[str, int]
    days: Mapping[str, int]
    """Words for today and the days beside it → how far off."""
    steps: Mapping[str, int]
    """Words such as "last" → -1."""
    units: Mapping[str, str]
    whole: frozenset[str]
    """Names of months that are not shortened."""
    doubtful: frozenset[str]
    afternoon: frozenset[str]


@lru_cache(maxsize=8)
def extract_dates(text: str, language: str) -> tuple[DateMention, ...]:
    """Return the dates of a text in their order; none where the language has no table."""
    tongue = _tongue(language.lower().replace("_", "-").partition("-")[0])
    if tongue is None:
        return ()
    return tuple(one for found in tongue.pattern.finditer(_lower(text)) for one in _read(found, text, tongue))


def _lower(text: str) -> str:
    """Return a text in small letters, each in its place: searched in half the time of any case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def date_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return where the dates of a text stand."""
    return [(one.start, one.end) for one in extract_dates(text, language)]


@lru_cache(maxsize=16)
def _tongue(language: str) -> _DateLexicon | None:
    told = language_table(language, "dates")
    if told is None:
        return None
    months, weekdays = _numbered(told["months"], 1), _numbered(told["weekdays"], 0)
    seasons, quarters = (
        _numbered(told["seasons"], 1),
        {word: at for at, word in enumerate(told["quarters"], 1)},
    )
    days = {
        word: off for off, name in ((0, "today"), (-1, "yesterday"), (1, "tomorrow")) for word in told[name]
    }
    steps = {
        word: off
        for off, name in ((0, "this"), (-1, "last"), (1, "next"), (_END, "end"))
        for word in told[name]
    }
    units = {word: name for name in _UNITS for word in told[name]}
    return _DateLexicon(
        re.compile(_expression(told, months, weekdays, seasons, quarters, days, steps, units)),
        months,
        weekdays,
        seasons,
        quarters,
        days,
        steps,
        units,
        frozenset(group[0] for group in told["months"]),
        frozenset(told["doubtful"]),
        frozenset(told["afternoon"]),
    )


def _numbered(groups: Sequence[Sequence[str]], first: int) -> dict[str, int]:
    return {word: number for number, words in enumerate(groups, first) for word in words}


def _any(words: Mapping[str, Any] | Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _expression(told: Mapping[str, Any], *words: Mapping[str, Any]) -> str:
    months, weekdays, seasons, quarters, days, steps, units = map(_any, words)
    day = rf"\d{{1,2}}{told['day-ending']}"
    span = rf"{day}(?: ?(?:-|–|to|and|bis|und) ?{day})?"
    half = _any([*told["morning"], *told["afternoon"]]) or "(?!)"
    whole = _any([group[0] for group in told["months"]])
    month = rf"(?:(?:{whole})\b|(?:{months})\b\.?)"
    kinds = (
        rf"(?P<iso>{_YEAR}-\d\d-\d\d)\b",
        rf"(?P<numeric>\d{{1,2}}(?P<mark>[/.])\d{{1,2}}(?P=mark)(?:{_YEAR}|\d\d))\b",
        rf"(?P<clock>\d{{1,2}}(?:[:.]\d\d)? ?(?:{half})(?!\w)|(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:))",
        rf"(?P<dmy>{span}\s{told['of']}{month}(?:,?\s{_YEAR}\b)?)",
        rf"(?P<mdy>{month}\s{span}\b(?![:.,]?\d|%)(?:,?\s{_YEAR}\b)?)",
        rf"(?P<my>{month},?\s{told['of']}{_YEAR}\b)",
        rf"(?P<month>{month})",
        rf"(?P<quarter>q[1-4]\b(?: {_YEAR}\b)?|(?:{quarters})\w{{0,2}}[\s-](?:{_any(told['quarter'])})\b)",
        rf"(?P<relative>(?:{steps})\s(?:{units})\b|(?:{days})\b)",
        rf"(?P<weekday>(?:{weekdays})\b)",
        rf"(?P<season>(?:{seasons})\b(?:\s{told['of']}{_YEAR}\b)?)",
        r"(?P<decade>(?:1[5-9]|20)\d0(?:s|er)\b)",
        rf"(?P<year>{_YEAR})\b(?![,.]?\d|%|[-–]\d\d?[- ]|\w)",
    )
    return rf"(?<![\w$€£.,#@])(?:{'|'.join(kinds)})"


def _read(found: re.Match[str], text: str, tongue: _DateLexicon) -> Iterator[DateMention]:
    """Yield what was found, with its numbers; nothing where they make no date."""
    name = found.lastgroup if found.lastgroup != "mark" else "numeric"
    name = next(kind for kind in _READERS if found[kind] is not None) if name not in _READERS else name
    start, end = found.span()
    one = _READERS[name](text[start:end], tongue)
    if one is not None:
        certain = one.certain or (one.kind == DATE and _says_month(text, start, end, tongue))
        yield one._replace(start=start, end=end, certain=certain)


def _says_month(text: str, start: int, end: int, tongue: _DateLexicon) -> bool:
    """Tell whether a word such as "May" is a month where it stands: with a capital, within a sentence."""
    before = text[max(0, start - 3) : start].rstrip()
    within = start > 0 and before[-1:] not in (*".!?:\"“”'‘’*#>-–—|", "")
    return within and text[start].isupper() and text[start:end].casefold() in tongue.whole


def _numbers(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def _date(days: Sequence[int], month: int, year: int, *, sure: bool = True) -> DateMention | None:
    if not 0 <= month <= 12 or (days and not month) or not all(1 <= day <= 31 for day in days):
        return None
    return DateMention(0, 0, DATE, tuple(days), month, year, certain=sure)


def _iso(text: str, _tongue: _DateLexicon) -> DateMention | None:
    year, month, day = _numbers(text)
    return _date([day], month, year)


def _numeric(text: str, _tongue: _DateLexicon) -> DateMention | None:
    """Read 03/04/2021, day or month first: whichever can be; where both can, the day."""
    first, second, year = _numbers(text)
    year = year if year > 99 else 2000 + year
    day, month = (first, second) if second <= 12 else (second, first)
    return _date([day], month, year)


def _worded(text: str, tongue: _DateLexicon) -> DateMention | None:
    word = re.search(r"[^\W\d_]{3,}", re.sub(r"\d+\w*", " ", text))
    names = [each for each in re.findall(r"[^\W\d_]+", text.casefold()) if each in tongue.months]
    if not names or word is None:
        return None
    numbers = _numbers(text)
    years = [each for each in numbers if each > 1000]
    days = [each for each in numbers if each < 1000]
    alone = not numbers
    doubtful = alone and (names[0] in tongue.doubtful or len(names[0]) < _ABBREVIATED or text.islower())
    return _date(days, tongue.months[names[0]], years[0] if years else 0, sure=not doubtful)


def _clock(text: str, tongue: _DateLexicon) -> DateMention | None:
    numbers = _numbers(text)
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
    half = text.casefold().lstrip("0123456789:. ")
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in tongue.afternoon else 0)
    return DateMention(0, 0, CLOCK, number=hour * 60 + minute) if hour < 25 and minute < 60 else None


def _quarter(text: str, tongue: _DateLexicon) -> DateMention | None:
    numbers = _numbers(text)
    if text[:1].casefold() == "q" and numbers:
        return DateMention(0, 0, QUARTER, number=numbers[0], year=numbers[1] if len(numbers) > 1 else 0)
    word = text.casefold()
    number = next((at for name, at in tongue.quarters.items() if word.startswith(name)), 0)
    return DateMention(0, 0, QUARTER, number=number) if number else None


def _relative(text: str, tongue: _DateLexicon) -> DateMention | None:
    word = " ".join(text.casefold().split())
    if word in tongue.days:
        return DateMention(0, 0, RELATIVE, number=tongue.days[word], unit="day")
    step, _, unit = word.rpartition(" ")
    return DateMention(0, 0, RELATIVE, number=tongue.steps[step], unit=tongue.units[unit])


def _weekday(text: str, tongue: _DateLexicon) -> DateMention | None:
    word = text.casefold()
    sure = len(word) > _ABBREVIATED and not text.islower()
    return DateMention(0, 0, WEEKDAY, number=tongue.weekdays[word], certain=sure)


def _season(text: str, tongue: _DateLexicon) -> DateMention | None:
    years = _numbers(text)
    word = re.split(r"[\s\d]", text.casefold())[0]
    return DateMention(
        0,
        0,
        SEASON,
        number=tongue.seasons[word],
        year=years[0] if years else 0,
        certain=bool(years) or word not in tongue.doubtful,
    )


def _decade(text: str, _tongue: _DateLexicon) -> DateMention | None:
    return DateMention(0, 0, DECADE, year=_numbers(text)[0])


def _year(text: str, _tongue: _DateLexicon) -> DateMention | None:
    return _date([], 0, int(text))


_READERS = {
    "iso": _iso,
    "numeric": _numeric,
    "clock": _clock,
    "dmy": _worded,
    "mdy": _worded,
    "my": _worded,
    "month": _worded,
    "quarter": _quarter,
    "relative": _relative,
    "weekday": _weekday,
    "season": _season,
    "decade": _decade,
    "year": _year,
}
