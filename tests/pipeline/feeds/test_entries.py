"""Entries to items: stable and unique guids, canonical links, titles, dates."""

from datetime import UTC, datetime

from pipeline.domain.models import Item
from pipeline.feeds.entries import Entry, build_items

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://a.example/story"


def items(*entries: Entry, home: str | None = None) -> tuple[Item, ...]:
    return build_items(entries, home, NOW)[0]


def test_a_guid_damaged_by_a_parser_is_restored() -> None:
    strict = Entry(guid="https://a.example/?id=1&utm_source=x", title="T")
    loose = Entry(guid="https://a.example/?id=1&utm;_source=x", title="T")
    assert items(strict)[0].guid == items(loose)[0].guid == "https://a.example/?id=1&utm_source=x"


def test_without_a_guid_the_link_then_the_content_is_the_guid() -> None:
    tracked = Entry(link=f"{LINK}?utm_source=mail", title="T")
    assert items(tracked)[0].guid == LINK
    first, second = Entry(title="T", text="a"), Entry(title="T", text="b")
    both = items(first, second)
    assert both[0].guid == items(first)[0].guid
    assert both[0].guid != both[1].guid


def test_a_guid_of_any_length_and_content_can_be_stored() -> None:
    [long, odd] = items(Entry(guid="x" * 10_000, title="T"), Entry(guid=" a\x00\n\ud800b ", title="T"))
    assert len(long.guid) < 100
    assert odd.guid == "a b"


def test_guids_made_unique_do_not_depend_on_the_order() -> None:
    first, second = Entry(guid="g", link=LINK, title="1"), Entry(guid="g", link=LINK + "2", title="2")
    third = Entry(guid="g", link=LINK, title="3")
    forward = {item.title: item.guid for item in items(first, second, third)}
    backward = {item.title: item.guid for item in items(third, second, first)}
    assert forward == backward
    assert len(set(forward.values())) == 3


def test_entries_that_differ_only_in_date_are_two_items() -> None:
    both = items(
        Entry(guid="g", title="T", published_at=NOW),
        Entry(guid="g", title="T", published_at=NOW.replace(day=2)),
    )
    assert len({item.guid for item in both}) == 2


def test_a_title_is_made_of_the_text_or_the_link() -> None:
    long = Entry(guid="1", text="- " + "word " * 40)
    linked = Entry(guid="2", link="https://a.example/2026/bank%20buys-rival.html")
    bare = Entry(guid="3", link="https://a.example/")
    titles = [item.title for item in items(long, linked, bare)]
    assert titles[0].endswith("word…")
    assert len(titles[0]) <= 81
    assert titles[1:] == ["bank buys rival", "a.example"]


def test_an_empty_entry_is_an_item_with_a_note() -> None:
    both, notes = build_items([Entry(guid="g"), Entry(guid="h", title="T")], None, NOW)
    assert [item.guid for item in both] == ["g", "h"]
    assert notes == ("1 item without title, text and link",)


def test_only_a_link_to_a_single_story_is_canonical() -> None:
    built = items(
        Entry(guid="1", link=f"{LINK}?utm_source=a", title="1"),
        Entry(guid="2", link="https://a.example/#x", title="2"),
        Entry(guid="3", link="https://a.example/log#v1", title="3"),
        Entry(guid="4", link="https://a.example/log#v2", title="4"),
        home="https://A.example",
    )
    assert [item.canonical for item in built] == [LINK, None, None, None]


def test_without_a_date_an_item_has_the_time_of_the_poll() -> None:
    undated, updated = items(
        Entry(guid="1", title="T"), Entry(guid="2", title="T", updated_at=NOW.replace(day=2))
    )
    assert (undated.published_at, undated.dated) == (NOW, False)
    assert (updated.published_at.day, updated.dated) == (2, True)


def test_the_utc_offset_of_a_date_changes_no_identity() -> None:
    days = [Entry(guid="g", title="T", published_at=NOW.replace(day=day)) for day in (1, 2)]
    zoned = [entry.model_copy(update={"utc_offset_min": -300}) for entry in days]
    before, after = items(*days), items(*zoned)
    assert [item.guid for item in before] == [item.guid for item in after]
    assert [item.content_hash for item in before] == [item.content_hash for item in after]
    assert {item.utc_offset_min for item in after} == {-300}


def test_an_item_tells_its_time_at_the_place_of_its_publisher() -> None:
    [item] = items(Entry(title="T", published_at=datetime(2026, 2, 4, 3, tzinfo=UTC), utc_offset_min=-300))
    assert f"{item.published_local:%Y-%m-%d %H:%M %Z}" == "2026-02-03 22:00 UTC-05:00"
    stored = item.model_dump(mode="json")
    del stored["utc_offset_min"]  # as stored before the field was
    assert Item.model_validate(stored).published_local == item.published_at
