"""Charts: what is drawn stays in the picture and says its numbers, whatever a feed calls itself."""

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from desk.charts import Mark, Series, bar, columns, nice_axis, time_line
from desk.periods import tick_dollars

DAYS = [date(2026, 3, 28) + timedelta(days=number) for number in range(3)]
START = datetime(2026, 3, 28, 22, tzinfo=UTC)
TONES = st.sampled_from(["a", "b", "good", "bad"])
VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 10**30)
TEXTS = st.text(max_size=80).filter(lambda text: all(char >= " " for char in text)).map(
    lambda text: text.encode("utf-16", "replace").decode("utf-16").replace("\uffff", "").replace("\ufffe", "")
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10), timezones=st.just(UTC))  # noqa: DTZ001


def count(value: float) -> str:
    return f"{value:g}"


def tick(value: float, step: float) -> str:
    return f"{value:g} of {step:g}"


def drawings(chart: Markup) -> list[ET.Element]:
    return list(ET.fromstring(f"<div>{chart}</div>"))


def require_inside(drawing: ET.Element) -> None:
    """Every mark, line and text has finite numbers within the view box."""
    left, top, width, height = map(float, drawing.attrib["viewBox"].split())
    for element in drawing.iter():
        places = {key: value for key, value in element.attrib.items() if key in _PLACES}
        numbers = {key: float(value) for key, value in places.items()}
        assert all(math.isfinite(number) for number in numbers.values()), element.attrib
        for name in ("x", "x1", "x2"):
            assert left - 0.02 <= numbers.get(name, 0) + numbers.get("width", 0) <= left + width + 0.02
        for name in ("y", "y1", "y2"):
            assert top - 0.02 <= numbers.get(name, 0) + numbers.get("height", 0) <= top + height + 0.02
        assert "style" not in element.attrib


_PLACES = ("x", "y", "x1", "x2", "y1", "y2", "width", "height")


def test_a_chart_of_columns_as_it_is_sent() -> None:
    chart = columns(
        "Items", DAYS, [Series("Drafted", "a", [1, 0, 3]), Series("Held", "bad", [1, 0, 0])], count
    )
    wide, narrow = str(chart).split("</svg>")[:2]
    assert wide == (
        '<svg class="chart wide" viewBox="0 0 900 190" role="img" '
        'aria-label="Items. 2026-03-28 to 2026-03-30, 5 in all. The highest is 3 on 2026-03-30.">'
        "<title>Items</title>"
        "<desc>2026-03-28 to 2026-03-30, 5 in all. The highest is 3 on 2026-03-30.</desc>"
        '<line class="grid" x1="14.4" y1="168" x2="900" y2="168"/>'
        '<text x="8.4" y="172" text-anchor="end">0</text>'
        '<line class="grid" x1="14.4" y1="115.33" x2="900" y2="115.33"/>'
        '<text x="8.4" y="119.33" text-anchor="end">1</text>'
        '<line class="grid" x1="14.4" y1="62.67" x2="900" y2="62.67"/>'
        '<text x="8.4" y="66.67" text-anchor="end">2</text>'
        '<line class="grid" x1="14.4" y1="10" x2="900" y2="10"/>'
        '<text x="8.4" y="14" text-anchor="end">3</text>'
        '<rect class="mark a" x="134" y="115.33" width="56" height="52.67">'
        "<title>2026-03-28, Drafted: 1</title></rect>"
        '<rect class="mark bad" x="134" y="62.67" width="56" height="52.67">'
        "<title>2026-03-28, Held: 1</title></rect>"
        '<rect class="mark a" x="724.4" y="10" width="56" height="158">'
        "<title>2026-03-30, Drafted: 3</title></rect>"
        '<text x="752.4" y="184" text-anchor="middle">03-30</text>'
        '<text x="457.2" y="184" text-anchor="middle">03-29</text>'
        '<text x="162" y="184" text-anchor="middle">03-28</text>'
    )
    assert 'viewBox="0 0 350 190"' in narrow


def test_a_time_line_as_it_is_sent() -> None:
    until = START + timedelta(hours=4)
    mark = Mark(START + timedelta(hours=1), START + timedelta(hours=2), "ingest", "good", "ingest, ended")
    wide, _ = drawings(time_line("Runs", START, until, [mark]))
    assert [element.attrib["class"] for element in wide.iter("rect")] == ["mark good"]
    [rect] = wide.iter("rect")
    left = 12 + 6.4 * len("ingest")
    assert float(rect.attrib["x"]) == round(left + (900 - left) / 4, 2)
    assert float(rect.attrib["width"]) == round((900 - left) / 4, 2)
    assert [text.text for text in wide.iter("text")] == ["ingest", "22:00", "23:00", "00:00", "01:00"]


BERLIN = ZoneInfo("Europe/Berlin")


def test_a_day_on_which_the_clocks_are_put_back_has_25_hours() -> None:
    since, until = datetime(2026, 10, 25, tzinfo=BERLIN), datetime(2026, 10, 26, tzinfo=BERLIN)
    late = datetime(2026, 10, 25, 12, tzinfo=UTC)  # 13:00 in Berlin, 14 hours after midnight
    wide, _ = drawings(
        time_line("Runs", since, until, [Mark(late, late + timedelta(hours=1), "", "good", "")])
    )
    [rect] = wide.iter("rect")
    assert float(rect.attrib["x"]) == round(12 + (900 - 12) * 14 / 25, 2)
    assert float(rect.attrib["width"]) == round((900 - 12) / 25, 2)
    places = [(text.text, float(text.attrib["x"])) for text in wide.iter("text") if text.text]
    assert ("14:00", round(12 + (900 - 12) * 15 / 25, 2)) in places
    assert [label for label, _ in places] == [f"{hour:02}:00" for hour in range(0, 24, 2)]
    assert "2026-10-25 00:00 to 2026-10-26 00:00" in wide.attrib["aria-label"]


