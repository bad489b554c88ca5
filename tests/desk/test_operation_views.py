"""What the pages of operations make of counts: labels, orders, numbers by age, colours, periods."""

from datetime import UTC, timedelta
from typing import Any

import pytest

from desk.periods import Period, read_period
from desk.responses import fragment
from desk.routes.articles import AGE_LABELS, AGES, waiting_view
from desk.routes.checks import kind_views
from desk.routes.feeds import feed_views, health_of
from desk.routes.money import Sum, cost_columns, sums, tones
from pipeline.domain.days import duration, last_days
from pipeline.domain.models import PollState
from pipeline.storage import DayCost, DayItems, KindOutcomes, OpenFindings, SkipReason, WaitingDrafts
from pipeline.storage.daily import MAX_REASONS
from tests.pipeline.storage.records import NOW, feed

DAYS = last_days(NOW, 7, UTC)
PERIOD = Period(DAYS)
SECOND = timedelta(seconds=1)
POLLED: dict[str, Any] = {"last_polled_at": NOW - timedelta(minutes=5)}


@pytest.mark.parametrize(
    ("enabled", "poll", "health"),
    [
        (None, PollState(retired=True, failures=10), ("not in feeds.yaml any more", "", 5)),
        (False, PollState(retired=True, failures=10), ("switched off", "", 4)),
        (True, PollState(retired=True, failures=10), ("gone for good", "block", 0)),
        (True, PollState(failures=10), ("paused after 10 failures in a row", "block", 0)),
        (True, PollState(failures=9, **POLLED), ("failed 9 times in a row", "warn", 1)),
        (True, PollState(failures=1), ("failed once in a row", "warn", 1)),
        (True, PollState(), ("not polled yet", "", 3)),
        (True, PollState(wait_until=NOW + SECOND, **POLLED), ("its host asked to wait", "warn", 2)),
        (True, PollState(wait_until=NOW, **POLLED), ("healthy", "fine", 3)),
        (True, PollState(**POLLED), ("healthy", "fine", 3)),
    ],
)  # fmt: skip
def test_the_health_of_a_feed(enabled: bool | None, poll: PollState, health: tuple[str, str, int]) -> None:
    config = None if enabled is None else feed(enabled=enabled)
    assert health_of(config, poll, NOW) == health


def test_ill_feeds_come_first_then_those_with_the_most_items_by_day_of_the_period() -> None:
    configs = [feed("off", enabled=False), *map(feed, ("b-few", "a-few", "many", "waits", "fails", "paused"))]
    polls = {key: PollState(**POLLED) for key in ("off", "b-few", "a-few", "many", "gone")} | {
        "waits": PollState(wait_until=NOW + timedelta(hours=1), **POLLED),
        "fails": PollState(failures=1),
        "paused": PollState(failures=10),
    }
    items = [
        DayItems(DAYS[0], "off", "skipped", 99),
        DayItems(DAYS[0], "many", "approved", 10),
        DayItems(DAYS[1], "many", "skipped", 11),
        DayItems(DAYS[1], "many", "erased", 70),
        DayItems(DAYS[1], "b-few", "drafted", 7),
        DayItems(DAYS[1], "a-few", "drafted", 7),
    ]
    views = feed_views(configs, polls, {}, items, PERIOD, NOW)
    order = ["paused", "fails", "waits", "many", "a-few", "b-few", "off", "gone"]
    assert [view.key for view in views] == order
    many = views[order.index("many")]
    assert (many.total, many.a_day, many.drafted_share) == (21, 3.0, "48%")


def test_waiting_drafts_are_counted_once_each_by_age() -> None:
    assert [age.days for age in AGES] == [1, 3, 7], "as AGE_LABELS says"
    view = waiting_view(WaitingDrafts("one", 20, NOW, (9, 3, 1)))
    assert dict(zip((label for label, _ in AGE_LABELS), view.numbers, strict=True)) == {
        "up to 1 day": 11, "1 to 3 days": 6, "3 to 7 days": 2, "over 7 days": 1,
    }  # fmt: skip


