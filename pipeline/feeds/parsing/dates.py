"""Parses the dates of feeds, in many formats and languages, to aware UTC."""

import calendar
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypedDict

from pipeline.feeds.parsing.date_words import (
    cldr_months,
    fold_accents,
    read_relative,
    split_zone_name,
    with_named_day,
)
from pipeline.feeds.text_cleanup import one_line

# fmt: off
_MONTH_NAMES = (
    "january jan janvier janv januar janner enero ene janeiro gennaio gen января январь янв",
    "february feb fevrier fevr fev februar febrero fevereiro febbraio февраля февраль фев февр",
    "march mar mars marz maerz mrz marzo marco марта март мар",
    "april apr avril avr abril abr aprile апреля апрель апр",
    "may mai mayo maio maggio mag мая май",
    "june jun juin juni junio junho giugno giu июня июнь июн",
    "july jul juillet juil juli julio julho luglio lug июля июль июл",
    "august aug aout aou agosto ago августа август авг",
    "september sep sept septembre septiembre setiembre setembro set settembre сентября сентябрь сен сент",
    "october oct octobre oktober okt octubre outubro out ottobre ott октября октябрь окт",
    "november nov novembre noviembre novembro ноября ноябрь ноя нояб",
    "december dec decembre dezember dez diciembre dic dezembro dicembre декабря декабрь дек",
)
_ZONE_HOURS = (
    # North and South America
    "nst -3.5 ndt -2.5 ast -4 adt -3 at -4 est -5 edt -4 et -5 cst -6 cdt -5 ct -6 mst -7 mdt -6 mt -7 "
    "pst -8 pdt -7 pt -8 akst -9 akdt -8 hst -10 brt -3 art -3 clt -4 clst -3 cot -5 pet -5 uyt -3 "
    # Europe and Africa
    "ut 0 utc 0 gmt 0 z 0 wet 0 west 1 bst 1 cet 1 cest 2 met 1 mest 2 mez 1 mesz 2 eet 2 eest 3 "
    "msk 3 msd 4 trt 3 wat 1 cat 2 sast 2 eat 3 "
    # Asia and Oceania; IST is India's, which has more feeds than Israel and Ireland
    "ist 5.5 irst 3.5 gst 4 pkt 5 npt 5.75 ict 7 wib 7 sgt 8 myt 8 hkt 8 pht 8 awst 8 jst 9 kst 9 "
    "acst 9.5 acdt 10.5 aest 10 aedt 11 nzst 12 nzdt 13"
)
# fmt: on


MONTHS = {name: at + 1 for at, names in enumerate(_MONTH_NAMES) for name in fold_accents(names).split()}
"""Folded names, full and short, to 1-12: English, French, German, Spanish, Portuguese, Italian, Russian."""

_ZONE_PAIRS = _ZONE_HOURS.split()
ZONES = {name: float(hours) for name, hours in zip(_ZONE_PAIRS[::2], _ZONE_PAIRS[1::2], strict=True)}
"""Time zone abbreviations in lower case to hours ahead of UTC."""


EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
_MAX_CHARS = 120  # chosen, not measured
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d")
_ISO_WEEK = re.compile(r"\d{4}-?W\d\d-?[1-7]")
_EPOCH = re.compile(r"(?:/Date\()?(\d{9,10})(?:\d{3}){0,2}(?:\.\d{1,9})?(?:(?:[+-]\d{4})?\)/)?")
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_CLOCK = re.compile(
    r"(?<![\d.:-])(\d{1,2}) ?[:h] ?([0-5]\d)(?:[:m] ?(\d\d))?(?:[.,]\d{1,9})?(?![\d:])(?: ?([ap])\.?m\b\.?)?"
    r"|(?<![\d.:-])(\d{1,2}) ?([ap])\.?m\b\.?"
)
_COMPACT = re.compile(r"(\d{8})[t ]?(\d\d)(\d\d)(\d\d)?(?:[.,]\d{1,9})?(?!\d)")
_OFFSET = re.compile(r"[ ]{0,3}(?:gmt|utc|ut)?[ ]{0,3}([+-])(\d{1,2}):?(\d\d)?(?!\d)")
_ZONE = re.compile(r"[ ]{0,3}([a-z]{1,5})\b")
_YEAR_FIRST = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?!\d)")
_CHINESE = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d\d)")
_SLASHED = re.compile(r"(?<![\d-])(\d{1,2})([/-])(\d{1,2})\2(\d{4})(?!\d)")
_VIETNAMESE = re.compile(r"(\d{1,2}),? (?:thg|thang) (\d{1,2}),? (\d{4})")
_SIGN_CLOCK = re.compile(
    r"(?:(오전|午前|上午)|(오후|午後|下午))? ?(\d{1,2}) ?(?:時|时|點|点|시|:) ?([0-5]?\d) ?(?:分|분|(?!\d|:))"
)
"""A time in Japanese, Chinese or Korean."""
_BUDDHIST_YEARS = 543
"""Years of Thailand's calendar ahead of the common one."""
_DOTTED_CLOCK = re.compile(
    r"(?:(?<=\d{4} )|(?<=klo )|(?<=kl\. )|(?<= kl ))\d\d?\.[0-5]\d(?:\.[0-5]\d)?(?![\d.])"
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+")


class ParsedDate(NamedTuple):
    """A date in aware UTC, and the zone that it was written in."""

    moment: datetime
    utc_offset_min: int | None = None
    """Minutes ahead of UTC; None where the date is written without a known zone."""


class EntryDates(TypedDict):
    """Fields of an `Entry` about its dates."""

    published_at: datetime | None
    updated_at: datetime | None
    utc_offset_min: int | None
    unread_date: str | None


def date_fields(
    published: ParsedDate | None, updated: ParsedDate | None, unread: Iterable[str] = ()
) -> EntryDates:
    """Return the fields of an entry; the offset is that of the date that the item will be dated by.

    `unread` are its dates as written that could not be read; they count where it has no other.
    """
    dated = published or updated
    return EntryDates(
        published_at=published.moment if published else None,
        updated_at=updated.moment if updated else None,
        utc_offset_min=dated.utc_offset_min if dated else None,
        unread_date=None if dated else next((one_line(raw, 60) for raw in unread), None),
    )


DateParser = Callable[[str], time.struct_time | None]
"""Reads a date as a tuple in UTC."""


class DateReader:
    """Parses the dates of one feed, each distinct string once; `now` is aware UTC."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._latest = now + timedelta(days=1)
        self._cache: dict[str, ParsedDate | None] = {}
        self.unread: dict[str, None] = {}
        """Dates as written that nobody could read, each once."""

    def read(self, raw: str | None, fallback: DateParser | None = None) -> ParsedDate | None:
        """Return the date if it is between 1995 and tomorrow, else None.

        `raw` is the date as written. `fallback` reads what cannot be read here; it is no more than that,
        because feedparser ignores the minutes of `+0530` and has few time zones.
        """
        raw = (raw or "").strip()
        if raw not in self._cache:
            date = (
                parse_date(raw)
                or self._relative(raw)
                or _from_tuple(fallback(raw) if fallback and raw else None)
            )
            if raw.strip("0:-/. TZ") and date is None:  # zeros stand for no date
                self.unread[raw] = None
            self._cache[raw] = date
        date = self._cache[raw]
        return date if date is not None and EARLIEST <= date.moment <= self._latest else None

    def unread_among(self, *written: str) -> list[str]:
        """Return those of an item's dates that nobody could read."""
        return [raw for raw in map(str.strip, written) if raw in self.unread]

    def _relative(self, raw: str) -> ParsedDate | None:
        if len(raw) > _MAX_CHARS:
            return None
        moment = read_relative(raw, self._now)
        if moment is not None:
            return ParsedDate(moment)
        named = with_named_day(raw, self._now)
        return parse_date(named) if named else None


def parse_date(raw: str) -> ParsedDate | None:
    """Return a date, None if it is ambiguous or no date. Never raises.

    Formats: ISO 8601, RFC 822 and variants of both, seconds, milliseconds and microseconds since 1970, and
    dates with month names of the languages of MONTHS and of CLDR. A time without a zone is UTC, a date
    without a time is midnight.
    02/03/2026 is ambiguous.
    """
    if len(raw) > _MAX_CHARS:
        return None
    try:
        written, zone = split_zone_name(raw) if "/" in raw else (raw, None)
        date = _from_iso(written) or _from_epoch(written) or _from_week(written) or _from_text(written)
        if date is None or zone is None or date.utc_offset_min is not None:
            return date
        local = date.moment.replace(tzinfo=zone)
        return ParsedDate(local.astimezone(UTC), _minutes(local.utcoffset() or timedelta()))
    except (ValueError, OverflowError):
        return None


def _from_iso(raw: str) -> ParsedDate | None:
    if not _ISO.match(raw):
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        return None
    offset = moment.utcoffset()
    if offset is None:
        return ParsedDate(moment.replace(tzinfo=UTC))
    return ParsedDate(moment.astimezone(UTC), _minutes(offset))


def _minutes(offset: timedelta) -> int:
    return round(offset.total_seconds() / 60)


def _from_epoch(raw: str) -> ParsedDate | None:
    match = _EPOCH.fullmatch(raw)
    return ParsedDate(datetime.fromtimestamp(int(match[1]), UTC)) if match else None


def _from_week(raw: str) -> ParsedDate | None:
    return ParsedDate(datetime.fromisoformat(raw).replace(tzinfo=UTC)) if _ISO_WEEK.fullmatch(raw) else None


def _from_tuple(parsed: time.struct_time | None) -> ParsedDate | None:
    if parsed is None:
        return None
    try:
        return ParsedDate(datetime.fromtimestamp(calendar.timegm(parsed), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _from_text(raw: str) -> ParsedDate | None:
    # After a year, `10.11` is a time.
    text = _strip_comments(raw)
    if not text.isascii():
        text = _CHINESE.sub(r"\1年\2月\3日", _SIGN_CLOCK.sub(_plain_clock, text)).replace("−", "-")
    text = _DOTTED_CLOCK.sub(lambda match: match[0].replace(".", ":"), fold_accents(text))
    text, clock, offset = _time(text)
    day = _day(" ".join(text.split()), american=clock is not None and clock[1])
    if day is None:
        return None
    seconds = clock[0] if clock else 0
    moment = day + timedelta(seconds=seconds)
    return ParsedDate(moment) if offset is None else ParsedDate(moment - offset, _minutes(offset))


def _plain_clock(match: re.Match[str]) -> str:
    half = " am" if match[1] else " pm" if match[2] else ""
    return f" {match[3]}:{match[4].zfill(2)}{half} "


def _strip_comments(raw: str) -> str:
    """Return a date without comments in parentheses (RFC 822) and repeated white space."""
    while "(" in raw and (shorter := _COMMENT.sub(" ", raw)) != raw:
        raw = shorter
    return " ".join(raw.split())


def _time(text: str) -> tuple[str, tuple[int, bool] | None, timedelta | None]:
    """Return the text without its time, (seconds of day, is 12-hour clock), and the UTC offset if known."""
    compact = _COMPACT.search(text)
    clock = None if compact else _CLOCK.search(text)
    if compact:
        seconds, twelve, start, end = (
            _seconds_of_day(*compact.groups()[1:]),
            False,
            compact.end(1),
            compact.end(),
        )
    elif clock:
        hour, minute, second, half, bare_hour, bare_half = clock.groups()
        half = half or bare_half
        seconds, twelve = _seconds_of_day(hour or bare_hour, minute, second, half), half is not None
        start, end = clock.span()
    else:
        return text, None, None
    offset, end = _zone(text, end)
    return f"{text[:start]} {text[end:]}", (seconds, twelve), offset


def _seconds_of_day(hour: str, minute: str | None, second: str | None, half: str | None = None) -> int:
    """Return the seconds since midnight; 24:00 is the next midnight, second 60 becomes 59."""
    hours, minutes, seconds = int(hour), int(minute or 0), min(int(second or 0), 59)
    if half:
        hours = hours % 12 + (12 if half == "p" else 0)
    if hours > 24 or minutes > 59:
        raise ValueError(hour)
    return hours * 3600 + minutes * 60 + seconds


def _zone(text: str, at: int) -> tuple[timedelta | None, int]:
    """Return the offset of a time's zone from UTC (None if missing or unknown), and its end in the text."""
    offset = _OFFSET.match(text, at)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            return None, offset.end()
        ahead = timedelta(hours=hours, minutes=minutes)
        return (-ahead if offset[1] == "-" else ahead), offset.end()
    name = _ZONE.match(text, at)
    if name and name[1] in ZONES and _OFFSET.match(text, name.end()):
        return _zone(text, name.end())  # `PDT -0700`
    if name and name[1] in ZONES:
        return timedelta(hours=ZONES[name[1]]), name.end()
    return None, at


def _day(text: str, *, american: bool) -> datetime | None:
    """Return midnight of the day in a text. `american`: the month comes first if the order is unclear."""
    match = _YEAR_FIRST.match(text) or _CHINESE.search(text)
    if match:
        year, *rest = (int(each) for each in match.groups() if each and each.isdigit())
        return _midnight(year, *rest)
    dotted = _DAY_FIRST.search(text)
    if dotted:
        return _midnight(_year(dotted[3]), int(dotted[2]), int(dotted[1]))
    slashed = _SLASHED.search(text)
    if slashed:
        return _day_from_slashes(int(slashed[1]), int(slashed[3]), int(slashed[4]), american=american)
    if vietnamese := _VIETNAMESE.search(text):
        return _midnight(int(vietnamese[3]), int(vietnamese[2]), int(vietnamese[1]))
    return _day_by_month_name(_TOKEN.findall(text))


def _day_from_slashes(first: int, second: int, year: int, *, american: bool) -> datetime | None:
    if first > 12 or first == second:
        return _midnight(year, second, first)
    return _midnight(year, first, second) if second > 12 or american else None


def _day_by_month_name(tokens: list[str]) -> datetime | None:
    """Return the day of two numbers (day and year) and the name of a month, in any order."""
    numbers = [at for at, token in enumerate(tokens) if token.isdigit()]
    if len(numbers) != 2:
        return None
    first = numbers[0]
    months = MONTHS if any(token in MONTHS for token in tokens) else cldr_months()
    # First the names after the first number: `mar` and `set` are also days of the week.
    names = [months[token] for token in tokens[first:] if token in months]
    names += [months[token] for token in reversed(tokens[:first]) if token in months]
    day, year = (tokens[at] for at in numbers)
    if len(day) > 2:
        day, year = year, day
    if not names or len(day) > 2 or len(year) not in (2, 4):
        return None
    return _midnight(_year(year), names[0], int(day))


def _year(written: str) -> int:
    """Return a year; one of two digits as in RFC 2822 section 4.3."""
    year = int(written)
    if year > 2400:
        return year - _BUDDHIST_YEARS
    return year if len(written) > 2 else year + (2000 if year < 50 else 1900)


def _midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
