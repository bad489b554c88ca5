"""Extracts the dates of a text by the vocabulary of its language: full, partial and relative dates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.language_tables import language_table

DATE = "date"
"""Month with a day, a year, both or neither; a year alone."""
WEEKDAY = "weekday"
CLOCK = "clock"
QUARTER = "quarter"
SEASON = "season"
DECADE = "decade"
RELATIVE = "relative"


class DateMention(NamedTuple):
    """One date in a text."""

    start: int
    end: int
    """The character span is half-open."""
    kind: str
    days: tuple[int, ...] = ()
    month: int = 0
    """1 to 12; 0 without a month."""
    year: int = 0
    number: int = 0
    """Weekday (Monday is 0), minute of the day, quarter or season; offset of a relative date."""
    unit: str = ""
    """Unit of a relative date: day, week, weekend, month, quarter, season or year."""
    certain: bool = True
    """Surely a date: the word has no other meaning here."""


_YEAR = r"(?:1[5-9]|20)\d\d"
_UNITS = ("week", "month", "year", "weekend", "quarter", "season")
_END_OF = 9
"""Offset of "the end of": it supports only itself."""
_MAX_ABBREVIATION = 4
"""Below this many letters a month name, up to this many a weekday name is ambiguous. Chosen, not measured."""


class _DateLexicon(NamedTuple):
    """Vocabulary of one language, read from `dates.toml`; every word case folded."""

    pattern: re.Pattern[str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    seasons: Mapping[str, int]
    quarters: Mapping[str, int]
    days: Mapping[str, int]
    """Words for today, yesterday and tomorrow → offset in days."""
    steps: Mapping[str, int]
    """Words such as "last" → offset in units: -1."""
    units: Mapping[str, str]
    full_months: frozenset[str]
    """Month names that are not abbreviated."""
    ambiguous: frozenset[str]
    afternoon: frozenset[str]


@lru_cache(maxsize=8)
def extract_dates(text: str, language: str) -> tuple[DateMention, ...]:
    """Return the dates of a text in order; none where the language has no table."""
    lexicon = _date_lexicon(language.lower().replace("_", "-").partition("-")[0])
    if lexicon is None:
        return ()
    matches = lexicon.pattern.finditer(_lowercase(text))
    return tuple(mention for match in matches if (mention := _parse(match, text, lexicon)))


def _lowercase(text: str) -> str:
    """Return a text of the same length in lower case: searching it is faster than ignoring case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def date_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return the character spans of the dates of a text, in order."""
    return [(mention.start, mention.end) for mention in extract_dates(text, language)]


@lru_cache(maxsize=16)
def _date_lexicon(language: str) -> _DateLexicon | None:
    table = language_table(language, "dates")
    if table is None:
        return None
    days = ((0, "today"), (-1, "yesterday"), (1, "tomorrow"))
    steps = ((0, "this"), (-1, "last"), (1, "next"), (_END_OF, "end"))
    numbers = {
        "months": _numbered(enumerate(table["months"], 1)),
        "weekdays": _numbered(enumerate(table["weekdays"])),
        "seasons": _numbered(enumerate(table["seasons"], 1)),
        "quarters": {word: number for number, word in enumerate(table["quarters"], 1)},
        "days": _numbered((offset, table[name]) for offset, name in days),
        "steps": _numbered((offset, table[name]) for offset, name in steps),
    }
    units = {word: name for name in _UNITS for word in table[name]}
    return _DateLexicon(
        **numbers,
        pattern=re.compile(_date_pattern(table, {**numbers, "units": units})),
        units=units,
        full_months=frozenset(group[0] for group in table["months"]),
        ambiguous=frozenset(table["doubtful"]),
        afternoon=frozenset(table["afternoon"]),
    )


def _numbered(groups: Iterable[tuple[int, Sequence[str]]]) -> dict[str, int]:
    return {word: number for number, words in groups for word in words}


def _alternatives(words: Mapping[str, Any] | Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _date_pattern(table: Mapping[str, Any], vocabularies: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an expression with a named group for each kind of date, the longer kinds first."""
    words = {name: _alternatives(vocabulary) for name, vocabulary in vocabularies.items()}
    day = rf"\d{{1,2}}{table['day-ending']}"
    span = rf"{day}(?: ?(?:-|–|to|and|bis|und) ?{day})?"
    half = _alternatives([*table["morning"], *table["afternoon"]]) or "(?!)"
    quarter = _alternatives(table["quarter"])
    full_month = _alternatives([group[0] for group in table["months"]])
    month = rf"(?:(?:{full_month})\b|(?:{words['months']})\b\.?)"
    kinds = (
        rf"(?P<iso>{_YEAR}-\d\d-\d\d)\b",
        rf"(?P<numeric>\d{{1,2}}(?P<mark>[/.])\d{{1,2}}(?P=mark)(?:{_YEAR}|\d\d))\b",
        rf"(?P<clock>\d{{1,2}}(?:[:.]\d\d)? ?(?:{half})(?!\w)|(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:))",
        rf"(?P<dmy>{span}\s{table['of']}{month}(?:,?\s{_YEAR}\b)?)",
        rf"(?P<mdy>{month}\s{span}\b(?![:.,]?\d|%)(?:,?\s{_YEAR}\b)?)",
        rf"(?P<my>{month},?\s{table['of']}{_YEAR}\b)",
        rf"(?P<month>{month})",
        rf"(?P<quarter>q[1-4]\b(?: {_YEAR}\b)?|(?:{words['quarters']})\w{{0,2}}[\s-](?:{quarter})\b)",
        rf"(?P<relative>(?:{words['steps']})\s(?:{words['units']})\b|(?:{words['days']})\b)",
        rf"(?P<weekday>(?:{words['weekdays']})\b)",
        rf"(?P<season>(?:{words['seasons']})\b(?:\s{table['of']}{_YEAR}\b)?)",
        r"(?P<decade>(?:1[5-9]|20)\d0(?:s|er)\b)",
        rf"(?P<year>{_YEAR})\b(?![,.]?\d|%|[-–]\d\d?[- ]|\w)",
    )
    return rf"(?<![\w$€£.,#@])(?:{'|'.join(kinds)})"


def _parse(match: re.Match[str], text: str, lexicon: _DateLexicon) -> DateMention | None:
    """Return the date of a match; None where its numbers make no date."""
    name = match.lastgroup if match.lastgroup != "mark" else "numeric"
    name = next(kind for kind in _PARSERS if match[kind] is not None) if name not in _PARSERS else name
    start, end = match.span()
    mention = _PARSERS[name](text[start:end], lexicon)
    if mention is None:
        return None
    certain = mention.certain or (mention.kind == DATE and _is_month_name(text, start, end, lexicon))
    return mention._replace(start=start, end=end, certain=certain)


def _is_month_name(text: str, start: int, end: int, lexicon: _DateLexicon) -> bool:
    """Tell whether an ambiguous word such as "May" is a month: capitalised, and not first in its sentence."""
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
    """Parse 03/04/2021, day or month first: the order that is a date; the day first where both are."""
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
    years = [number for number in numbers if number > 1000]
    days = [number for number in numbers if number < 1000]
    name = names[0]
    ambiguous = name in lexicon.ambiguous or len(name) < _MAX_ABBREVIATION or text.islower()
    certain = bool(numbers) or not ambiguous
    return _make_date(days, lexicon.months[name], years[0] if years else 0, certain=certain)


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
    certain = bool(years) or word not in lexicon.ambiguous
    year = years[0] if years else 0
    return DateMention(0, 0, SEASON, number=lexicon.seasons[word], year=year, certain=certain)


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