def test_kinds_with_the_most_findings_open_or_decided_come_first() -> None:
    waiting = [OpenFindings("form", 1, 1, 2), OpenFindings("figure", 0, 4, 1)]
    ended = [
        KindOutcomes(kind="date", dismissed={"derived": 1, "other": 1}, taken=1, edited=1, passed=1),
        KindOutcomes(kind="form", dismissed={}, passed=2),
    ]
    views = kind_views(waiting, ended)
    assert [(view.kind, view.blocks, view.warns, view.outcomes.decided) for view in views] == [
        ("date", 0, 0, 5), ("figure", 0, 4, 0), ("form", 1, 1, 2),
    ]  # fmt: skip
    assert [view.alarm_share for view in views] == ["20%", "–", "0%"]


def test_the_most_expensive_models_have_colours_of_their_own() -> None:
    costs = [DayCost(DAYS[number], f"m{number}", "one", 1, 0, 7 - number) for number in range(6)]
    models = sums(costs, lambda cost: cost.model)
    assert tones(models) == {"m0": "a", "m1": "b", "m2": "c", "m3": "d", "m4": "idle", "m5": "idle"}
    chart = cost_columns(PERIOD, costs, models)
    assert [chart.count(f'"mark {tone}"') for tone in ("a", "b", "c", "d", "idle")] == [2, 2, 2, 2, 4], (
        "twice"
    )


def test_sums_are_sorted_by_cost_then_by_answers() -> None:
    costs = [
        DayCost(DAYS[0], "b", "", 1, 1, 0),
        DayCost(DAYS[0], "a", "", 1, 1, 0),
        DayCost(DAYS[0], "c", "", 2, 2, 0),
        DayCost(DAYS[0], "d", "", 1, 0, 5),
        DayCost(DAYS[1], "d", "", 2, 1, 6),
    ]
    assert sums(costs, lambda cost: cost.model) == [
        Sum("d", 3, 1, 11), Sum("c", 2, 2, 0), Sum("a", 1, 1, 0), Sum("b", 1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "query", "text"),
    [
        ({}, "page=2", "in the last 30 days"),
        ({"days": "30"}, "page=2", "in the last 30 days"),
        ({"days": "7"}, "days=7&page=2", "in the last 7 days"),
        ({"days": "90"}, "days=90&page=2", "in the last 90 days"),
        ({"days": "8"}, "page=2", "in the last 30 days"),
        ({"day": "2026-01-31", "days": "7"}, "day=2026-01-31&page=2", "on 2026-01-31"),
    ],
)
def test_a_period_stays_chosen_in_links(chosen: dict[str, str], query: str, text: str) -> None:
    period = read_period(chosen, NOW, UTC)
    assert (period.query(page="2", feed=""), period.text) == (query, text)
    assert read_period(dict(part.split("=") for part in query.split("&")), NOW, UTC) == period


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (60, "1 min"), (61, "1 min 1 s"),
        (3_599, "59 min 59 s"), (3_659, "1 h"), (3_660, "1 h 1 min"), (86_400, "1 d"),
        (2 * 86_400 + 3 * 3_600 + 59, "2 d 3 h"),
    ],
)  # fmt: skip
def test_a_time_span_has_its_largest_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("number", "is_cut"), [(MAX_REASONS - 1, False), (MAX_REASONS, True)])
def test_reasons_of_the_latest_skipped_items_alone_say_so(number: int, is_cut: bool) -> None:
    reasons = [SkipReason("thin", number - 1, ()), SkipReason("old", 1, ())]
    page = fragment("operations/_reasons.html", reasons=reasons, max_reasons=MAX_REASONS, bar=lambda *_: "")
    assert ("Of the latest 5,000 skipped items." in bytes(page.body).decode()) is is_cut
