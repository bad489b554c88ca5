"""The progress bar of a run, and when a backfill needs a confirmation."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from copydesk.run import Count, progress_bar
from pipeline.services.cost_question import needs_confirmation


def test_progress_shows_pace_cost_and_time_left() -> None:
    count = Count(expected=40)
    assert (count.total, count.pace(0)) == (40, "")
    for moment in range(10):
        count.note("claimed", "", 100.0 + moment)
    for done in range(1, 5):
        count.note("drafted" if done % 2 else "failed", f"${0.025 * done:.2f}", 110.0)
    assert count.pace(130.0) == "8 per minute · $0.10 · 4:30 left"
    assert count.pace(130.0 + 36_000).endswith("left")
    assert (count.done, count.total) == (4, 40)


def test_items_beyond_the_expected_number_count() -> None:
    count = Count(expected=1)
    for _ in range(3):
        count.note("claimed", "", 0.0)
    assert count.total == 3
    assert count.pace(5.0) == ""
    count.note("drafted", "", 6.0)
    assert count.pace(6.0) == "10 per minute · 0:12 left"


def test_long_durations_have_hours() -> None:
    count = Count(expected=1001)
    count.note("claimed", "", 0.0)
    count.note("drafted", "", 5.0)
    assert count.pace(5.0) == "12 per minute · 1:23:20 left"


def test_a_terminal_shows_pages_items_and_cost() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    moments = iter(range(0, 3000, 30))
    count = Count(expected=3, first="starting Prefect")
    assert count.doing("") == "starting Prefect"
    with progress_bar(count, console=console, clock=lambda: next(moments)) as notify:
        notify("days", "read", "")
        notify("days", "read", "")
        assert count.doing("days") == "reading days, page 2"
        notify("days", "claimed", "")
        notify("days", "drafted", "$0.12")
    assert "drafting days" in screen.getvalue()
    assert "1/3" in screen.getvalue()
    assert "$0.12" in screen.getvalue()


def test_without_a_terminal_nothing_is_shown() -> None:
    screen = io.StringIO()
    count = Count()
    with progress_bar(count, console=Console(file=screen)) as notify:
        notify("days", "claimed", "")
    assert screen.getvalue() == ""
    assert count.claimed == 1


@pytest.mark.parametrize(
    ("likely", "items", "model", "asks"),
    [
        (1_000_000, 500, True, False),
        (1_000_001, 1, True, True),
        (None, 20, True, False),
        (None, 21, True, True),
        (None, 500, False, False),
        (0, 500, True, False),
    ],
)
def test_high_cost_or_many_items_of_unknown_price_need_confirmation(
    likely: int | None, items: int, model: bool, asks: bool
) -> None:
    assert needs_confirmation(items, likely, Decimal(1), model=model) is asks


def test_a_limit_of_nothing_asks_also_where_the_price_is_unknown() -> None:
    assert needs_confirmation(1, None, Decimal(0), model=True)
    assert not needs_confirmation(0, None, Decimal(0), model=True)
    assert not needs_confirmation(1, None, Decimal(0), model=False)