def test_an_hour_that_comes_twice_is_labelled_twice() -> None:
    since = datetime(2026, 10, 24, 23, tzinfo=UTC).astimezone(BERLIN)
    wide, _ = drawings(time_line("Runs", since, since + timedelta(hours=3), []))
    labels = [text.text for text in wide.iter("text") if text.text]
    assert labels == ["01:00", "02:00", "02:00", "03:00"]


def test_hours_are_those_of_clocks_that_are_no_whole_hours_from_utc() -> None:
    since = datetime(2026, 3, 28, 20, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kathmandu"))  # 01:45
    wide, _ = drawings(time_line("Runs", since, since + timedelta(hours=2), []))
    assert [text.text for text in wide.iter("text") if text.text] == ["02:00", "03:00"]


def test_amounts_on_an_axis_are_as_fine_as_its_steps() -> None:
    def labels(highest: float) -> list[str]:
        ticks = nice_axis(highest).ticks
        return [tick_dollars(tick, ticks[1]) for tick in ticks]

    assert labels(400) == ["$0.0000", "$0.0001", "$0.0002", "$0.0003", "$0.0004"]
    assert labels(800_000) == ["$0.00", "$0.20", "$0.40", "$0.60", "$0.80"]
    assert labels(20_000_000) == ["$0", "$5", "$10", "$15", "$20"]


def test_a_bar_shares_its_width_by_value() -> None:
    assert str(bar([("a", 1), ("bad", 2)], 4)) == (
        '<svg class="bar-cell" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="mark a" x="0" y="0" width="25" height="10"></rect>'
        '<rect class="mark bad" x="25" y="0" width="50" height="10"></rect></svg>'
    )
    assert "rect" not in str(bar([("a", 0)], 0))


def test_no_value_and_a_single_value_are_drawn() -> None:
    empty = columns("Items", [], [], count)
    assert "No days." in str(empty)
    zeros = columns("Items", DAYS, [Series("Drafted", "a", [0, 0, 0])], count)
    assert "All are 0." in str(zeros)
    assert "<rect" not in str(zeros)
    single = columns("Items", DAYS[:1], [Series("Drafted", "a", [0.5])], count, tick_text=tick)
    assert str(single).count("<rect") == 2  # wide and narrow
    nothing = time_line("Runs", START, START + timedelta(days=1), [])
    for drawing in (*drawings(empty), *drawings(zeros), *drawings(single), *drawings(nothing)):
        require_inside(drawing)


def test_the_shortest_run_can_be_seen() -> None:
    mark = Mark(START, START, "ingest", "good", "")
    for drawing in drawings(time_line("Runs", START - timedelta(days=1), START, [mark])):
        [rect] = drawing.iter("rect")
        assert float(rect.attrib["width"]) == 3
        require_inside(drawing)


def test_steps_of_an_axis_are_round() -> None:
    assert nice_axis(0).ticks == (0, 1)
    assert nice_axis(7).ticks == (0, 2, 4, 6, 8)
    assert nice_axis(100).ticks == (0, 50, 100)
    assert nice_axis(1, whole=True).ticks == (0, 1)
    assert nice_axis(0.12).top >= 0.12


@given(VALUES)
def test_an_axis_holds_its_value_in_few_steps(value: float) -> None:
    ticks = nice_axis(value).ticks
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 6
    assert all(later > earlier for earlier, later in pairwise(ticks))
    if 1e-9 <= value <= 1e15:
        assert ticks[-1] >= value * (1 - 1e-9)


@given(
    TEXTS,
    st.lists(st.tuples(TEXTS, TONES, st.lists(VALUES, min_size=90, max_size=90)), max_size=4),
    st.data(),
)
def test_columns_stay_in_the_picture_and_say_any_text(
    title: str, series: list[tuple[str, str, list[float]]], data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, 90))
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(length)]
    ticks = tick if data.draw(st.booleans()) else None
    chart = columns(title, days, [Series(*each) for each in series], count, tick_text=ticks)
    for drawing in drawings(chart):
        require_inside(drawing)
        assert drawing.findtext("title") == title


@given(st.lists(st.builds(Mark, MOMENTS, MOMENTS, TEXTS, TONES, TEXTS), max_size=20), MOMENTS, MOMENTS)
def test_a_time_line_stays_in_the_picture_and_says_any_text(
    marks: list[Mark], since: datetime, until: datetime
) -> None:
    for drawing in drawings(time_line("Runs", since, until, marks)):
        require_inside(drawing)
        assert [rect.findtext("title") or "" for rect in drawing.iter("rect")] == [
            mark.label for mark in marks
        ]


@given(st.lists(st.tuples(TONES, VALUES), max_size=5), VALUES)
def test_a_bar_never_leaves_its_cell(parts: list[tuple[str, float]], highest: float) -> None:
    [drawing] = drawings(bar(parts, highest))
    require_inside(drawing)
