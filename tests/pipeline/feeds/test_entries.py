"""Who is who: guids that stay the same from poll to poll, and differ within one."""

from datetime import UTC, datetime

from pipeline.domain.models import Item
from pipeline.feeds.entries import Entry, build_items

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://a.example/story"


def items(*entries: Entry, home: str | None = None) -> tuple[Item, ...]:
    return build_items(entries, home, NOW)[0]


def test_a_guid_is_kept_whatever_the_parser_did_to_it() -> None:
    strict = Entry(guid="https://a.example/?id=1&utm_source=x", title="T")
    loose = Entry(guid="https://a.example/?id=1&utm;_source=x", title="T")
    assert items(strict)[0].guid == items(loose)[0].guid == "https://a.example/?id=1&utm_source=x"


def test_without_a_guid_the_link_then_the_text_is_the_name() -> None:
    tracked = Entry(link=f"{LINK}?utm_source=mail", title="T")
    assert items(tracked)[0].guid == LINK
    one, other = Entry(title="T", text="a"), Entry(title="T", text="b")
    found = items(one, other)
    assert found[0].guid == items(one)[0].guid
    assert found[0].guid != found[1].guid


def test_a_guid_of_any_length_and_content_can_be_stored() -> None:
    [long, odd] = items(Entry(guid="x" * 10_000, title="T"), Entry(guid=" a\x00\n\ud800b ", title="T"))
    assert len(long.guid) < 100
    assert odd.guid == "a b"


def test_a_shared_guid_names_each_the_same_in_any_order() -> None:
    one, two = Entry(guid="g", link=LINK, title="1"), Entry(guid="g", link=LINK + "2", title="2")
    three = Entry(guid="g", link=LINK, title="3")
    there = {item.title: item.guid for item in items(one, two, three)}
    back = {item.title: item.guid for item in items(three, two, one)}
    assert there == back
    assert len(set(there.values())) == 3


def test_entries_that_differ_in_nothing_but_a_date_are_both_kept() -> None:
    found = items(
        Entry(guid="g", title="T", published_at=NOW),
        Entry(guid="g", title="T", published_at=NOW.replace(day=2)),
    )
    assert len({item.guid for item in found}) == 2


def test_a_title_is_made_of_the_text_or_the_link() -> None:
    long = Entry(guid="1", text="- " + "word " * 40)
    linked = Entry(guid="2", link="https://a.example/2026/bank%20buys-rival.html")
    bare = Entry(guid="3", link="https://a.example/")
    titles = [item.title for item in items(long, linked, bare)]
    assert titles[0].endswith("word…")
    assert len(titles[0]) <= 81
    assert titles[1:] == ["bank buys rival", "a.example"]


def test_an_entry_with_nothing_is_an_item_and_told() -> None:
    found, notes = build_items([Entry(guid="g"), Entry(guid="h", title="T")], None, NOW)
    assert [item.guid for item in found] == ["g", "h"]
    assert notes == ("1 item without title, text and link",)


def test_only_a_link_to_one_story_makes_duplicates() -> None:
    found = items(
        Entry(guid="1", link=f"{LINK}?utm_source=a", title="1"),
        Entry(guid="2", link="https://a.example/#x", title="2"),
        Entry(guid="3", link="https://a.example/log#v1", title="3"),
        Entry(guid="4", link="https://a.example/log#v2", title="4"),
        home="https://A.example",
    )
    assert [item.canonical for item in found] == [LINK, None, None, None]


def test_without_a_date_an_item_dates_from_its_first_sight() -> None:
    undated, updated = items(
        Entry(guid="1", title="T"), Entry(guid="2", title="T", updated_at=NOW.replace(day=2))
    )
    assert (undated.published_at, undated.dated) == (NOW, False)
    assert (updated.published_at.day, updated.dated) == (2, True)
