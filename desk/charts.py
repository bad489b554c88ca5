"""Charts as inline SVG: columns by day, a time line of runs, bars within tables. Pure.

Colours are classes of operations.css, as the desk's policy refuses style attributes. A chart is an image with
a title and a description; the page has its numbers in a table.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from markupsafe import Markup, escape

_TICKS = 4
"""Steps of an axis at most. Chosen, not measured."""
_CHAR = 6.4
"""Width of a character of the 11 px labels, in px: of DejaVu Sans, the widest of the desk's fonts."""
_MIN, _MAX = 1e-9, 1e15
"""Values outside are 0, or the bound. Chosen: no count or cost is outside."""
_MAX_COLUMN = 56.0
"""Width of a column at most, in px."""
_TOP, _BOTTOM = 10.0, 22.0
_HEIGHT = 190.0
_WIDTHS = {"wide": 900.0, "narrow": 350.0}
"""Widths of the two drawings of a chart, of which CSS shows one: text is as large on a phone."""


class Series(NamedTuple):
    """A series of a chart of columns."""

    label: str
    tone: str
    """Class of its colour: a, b, c, d, good, bad, warn or idle."""
    values: Sequence[float]
    """One of each column; a value that is negative or no number counts as 0."""


class Mark(NamedTuple):
    """A run on a time line."""

    since: datetime
    until: datetime
    lane: str
    tone: str
    label: str


class Axis(NamedTuple):
    """The labelled steps of a vertical axis."""

    ticks: tuple[float, ...]

    @property
    def top(self) -> float:
        """The highest step, above 0."""
        return self.ticks[-1]


def nice_axis(highest: float, *, whole: bool = False) -> Axis:
    """Return steps of 1, 2 or 5 times a power of ten from 0 to at least `highest`; `whole`: of 1 at least."""
    highest = _number(highest)
    if highest <= 0:
        return Axis((0.0, 1.0))
    rough = highest / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((base * power for base in (1, 2, 5) if base * power >= rough * (1 - 1e-9)), 10 * power)
    step = max(step, 1.0) if whole else step
    count = max(1, math.ceil(highest / step - 1e-9))
    return Axis(tuple(step * number for number in range(count + 1)))


def columns(
    title: str,
    days: Sequence[date],
    series: Sequence[Series],
    text: Callable[[float], str],
    *,
    tick_text: Callable[[float, float], str] | None = None,
) -> Markup:
    """Return stacked columns, one a day; `text` writes a value with its unit.

    `tick_text` writes a value of the axis, given the axis' step; None: values are counts, without fractions.
    """
    totals = [sum(_number(each.values[at]) for each in series) for at in range(len(days))]
    axis = nice_axis(max(totals, default=0), whole=tick_text is None)
    labels = [tick_text(tick, axis.ticks[1]) if tick_text else text(tick) for tick in axis.ticks]
    lines = list(zip(axis.ticks, labels, strict=True))
    summary = _summary(days, totals, text)
    drawings = (
        _figure(name, width, title, summary, _columns(width, days, series, lines, text))
        for name, width in _WIDTHS.items()
    )
    return Markup("").join(drawings)


def _summary(days: Sequence[date], totals: Sequence[float], text: Callable[[float], str]) -> str:
    if not days:
        return "No days."
    at = max(range(len(days)), key=lambda number: totals[number])
    highest = f"The highest is {text(totals[at])} on {days[at]:%Y-%m-%d}." if totals[at] else "All are 0."
    return f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}, {text(sum(totals))} in all. {highest}"


def _columns(
    width: float,
    days: Sequence[date],
    series: Sequence[Series],
    ticks: Sequence[tuple[float, str]],
    text: Callable[[float], str],
) -> Iterator[str]:
    left = min(8 + _CHAR * max(len(label) for _, label in ticks), width / 3)
    height, (top, _) = _HEIGHT - _TOP - _BOTTOM, ticks[-1]
    for tick, label in ticks:
        y = _TOP + height * (1 - tick / top)
        yield _line("grid", left, y, width, y)
        yield _text(left - 6, y + 4, label, "end")
    slot = (width - left) / max(1, len(days))
    gap = max(min(4.0, slot / 4), slot - _MAX_COLUMN)
    for at, day in enumerate(days):
        base, x = _TOP + height, left + slot * at + gap / 2
        for each in series:
            tall = min(height * _number(each.values[at]) / top, base - _TOP)
            if tall > 0:
                label = f"{day:%Y-%m-%d}, {each.label}: {text(_number(each.values[at]))}"
                yield _rect(each.tone, x, base - tall, slot - gap, tall, label)
                base -= tall
    yield from _day_labels(left, slot, days)


def _day_labels(left: float, slot: float, days: Sequence[date]) -> Iterator[str]:
    """Yield the labels of as many days as there is room for, the last one among them."""
    every = max(1, math.ceil(_CHAR * 8 / slot))
    for at in range(len(days) - 1, -1, -every):
        x = left + slot * (at + 0.5)
        text = f"{days[at]:%m-%d}"
        half = _CHAR * len(text) / 2
        if x - half >= left - 6:
            yield _text(min(x, left + slot * len(days) - half), _HEIGHT - 6, text, "middle")


