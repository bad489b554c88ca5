"""Extracts the dates of a text by the vocabulary of its language: full, partial and relative dates."""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.dates.lexicon import MAX_ABBREVIATION, DateLexicon, date_lexicon
from pipeline.checks.dates.periods import PeriodWords, period_edges
from pipeline.checks.language_tables import Phrases

DATE = "date"
"""Month with a day, a year, both or neither; a year alone."""
WEEKDAY = "weekday"
CLOCK = "clock"
QUARTER = "quarter"
SEASON = "season"
DECADE = "decade"
RELATIVE = "relative"
_CONTEXT_CHARS = 24
"""Characters before a word that tell whether it is a date. Chosen, not measured."""


_COMMON_YEAR = 2023
_LOWERCASE_END = re.compile(r"(?<!\w)[a-z]+ $")
_HOURS = Phrases(
    re.compile(r"\b([01]\d|2[0-3])([0-5]\d) ?(?:gmt|utc|hours|hrs|bst|cet|cest|edt|est|et)\b"), ["0"]
)
"""An hour without a mark between hours and minutes: 0800 GMT."""


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
    """Unit of a relative date: day, week, weekend, month, quarter, season or year. "Next spring": season."""
    certain: bool = True
    """Surely a date: the word has no other meaning here."""
    last: int = -1
    """Last year or minute of a range; -1 without one."""
    through: bool = False
    """`days` are the first and the last of a range."""
    swappable: bool = False
    """Day and month, in figures, may be the other way round."""


class ElapsedTime(NamedTuple):
    """A span of time reckoned from a day ("two years ago"), or a word that implies a time ("noon")."""

    start: int
    unit: str
    """day, week, month, year, decade; month, date, weekday, clock, day of month where `relation` is "at"."""
    number: int
    """Of units, negative for the past. "At": the month, the minute, 100 times the month plus the day.

    Of a day of the month: 100 times the months from publication, plus the day."""
    relation: str
    """ago, ahead: from publication; earlier, later: from another day; at: no distance."""


@lru_cache(maxsize=8)
def extract_dates(text: str, language: str) -> tuple[DateMention, ...]:
    """Return the dates of a text in order; none where the language has no table."""
    lexicon = _lexicon(language)
    if lexicon is None:
        return ()
    matches = lexicon.pattern.finditer(_lowercase(text))
    return tuple(mention for match in matches if (mention := _parse(match, text, lexicon)))


def _lexicon(language: str) -> DateLexicon | None:
    return date_lexicon(language.lower().replace("_", "-").partition("-")[0])


def _lowercase(text: str) -> str:
    """Return a text of the same length in lower case: searching it is faster than ignoring case."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def date_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return the character spans of the dates of a text, in order."""
    return [(mention.start, mention.end) for mention in extract_dates(text, language)]


def extract_elapsed(text: str, language: str) -> list[ElapsedTime]:
    """Return the spans of time of a text that are reckoned from a day, and the times that words imply."""
    lexicon = _lexicon(language)
    if lexicon is None:
        return []
    lower = _lowercase(text)
    spans = [_elapsed(match, lexicon) for match in lexicon.elapsed.finditer(lower, text)]
    for hours in _HOURS.finditer(lower, text):
        spans.append(ElapsedTime(hours.start(), CLOCK, 60 * int(hours[1]) + int(hours[2]), "at"))
    for match in lexicon.month_edge.finditer(lower, text):
        month = lexicon.months[match["month"]]
        day = monthrange(_COMMON_YEAR, month)[1] if match["end"] else 1
        spans.append(ElapsedTime(match.start(), "date", 100 * month + day, "at"))
    words = PeriodWords(lexicon.counts, lexicon.months, lexicon.weekdays, lexicon.steps)
    edges = period_edges(lower, text, lexicon.periods, words)
    spans += [ElapsedTime(start, unit, number, "at") for start, unit, number in edges]
    implied = lexicon.implied.finditer(lower, text)
    return spans + [each for match in implied for each in _implied(match, lexicon)]


class Duration(NamedTuple):
    """A span of time in a text, with or without a day or an hour that it is reckoned from."""

    start: int
    end: int
    unit: str
    """minute, day, month or year."""
    number: int


_DURATION_UNITS = {"hour": ("minute", 60), "week": ("day", 7), "decade": ("year", 10)}


def extract_durations(text: str, language: str) -> list[Duration]:
    """Return the spans of time of a text in minutes, days, months and years."""
    lexicon = _lexicon(language)
    matches = lexicon.duration.finditer(_lowercase(text)) if lexicon else ()
    return [_duration(match, lexicon) for match in matches if lexicon]


def _duration(match: re.Match[str], lexicon: DateLexicon) -> Duration:
    if match["alone"]:
        return Duration(*match.span(), "minute", 30)
    if match["one_half"]:
        return Duration(*match.span(), "minute", 90)
    named = lexicon.duration_units[match["unit"]]
    unit, factor = _DURATION_UNITS.get(named, (named, 1))
    count = lexicon.counts.get(match["count"]) or int(match["count"])
    half = factor // 2 if match["half"] or match["late"] else 0
    return Duration(*match.span(), unit, factor * count + half)


