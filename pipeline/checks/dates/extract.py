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
_END_OF = 9
"""Stands for "the end of": told as it is, or not at all."""
_MAX_ABBREVIATION = 4
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
    full_months: frozenset[str]
    """Names of months that are not shortened."""
    ambiguous: frozenset[str]
    afternoon: frozenset[str]


@lru_cache(maxsize=8)
def extract_dates(text: str, language: str) -> tuple[DateMention, ...]:
    """Return the dates of a text in their order; none where the language has no table."""
    lexicon = _date_lexicon(language.lower().replace("_", "-").partition("-")[0])
    if lexicon is None:
        return ()
    return tuple(
        mention
        for match in lexicon.pattern.finditer(_lowercase(text))
        for mention in _parse(match, text, lexicon)
    )


def _lowercase(text: str) -> str:
    """Return a text in small letters, each in its place: searched in half the time of any case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def date_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return where the dates of a text stand."""
    return [(mention.start, mention.end) for mention in extract_dates(text, language)]


@lru_cache(maxsize=16)
def _date_lexicon(language: str) -> _DateLexicon | None:
    table = language_table(language, "dates")
    if table is None:
        return None
    months, weekdays = _indexed(table["months"], 1), _indexed(table["weekdays"], 0)
    seasons, quarters = (
        _indexed(table["seasons"], 1),
        {word: number for number, word in enumerate(table["quarters"], 1)},
    )
    days = {
        word: offset
        for offset, name in ((0, "today"), (-1, "yesterday"), (1, "tomorrow"))
        for word in table[name]
    }
    steps = {
        word: offset
        for offset, name in ((0, "this"), (-1, "last"), (1, "next"), (_END_OF, "end"))
        for word in table[name]
    }
    units = {word: name for name in _UNITS for word in table[name]}
    return _DateLexicon(
        re.compile(_date_pattern(table, months, weekdays, seasons, quarters, days, steps, units)),
        months,
        weekdays,
        seasons,
        quarters,
        days,
        steps,
        units,
        frozenset(group[0] for group in table["months"]),
        frozenset(table["doubtful"]),
        frozenset(table["afternoon"]),
    )


def _indexed(groups: Sequence[Sequence[str]], first: int) -> dict[str, int]:
    return {word: number for number, words in enumerate(groups, first) for word in words}