def time_line(title: str, since: datetime, until: datetime, marks: Sequence[Mark]) -> Markup:
    """Return a line of time for each lane, with a mark for each run, labelled in the zone of `since`."""
    zone = since.tzinfo or UTC
    lanes = list(dict.fromkeys(mark.lane for mark in marks)) or [""]
    summary = f"{since:%Y-%m-%d %H:%M} to {until.astimezone(zone):%Y-%m-%d %H:%M}, {len(marks)} in all."
    # Two times of one zone are subtracted by its clocks, which jump twice a year.
    span = TimeSpan(since.astimezone(UTC), until.astimezone(UTC), zone)
    drawings = (
        _figure(name, width, title, summary, _time_line(width, span, lanes, marks), _lanes_height(lanes))
        for name, width in _WIDTHS.items()
    )
    return Markup("").join(drawings)


class TimeSpan(NamedTuple):
    """What a time line shows."""

    since: datetime
    until: datetime
    """Both in UTC."""
    zone: tzinfo
    """Of its labels."""

    @property
    def seconds(self) -> float:
        """Its length, at least 1."""
        return max(1.0, (self.until - self.since).total_seconds())

    def share_before(self, moment: datetime) -> float:
        """Return which share of it is before a time: below 0 or above 1 for one outside."""
        return (moment.astimezone(UTC) - self.since).total_seconds() / self.seconds


_LANE = 34.0
_TIME_LABEL = 56.0
"""Width that the label of a time takes, in px."""
_HOURS = (1, 2, 3, 4, 6, 12, 24)


def _lanes_height(lanes: Sequence[str]) -> float:
    return _TOP + _LANE * len(lanes) + _BOTTOM


def _time_line(width: float, span: TimeSpan, lanes: Sequence[str], marks: Sequence[Mark]) -> Iterator[str]:
    left = min(12 + _CHAR * max(len(lane) for lane in lanes), width / 3)
    space = int((left - 12) / _CHAR)
    for at, lane in enumerate(lanes):
        y = _TOP + _LANE * (at + 0.5)
        yield _line("grid", left, y, width, y)
        yield _text(left - 6, y + 4, lane if len(lane) <= space else lane[: space - 1] + "…", "end")
    for mark in marks:
        begin, end = (
            left + (width - left) * min(1.0, max(0.0, span.share_before(moment)))
            for moment in (mark.since, mark.until)
        )
        begin = min(begin, width - 3)  # the shortest run can be seen
        y = _TOP + _LANE * lanes.index(mark.lane) + 7
        yield _rect(mark.tone, begin, y, max(3.0, end - begin), _LANE - 14, mark.label)
    yield from _time_labels(width, left, span, _lanes_height(lanes) - 6)


def _time_labels(width: float, left: float, span: TimeSpan, y: float) -> Iterator[str]:
    """Yield labels at whole hours of the zone's clocks, as many as there is room for."""
    space = max(1, int((width - left) / _TIME_LABEL))
    length = span.seconds / 3600
    hours = next((step for step in _HOURS if length / step <= space), math.ceil(length / space))
    first = span.since.astimezone(span.zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    for step in range(2 * int(length) + 4):  # half hours, as some clocks jump by one
        moment = first + step * timedelta(minutes=30)
        local = moment.astimezone(span.zone)
        is_repeated = local.fold and hours > 1
        if local.minute or local.hour % min(hours, 24) or is_repeated:
            continue
        x = left + (width - left) * span.share_before(moment)
        if left <= x <= width - _TIME_LABEL / 2:
            yield _line("grid", x, y - 15, x, y - 11)
            yield _text(x, y, f"{local:%H:%M}", "middle")


def bar(parts: Sequence[tuple[str, float]], highest: float) -> Markup:
    """Return a bar for a cell of a table, which has the numbers: parts of a tone and value each."""
    values = [(tone, _number(value)) for tone, value in parts]
    total = max(_number(highest), sum(value for _, value in values))
    rects, x = [], 0.0
    for tone, value in values:
        wide = min(100.0 - x, 100.0 * value / total) if total > 0 else 0.0
        if wide > 0:
            rects.append(_rect(tone, x, 0, wide, 10, ""))
            x += wide
    return Markup(
        '<svg class="bar-cell" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(Markup("".join(rects)))  # noqa: S704 - tones are escaped


def _number(value: float) -> float:
    """Return a value that can be drawn: finite, and 0 or between the bounds of what a chart can show."""
    return min(float(value), _MAX) if math.isfinite(value) and value >= _MIN else 0.0


def _figure(
    name: str, width: float, title: str, summary: str, marks: Iterator[str], height: float = _HEIGHT
) -> Markup:
    head = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        name, _px(width), _px(height), f"{title}. {summary}"
    )
    about = Markup("<title>{}</title><desc>{}</desc>").format(title, summary)
    return head + about + Markup("".join(marks)) + Markup("</svg>")  # noqa: S704 - marks are escaped


# Marks are plain strings: `Markup.format` took most of the time of a chart of 90 days.
def _rect(tone: str, x: float, y: float, width: float, height: float, label: str) -> str:
    title = f"<title>{escape(label)}</title>" if label else ""
    place = f'x="{_px(x)}" y="{_px(y)}" width="{_px(width)}" height="{_px(height)}"'
    return f'<rect class="mark {escape(tone)}" {place}>{title}</rect>'


def _line(tone: str, x1: float, y1: float, x2: float, y2: float) -> str:
    place = f'x1="{_px(x1)}" y1="{_px(y1)}" x2="{_px(x2)}" y2="{_px(y2)}"'
    return f'<line class="{escape(tone)}" {place}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{_px(x)}" y="{_px(y)}" text-anchor="{anchor}">{escape(text)}</text>'


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