def _elapsed(match: re.Match[str], lexicon: DateLexicon) -> ElapsedTime:
    word, count, unit = (match["first"], match["count"], match["unit"])
    if word is None:
        word, count, unit = match["last"], match["n"], match["u"]
    relation = lexicon.elapsed_words[word]
    number = lexicon.counts.get(count) or int(count)
    sign = -1 if relation in ("ago", "earlier") else 1
    return ElapsedTime(match.start(), lexicon.elapsed_units[unit], sign * number, relation)


def _implied(match: re.Match[str], lexicon: DateLexicon) -> Iterator[ElapsedTime]:
    for unit, number in lexicon.implied_words[match[0]]:
        if unit == "back":
            yield ElapsedTime(match.start(), "month", -number, "earlier")
        else:
            relation = "at" if unit in ("month", "date", "clock") else "earlier" if number < 0 else "later"
            yield ElapsedTime(match.start(), unit, number, relation)


def _parse(match: re.Match[str], text: str, lexicon: DateLexicon) -> DateMention | None:
    """Return the date of a match; None where its numbers make no date."""
    name = match.lastgroup if match.lastgroup != "mark" else "numeric"
    name = next(kind for kind in _PARSERS if match[kind] is not None) if name not in _PARSERS else name
    start, end = match.span(name)
    mention = _PARSERS[name](text[start:end], lexicon)
    if mention is None:
        return None
    certain = mention.certain or (mention.kind == DATE and _is_month_name(text, start, end, lexicon))
    mention = mention._replace(start=start, end=end, certain=certain)
    return _in_context(mention, text, lexicon)


def _in_context(mention: DateMention, text: str, lexicon: DateLexicon) -> DateMention | None:
    """Return a date as what stands before it makes it; None where that makes it a figure."""
    if mention.kind not in (DATE, SEASON, RELATIVE) or (mention.kind == DATE and mention.month):
        return mention
    before = text[max(0, mention.start - _CONTEXT_CHARS) : mention.start].lower()
    if mention.kind == DATE:
        is_round = mention.year % 100 == 0 and mention.last < 0
        follows_noun = text[mention.end : mention.end + 2].strip()[:1].isalpha()
        is_figure = is_round and follows_noun and not lexicon.before_year.search(before)
        return None if is_figure or lexicon.before_figure.search(before) else mention
    if mention.kind == SEASON and not mention.year:
        step = lexicon.steps.get(before.split()[-1], 0) if before.strip() else 0
        certain = mention.certain and bool(lexicon.before_season.search(before))
        return mention._replace(certain=certain, unit=SEASON if step else "")
    if mention.unit == "day" and mention.number == 1 and lexicon.idiom.search(before):
        return mention._replace(certain=False)
    return mention


def _is_month_name(text: str, start: int, end: int, lexicon: DateLexicon) -> bool:
    """Tell whether an ambiguous word such as "May" is a month: capitalised, and not first in its sentence."""
    if not lexicon.capitals:
        return False
    before = text[max(0, start - 3) : start].rstrip()
    word, context = text[start:end].casefold(), text[max(0, start - _CONTEXT_CHARS) : start]
    follows = _LOWERCASE_END.search(context) or lexicon.before_year.search(context.lower())
    if word in lexicon.ambiguous and not follows:
        return False  # "The Port May Close", "Theresa May"
    within = start > 0 and before[-1:] not in (*".!?:\"“”'‘’*#>-–—|", "")
    return within and text[start].isupper() and word in lexicon.full_months