def _alternatives(words: Mapping[str, Any] | Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _date_pattern(table: Mapping[str, Any], *vocabularies: Mapping[str, Any]) -> str:
    months, weekdays, seasons, quarters, days, steps, units = map(_alternatives, vocabularies)
    day = rf"\d{{1,2}}{table['day-ending']}"
    span = rf"{day}(?: ?(?:-|–|to|and|bis|und) ?{day})?"
    half = _alternatives([*table["morning"], *table["afternoon"]]) or "(?!)"
    full_month = _alternatives([group[0] for group in table["months"]])
    month = rf"(?:(?:{full_month})\b|(?:{months})\b\.?)"
    kinds = (
        rf"(?P<iso>{_YEAR}-\d\d-\d\d)\b",
        rf"(?P<numeric>\d{{1,2}}(?P<mark>[/.])\d{{1,2}}(?P=mark)(?:{_YEAR}|\d\d))\b",
        rf"(?P<clock>\d{{1,2}}(?:[:.]\d\d)? ?(?:{half})(?!\w)|(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:))",
        rf"(?P<dmy>{span}\s{table['of']}{month}(?:,?\s{_YEAR}\b)?)",
        rf"(?P<mdy>{month}\s{span}\b(?![:.,]?\d|%)(?:,?\s{_YEAR}\b)?)",
        rf"(?P<my>{month},?\s{table['of']}{_YEAR}\b)",
        rf"(?P<month>{month})",
        rf"(?P<quarter>q[1-4]\b(?: {_YEAR}\b)?|(?:{quarters})\w{{0,2}}[\s-](?:{_alternatives(table['quarter'])})\b)",
        rf"(?P<relative>(?:{steps})\s(?:{units})\b|(?:{days})\b)",
        rf"(?P<weekday>(?:{weekdays})\b)",
        rf"(?P<season>(?:{seasons})\b(?:\s{table['of']}{_YEAR}\b)?)",
        r"(?P<decade>(?:1[5-9]|20)\d0(?:s|er)\b)",
        rf"(?P<year>{_YEAR})\b(?![,.]?\d|%|[-–]\d\d?[- ]|\w)",
    )
    return rf"(?<![\w$€£.,#@])(?:{'|'.join(kinds)})"


def _parse(match: re.Match[str], text: str, lexicon: _DateLexicon) -> Iterator[DateMention]:
    """Yield what was found, with its numbers; nothing where they make no date."""
    name = match.lastgroup if match.lastgroup != "mark" else "numeric"
    name = next(kind for kind in _PARSERS if match[kind] is not None) if name not in _PARSERS else name
    start, end = match.span()
    mention = _PARSERS[name](text[start:end], lexicon)
    if mention is not None:
        certain = mention.certain or (mention.kind == DATE and _is_month_name(text, start, end, lexicon))
        yield mention._replace(start=start, end=end, certain=certain)


def _is_month_name(text: str, start: int, end: int, lexicon: _DateLexicon) -> bool:
    """Tell whether a word such as "May" is a month where it stands: with a capital, within a sentence."""
    before = text[max(0, start - 3) : start].rstrip()
    within = start > 0 and before[-1:] not in (*".!?:\"“”'‘’*#>-–—|", "")
    return within and text[start].isupper() and text[start:end].casefold() in lexicon.full_months


def _integers(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def _make_date(days: Sequence[int], month: int, year: int, *, certain: bool = True) -> DateMention | None:
    if not 0 <= month <= 12 or (days and not month) or not all(1 <= day <= 31 for day in days):
        return None
    return DateMention(0, 0, DATE, tuple(days), month, year, certain=certain)


def _parse_iso(text: str, _lexicon: _DateLexicon) -> DateMention | None:
    year, month, day = _integers(text)
    return _make_date([day], month, year)


def _parse_numeric(text: str, _lexicon: _DateLexicon) -> DateMention | None:
    """Read 03/04/2021, day or month first: whichever can be; where both can, the day."""
    first, second, year = _integers(text)
    year = year if year > 99 else 2000 + year
    day, month = (first, second) if second <= 12 else (second, first)
    return _make_date([day], month, year)


def _parse_month(text: str, lexicon: _DateLexicon) -> DateMention | None:
    word = re.search(r"[^\W\d_]{3,}", re.sub(r"\d+\w*", " ", text))
    names = [name for name in re.findall(r"[^\W\d_]+", text.casefold()) if name in lexicon.months]
    if not names or word is None:
        return None
    numbers = _integers(text)
    years = [name for name in numbers if name > 1000]
    days = [name for name in numbers if name < 1000]
    is_name_only = not numbers
    is_ambiguous = is_name_only and (
        names[0] in lexicon.ambiguous or len(names[0]) < _MAX_ABBREVIATION or text.islower()
    )
    return _make_date(days, lexicon.months[names[0]], years[0] if years else 0, certain=not is_ambiguous)


def _parse_clock(text: str, lexicon: _DateLexicon) -> DateMention | None:
    numbers = _integers(text)
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
    day_half = text.casefold().lstrip("0123456789:. ")
    if day_half and hour <= 12:
        hour = hour % 12 + (12 if day_half in lexicon.afternoon else 0)
    return DateMention(0, 0, CLOCK, number=hour * 60 + minute) if hour < 25 and minute < 60 else None


def _parse_quarter(text: str, lexicon: _DateLexicon) -> DateMention | None:
    numbers = _integers(text)
    if text[:1].casefold() == "q" and numbers:
        return DateMention(0, 0, QUARTER, number=numbers[0], year=numbers[1] if len(numbers) > 1 else 0)
    word = text.casefold()
    number = next((at for name, at in lexicon.quarters.items() if word.startswith(name)), 0)
    return DateMention(0, 0, QUARTER, number=number) if number else None


def _parse_relative(text: str, lexicon: _DateLexicon) -> DateMention | None:
    word = " ".join(text.casefold().split())
    if word in lexicon.days:
        return DateMention(0, 0, RELATIVE, number=lexicon.days[word], unit="day")
    step, _, unit = word.rpartition(" ")
    return DateMention(0, 0, RELATIVE, number=lexicon.steps[step], unit=lexicon.units[unit])


def _parse_weekday(text: str, lexicon: _DateLexicon) -> DateMention | None:
    word = text.casefold()
    certain = len(word) > _MAX_ABBREVIATION and not text.islower()
    return DateMention(0, 0, WEEKDAY, number=lexicon.weekdays[word], certain=certain)


def _parse_season(text: str, lexicon: _DateLexicon) -> DateMention | None:
    years = _integers(text)
    word = re.split(r"[\s\d]", text.casefold())[0]
    return DateMention(
        0,
        0,
        SEASON,
        number=lexicon.seasons[word],
        year=years[0] if years else 0,
        certain=bool(years) or word not in lexicon.ambiguous,
    )


def _parse_decade(text: str, _lexicon: _DateLexicon) -> DateMention | None:
    return DateMention(0, 0, DECADE, year=_integers(text)[0])


def _parse_year(text: str, _lexicon: _DateLexicon) -> DateMention | None:
    return _make_date([], 0, int(text))


_PARSERS = {
    "iso": _parse_iso,
    "numeric": _parse_numeric,
    "clock": _parse_clock,
    "dmy": _parse_month,
    "mdy": _parse_month,
    "my": _parse_month,
    "month": _parse_month,
    "quarter": _parse_quarter,
    "relative": _parse_relative,
    "weekday": _parse_weekday,
    "season": _parse_season,
    "decade": _parse_decade,
    "year": _parse_year,
}
