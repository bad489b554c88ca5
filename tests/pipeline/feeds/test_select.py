"""Selection of items: new, updated, skipped, merged, and backfill windows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.select import ExistingItem, ExistingItems, select_items

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(**changes: Any) -> FeedConfig:
    base = {"key": "wire", "name": "Wire", "url": "https://w.example/f", "beat": "crypto", "category": "BTC"}
    return FeedConfig.model_validate(base | changes)


def item(guid: str, *, days: float = 1, link: str | None = None, title: str = "T", text: str = "") -> Item:
    published = NOW - timedelta(days=days)
    return Item(guid=guid, title=title, text=text, published_at=published, link=link, canonical=link)


def existing_items(
    *items: Item, state: str = "drafted", canonicals: dict[str, tuple[str, str]] | None = None
) -> ExistingItems:
    guids = {each.guid: ExistingItem(state=state, content_hash=each.content_hash) for each in items}
    return ExistingItems(guids=guids, canonicals=canonicals or {})


def test_new_unchanged_and_updated() -> None:
    old, changed = item("1"), item("2")
    later = item("2", title="T, corrected")
    chosen = select_items(feed(), [item("3"), old, later], existing_items(old, changed), NOW)
    assert [each.guid for each in chosen.new] == ["3"]
    assert chosen.updated == (later,)
    assert chosen.unchanged == 1


def test_an_item_with_only_a_new_date_is_unchanged() -> None:
    assert select_items(feed(), [item("1", days=0)], existing_items(item("1")), NOW).unchanged == 1


def test_an_item_that_a_feed_repeats_is_new_once() -> None:
    chosen = select_items(feed(), [item("1"), item("2"), item("1")], existing_items(), NOW)
    assert [each.guid for each in chosen.new] == ["1", "2"]


def test_an_item_that_holds_nothing_is_skipped_with_that_reason() -> None:
    chosen = select_items(
        feed(), [item("1", title=""), item("2", title="", link="https://a.example/2")], existing_items(), NOW
    )
    assert [each.guid for each in chosen.new] == ["2"]
    assert [skip.reason for skip in chosen.skipped] == ["empty: it has neither title, text nor link"]


def test_age_is_a_stated_reason() -> None:
    chosen = select_items(
        feed(max_age_days=7), [item("1", days=7), item("2", days=7.01)], ExistingItems(), NOW
    )
    assert [each.guid for each in chosen.new] == ["1"]
    [skip] = chosen.skipped
    assert skip.item.guid == "2"
    assert skip.reason == "too old: published 2026-02-22, more than 7 days ago"


def test_no_maximum_age_takes_everything() -> None:
    assert len(select_items(feed(max_age_days=None), [item("1", days=9000)], ExistingItems(), NOW).new) == 1


@pytest.mark.parametrize(
    ("filters", "title", "text", "selected"),
    [
        ({"exclude": ["ad"]}, "A bad road", "", True),
        ({"exclude": ["ad"]}, "An AD: buy", "", False),
        ({"exclude": ["sponsored"]}, "T", "This is Sponsored.", False),
        ({"exclude": ["price prediction"]}, "BTC Price Prediction 2026", "", False),
        ({"exclude": ["C++"]}, "C++ is back", "", False),
        ({"exclude": ["  "]}, "T", "", True),
        ({"exclude": ["比特币"]}, "今天比特币大跌", "", False),
        ({"exclude": ["straße"]}, "STRASSE", "", False),
        ({"include": ["bitcoin", "ether"]}, "Ether falls", "", True),
        ({"include": ["bitcoin", "ether"]}, "Ethereal music", "", False),
        ({"include": ["ether"], "exclude": ["casino"]}, "Ether casino", "", False),
    ],
)
def test_keywords(filters: dict[str, list[str]], title: str, text: str, selected: bool) -> None:
    chosen = select_items(feed(**filters), [item("1", title=title, text=text)], ExistingItems(), NOW)
    assert (len(chosen.new), len(chosen.skipped)) == ((1, 0) if selected else (0, 1))


def test_reasons_name_the_keyword() -> None:
    excluded = select_items(feed(exclude=["casino"]), [item("1", title="Casino")], ExistingItems(), NOW)
    not_included = select_items(feed(include=["casino"]), [item("1")], ExistingItems(), NOW)
    assert excluded.skipped[0].reason == "excluded word: casino"
    assert not_included.skipped[0].reason == "no include word"


def test_a_story_of_another_feed_is_merged_into_it() -> None:
    taken = existing_items(canonicals={"https://w.example/s": ("other", "o1")})
    chosen = select_items(feed(), [item("1", link="https://w.example/s")], taken, NOW)
    assert chosen.new == ()
    assert chosen.merged[0].into == ("other", "o1")


def test_a_story_that_comes_twice_is_merged_into_its_first() -> None:
    link = "https://w.example/s"
    chosen = select_items(
        feed(), [item("1", link=link), item("2", link=link), item("3")], ExistingItems(), NOW
    )
    assert [each.guid for each in chosen.new] == ["1", "3"]
    assert [(merge.item.guid, merge.into) for merge in chosen.merged] == [("2", ("wire", "1"))]


def test_a_story_known_under_another_guid_of_this_feed_is_merged_into_it() -> None:
    link = "https://w.example/s"
    chosen = select_items(
        feed(), [item("2", link=link), item("1", link=link)], existing_items(item("1", link=link)), NOW
    )
    assert chosen.merged[0].into == ("wire", "1")


def test_no_item_is_merged_into_a_skipped_one() -> None:
    link = "https://w.example/s"
    chosen = select_items(feed(), [item("1", link=link, days=99), item("2", link=link)], ExistingItems(), NOW)
    assert [each.guid for each in chosen.new] == ["2"]


def test_a_skipped_item_stays_skipped_until_it_changes() -> None:
    unwanted = item("1", title="Weather")
    before = existing_items(unwanted, state="skipped")
    config = feed(include=["bitcoin"])
    assert select_items(config, [unwanted], before, NOW).unchanged == 1
    changed = item("1", title="Weather and bitcoin")
    assert select_items(config, [changed], before, NOW).new == (changed,)
    still = item("1", title="Weather again")
    assert select_items(config, [still], before, NOW).unchanged == 1


def test_a_changed_merged_item_is_an_update() -> None:
    chosen = select_items(feed(), [item("1", title="New")], existing_items(item("1"), state="merged"), NOW)
    assert (chosen.new, len(chosen.updated)) == ((), 1), "the ledger knows for which"


def test_a_window_is_half_open_and_replaces_the_maximum_age() -> None:
    window = (NOW - timedelta(days=30), NOW - timedelta(days=20))
    batch = [
        item("before", days=30.01),
        item("first", days=30),
        item("last", days=20.01),
        item("after", days=20),
    ]
    chosen = select_items(feed(max_age_days=1), batch, ExistingItems(), NOW, window=window)
    assert [each.guid for each in chosen.new] == ["first", "last"]
    assert (chosen.outside, chosen.skipped) == (2, ())


def test_an_open_window_has_no_end() -> None:
    batch = [item("old", days=900), item("young", days=0)]
    assert len(select_items(feed(), batch, ExistingItems(), NOW, window=(None, None)).new) == 2
    assert (
        select_items(feed(), batch, ExistingItems(), NOW, window=(NOW - timedelta(days=1), None)).outside == 1
    )


@pytest.mark.parametrize(
    ("reason", "changed", "taken"),
    [
        ("too old: published 2026-01-30, more than 7 days ago", False, True),
        ("excluded word: casino", False, False),
        ("excluded word: casino", True, True),
        ("the feed's text is too thin: 12 characters", False, False),
        (None, False, False),
    ],
)
def test_a_window_selects_items_skipped_for_age_and_for_no_other_reason(
    reason: str | None, changed: bool, taken: bool
) -> None:
    skipped = item("1", days=30)
    before = ExistingItem(state="skipped", content_hash=skipped.content_hash, reason=reason)
    current = item("1", days=30, title="T, corrected") if changed else skipped
    chosen = select_items(feed(), [current], ExistingItems(guids={"1": before}), NOW, window=(None, None))
    assert (chosen.new, chosen.unchanged) == (((current,), 0) if taken else ((), 1))


@pytest.mark.parametrize("state", ["seen", "answered", "drafted", "approved", "rejected", "failed", "merged"])
def test_a_window_updates_stored_items_only_while_they_are_queued(state: str) -> None:
    same, changed = item("1", days=30), item("2", days=30, title="T, corrected")
    before = existing_items(same, item("2", days=30), state=state)
    chosen = select_items(feed(), [same, changed], before, NOW, window=(None, None))
    queued = state == "seen"
    assert (chosen.new, chosen.unchanged) == ((), 1)
    assert (chosen.updated, chosen.outside) == (((changed,), 0) if queued else ((), 1))


def test_a_limit_takes_the_newest_of_a_window_and_leaves_the_others_as_they_are() -> None:
    link = "https://w.example/s"
    batch = [
        item("oldest", days=9),
        item("casino, old", days=8, title="Casino"),
        item("twice", days=7, link=link),
        item("newest", days=1),
        item("casino", days=2, title="Casino"),
        item("third", days=4, link=link),
        item("second", days=3),
    ]
    config = feed(exclude=["casino"])
    chosen = select_items(config, batch, ExistingItems(), NOW, window=(None, None), limit=2)
    assert [each.guid for each in chosen.new] == ["newest", "second"]
    assert [skip.item.guid for skip in chosen.skipped] == ["casino"]
    assert (chosen.beyond, chosen.outside, chosen.merged) == (2, 2, ())
    none = select_items(config, batch, ExistingItems(), NOW, window=(None, None), limit=0)
    assert (none.new, none.skipped, none.merged, none.beyond) == ((), (), (), 4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            item,
            st.sampled_from("abcdefgh"),
            days=st.floats(0, 20),
            link=st.sampled_from([None, "https://w.example/1", "https://w.example/2"]),
            title=st.sampled_from(["Bitcoin", "Casino", "Other"]),
        ),
        max_size=8,
        unique_by=lambda each: each.guid,
    ),
    st.sampled_from(["seen", "drafted", "skipped", "merged"]),
    st.integers(0, 8),
    st.booleans(),
    st.none() | st.integers(-1, 4),
)
def test_every_item_has_one_outcome_and_a_second_poll_finds_nothing_new(
    batch: list[Item], state: str, stored_count: int, backfill: bool, limit: int | None
) -> None:
    config = feed(exclude=["casino"])
    window = (NOW - timedelta(days=10), None) if backfill else None
    limit = limit if backfill else None
    before = existing_items(*batch[:stored_count], state=state)
    chosen = select_items(config, batch, before, NOW, window=window, limit=limit)
    placed = [
        *chosen.new,
        *chosen.updated,
        *(s.item for s in chosen.skipped),
        *(m.item for m in chosen.merged),
    ]
    assert len(placed) + chosen.unchanged + chosen.outside + chosen.beyond == len(batch)
    assert len(chosen.new) <= max(0, len(batch) if limit is None else limit)
    after = ExistingItems(
        guids=before.guids
        | existing_items(*chosen.new, state="seen").guids
        | existing_items(*(skip.item for skip in chosen.skipped), state="skipped").guids
        | existing_items(*(merge.item for merge in chosen.merged), state="merged").guids
    )
    again = select_items(
        config, batch, after, NOW, window=window, limit=None if limit is None else limit - len(chosen.new)
    )
    assert (again.new, again.updated, again.skipped, again.merged) == ((), (), (), ())


def test_an_unread_date_lets_no_archive_be_drafted_as_new() -> None:
    unread = {"dated": False, "unread_date": "3 Quux 2019"}
    undated = [item(guid).model_copy(update=unread) for guid in ("1", "2")]
    first = select_items(feed(), undated, ExistingItems(), NOW)
    assert [skip.reason.partition(":")[0] for skip in first.skipped] == ["unread date"] * 2
    stored = existing_items(undated[0], state="skipped").model_copy(update={"polled": True})
    assert select_items(feed(), undated, stored, NOW).new == (undated[1],)