def _integers(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def _make_date(days: Sequence[int], month: int, year: int, *, certain: bool = True) -> DateMention | None:
    if not 0 <= month <= 12 or (days and not month) or not all(1 <= day <= 31 for day in days):
        return None
    return DateMention(0, 0, DATE, tuple(days), month, year, certain=certain)


def _parse_iso(text: str, _lexicon: DateLexicon) -> DateMention | None:
    year, month, day = _integers(text)
    return _make_date([day], month, year)


def _parse_numeric(text: str, _lexicon: DateLexicon) -> DateMention | None:
    """Parse 03/04/2021, day or month first: the order that is a date; the day first where both are."""
    first, second, year = _integers(text)
    year = year if year > 99 else 2000 + year
    day, month = (first, second) if second <= 12 else (second, first)
    date = _make_date([day], month, year)
    is_dotted = "." in text  # where dots are written, the day is first
    return date and date._replace(swappable=not is_dotted and max(first, second) <= 12 and first != second)


def _parse_short(text: str, _lexicon: DateLexicon) -> DateMention | None:
    day, month = _integers(text)
    return _make_date([day], month, 0) if month else None


def _parse_month(text: str, lexicon: DateLexicon) -> DateMention | None:
    word = re.search(r"[^\W\d_]{3,}", re.sub(r"\d+\w*", " ", text))
    names = [name for name in re.findall(r"[^\W\d_]+", text.casefold()) if name in lexicon.months]
    if not names or word is None:
        return None
    numbers = _integers(text)
    years = [number for number in numbers if number > 1000]
    days = [number for number in numbers if number < 1000]
    name = names[0]
    if lexicon.capitals and name in lexicon.ambiguous and days and not years and text.islower():
        return None  # "the best 10 may stay"
    certain = bool(numbers) or _is_surely_month(name, text, lexicon)
    date = _make_date(days, lexicon.months[name], years[0] if years else 0, certain=certain)
    return date and date._replace(through=len(days) == 2 and days[0] < days[1] and _is_through(text, lexicon))


def _is_surely_month(name: str, text: str, lexicon: DateLexicon) -> bool:
    if not lexicon.capitals:
        return name in lexicon.full_months and text.islower()
    return name not in lexicon.ambiguous and len(name) >= MAX_ABBREVIATION and not text.islower()


def _is_through(text: str, lexicon: DateLexicon) -> bool:
    between = re.split(r"\d+", text.casefold())[1]
    return re.sub(r"^(?:st|nd|rd|th|ro|[.º])+", "", between).strip() in lexicon.through


def _parse_clock(text: str, lexicon: DateLexicon) -> DateMention | None:
    times = [(int(hour), int(minute or 0)) for hour, minute in re.findall(r"(\d{1,2})(?:[:.](\d\d))?", text)]
    if not all(hour < 25 and minute < 60 for hour, minute in times):
        return None
    half = re.sub(r".*\d", "", text.casefold(), flags=re.DOTALL).strip()
    noon = 12 if half in lexicon.afternoon else 0
    if noon or half in lexicon.morning:
        times = [(hour % 12 + noon if hour <= 12 else hour, minute) for hour, minute in times]
    minutes = [60 * hour + minute for hour, minute in times]
    return DateMention(0, 0, CLOCK, number=minutes[0], last=minutes[1] if len(minutes) > 1 else -1)


def _parse_quarter(text: str, lexicon: DateLexicon) -> DateMention | None:
    numbers = _integers(text)
    if numbers and numbers[0] < 5:
        return DateMention(0, 0, QUARTER, number=numbers[0], year=numbers[1] if len(numbers) > 1 else 0)
    word, year = text.casefold(), numbers[0] if numbers else 0
    number = next((at for name, at in lexicon.quarters.items() if word.startswith(name)), 0)
    return DateMention(0, 0, QUARTER, number=number, year=year) if number else None


def _parse_relative(text: str, lexicon: DateLexicon) -> DateMention | None:
    word = " ".join(text.casefold().split())
    if word in lexicon.days:
        return DateMention(0, 0, RELATIVE, number=lexicon.days[word], unit="day")
    for unit, name in lexicon.units.items():
        step = word.removesuffix(f" {unit}") if word.endswith(f" {unit}") else word.removeprefix(f"{unit} ")
        if step != word and step in lexicon.steps:
            return DateMention(0, 0, RELATIVE, number=lexicon.steps[step], unit=name)
    return None


def _parse_weekday(text: str, lexicon: DateLexicon) -> DateMention | None:
    name = max((name for name in lexicon.weekdays if text.casefold().startswith(name)), key=len)
    certain = len(name) > MAX_ABBREVIATION and text.islower() != lexicon.capitals
    return DateMention(0, 0, WEEKDAY, number=lexicon.weekdays[name], certain=certain)


def _parse_season(text: str, lexicon: DateLexicon) -> DateMention | None:
    years = _integers(text)
    word = re.split(r"[\s\d]", text.casefold())[0]
    certain = bool(years) or text[:1].isupper() == lexicon.capital_seasons
    year = years[0] if years else 0
    return DateMention(0, 0, SEASON, number=lexicon.seasons[word], year=year, certain=certain)


def _parse_decade(text: str, lexicon: DateLexicon) -> DateMention | None:
    """Parse a decade. One without its century ("the 90s") may be seconds, or an age: it is not certain."""
    year = lexicon.decades.get(text.casefold()) or _integers(text)[0]
    return DateMention(0, 0, DECADE, year=year, certain=year > 99)


def _parse_year(text: str, _lexicon: DateLexicon) -> DateMention | None:
    """Parse a year, or a range: 2007–11, 2015-2018. 2021-03 is a month."""
    first, *rest = _integers(text)
    if not rest:
        return _make_date([], 0, first)
    last = rest[0] if rest[0] > 99 else first // 100 * 100 + rest[0]
    if last > first:
        return DateMention(0, 0, DATE, year=first, last=last)
    return _make_date([], rest[0], first) if rest[0] <= 12 else _make_date([], 0, first)


_PARSERS = {
    "iso": _parse_iso,
    "numeric": _parse_numeric,
    "short": _parse_short,
    "clock": _parse_clock,
    "dmy": _parse_month,
    "month": _parse_month,
    "quarter": _parse_quarter,
    "nth": _parse_quarter,
    "relative": _parse_relative,
    "weekday": _parse_weekday,
    "season": _parse_season,
    "decade": _parse_decade,
    "decades": _parse_decade,
    "year": _parse_year,
}
