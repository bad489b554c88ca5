"""Items that come together become what they would have become one by one."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.models import Item, PollState
from pipeline.storage import Database, Policy, PollResult
from pipeline.storage.schema import items as items_table
from tests.databases import prepared
from tests.pipeline.storage.records import admit, feed, item
from tests.pipeline.storage.test_duplicate_groups import HARBOUR, ONE, story

_POOL = [
    story(1),
    story(2),
    story(3, text=HARBOUR[:300]),
    item(
        4, text="The council of Brodal adopted its budget after a debate of nine hours on Monday night. " * 3
    ),
    item(5),
    item(6, canonical="https://news.example/5"),
    item(7, canonical=None),
    item(5, text="Text 5, with more of it"),
]


@given(
    before=st.lists(st.sampled_from(_POOL), max_size=3),
    batch=st.lists(st.sampled_from(_POOL), max_size=8),
    policy=st.sampled_from([ONE, Policy()]),
)
@settings(max_examples=30, deadline=None)
def test_items_that_come_together_become_what_they_become_one_by_one(
    before: list[Item], batch: list[Item], policy: Policy
) -> None:
    became = []
    for polls in ([batch], [[one] for one in batch]):
        with (
            tempfile.TemporaryDirectory() as folder,
            Database.open(prepared(f"sqlite:///{folder}/ledger.db")) as db,
        ):
            db.feeds.sync([feed(), feed("two")])
            admit(db, *before, key="two", policy=policy)
            for poll in polls:
                admit(db, *poll, policy=policy)
            became.append(_fates(db))
    assert became[0] == became[1]


_FEEDS = ("one", "two", "three")
_SUBJECTS = ("The harbour of Brodal", "The council of Ulvik")
_TITLES = [f"{start}{subject}" for start in ("", "Correction: ", "WITHDRAWN: ") for subject in _SUBJECTS]


@st.composite
def _polls(draw: st.DrawFn) -> list[tuple[str, PollResult, Policy]]:
    """Polls of distinct feeds, whose items share guids, links, texts and titles."""
    polls = []
    for key in draw(st.permutations(_FEEDS)):
        numbers = draw(st.lists(st.integers(0, 7), max_size=6, unique=True))
        parts: dict[str, list[Item]] = {"new": [], "updated": [], "skipped": []}
        for number in numbers:
            link = draw(st.sampled_from([None, f"https://news.example/{number}", "https://news.example/a"]))
            text = draw(st.sampled_from([HARBOUR, HARBOUR[:300], f"Text {number} of its own. " * 8]))
            each = item(number, canonical=link, text=text, title=draw(st.sampled_from(_TITLES)))
            parts[draw(st.sampled_from(["new", "new", "updated", "skipped"]))].append(each)
        result = PollResult(
            new=parts["new"],
            updated=parts["updated"],
            skipped=[(each, "too old") for each in parts["skipped"]],
            merged=(),
            state=PollState(),
            present=frozenset(f"guid-{number}" for number in numbers),
        )
        polls.append((key, result, draw(st.sampled_from([ONE, Policy()]))))
    return polls


# The same examples each time: of several duplicates that fit alike, another one may be chosen.
@given(rounds=st.lists(_polls(), min_size=2, max_size=3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_polls_of_one_transaction_become_what_they_become_one_by_one(
    rounds: list[list[tuple[str, PollResult, Policy]]],
) -> None:
    became = []
    for together in (True, False):
        with (
            tempfile.TemporaryDirectory() as folder,
            Database.open(prepared(f"sqlite:///{folder}/ledger.db")) as db,
        ):
            db.feeds.sync([feed(key) for key in _FEEDS])
            admitted = [
                db.items._admit(polls) if together else [db.items.admit(*poll) for poll in polls]
                for polls in rounds
            ]
            became.append((admitted, _fates(db)))
    assert became[0] == became[1]


def test_a_feed_that_is_polled_twice_at_once_is_admitted_twice(tmp_path: Path) -> None:
    with Database.open(prepared(f"sqlite:///{tmp_path}/ledger.db")) as db:
        db.feeds.sync([feed(), feed("two")])
        empty = PollResult(new=(), updated=(), skipped=(), merged=(), state=PollState())
        first = empty._replace(new=[item(1), item(2)], skipped=[(item(3), "too old")])
        second = empty._replace(new=[item(3)], skipped=[(item(1), "too old"), (item(4), "too old")])
        admitted = db.items._admit([("one", first, ONE), ("two", first, ONE), ("one", second, ONE)])
        assert [(each.new, each.merged, each.skipped) for each in admitted] == [
            (2, 0, 1),
            (0, 2, 1),
            (1, 0, 1),
        ]


def test_a_correction_with_the_link_of_another_new_item_is_merged_into_that(tmp_path: Path) -> None:
    with Database.open(prepared(f"sqlite:///{tmp_path}/ledger.db")) as db:
        db.feeds.sync([feed()])
        title = "Correction: The quay of Ulvik opens"
        first = item(1, title=title, text="One text of its own. " * 9)
        second = item(2, canonical=first.canonical, text="Another text, of the other item. " * 9)
        again = item(3, title=title)
        admitted = admit(db, first, second, again, item(3, text="The third text. " * 9))
        assert (admitted.new, admitted.merged) == (2, 1)
        states = db.items.existing("one", ["guid-1", "guid-2", "guid-3"], []).guids
        assert [each.state for each in states.values()] == ["merged", "seen", "seen"]


def test_a_duplicate_takes_the_place_of_an_item_that_is_reserved_in_the_same_transaction(
    tmp_path: Path,
) -> None:
    with Database.open(prepared(f"sqlite:///{tmp_path}/ledger.db")) as db:
        db.feeds.sync([feed(), feed("two")])
        admit(db, item(1), key="two", policy=ONE)
        empty = PollResult(new=(), updated=(), skipped=(), merged=(), state=PollState())
        copy = empty._replace(merged=[(item(1, guid="copy"), ("two", "guid-1"))])
        refused = empty._replace(skipped=[(item(1, reserved="noai"), "reserved")])
        db.items._admit([("one", copy, ONE), ("two", refused, ONE)])
        assert db.items.existing("two", ["guid-1"], []).guids["guid-1"].state == "skipped"
        assert db.items.existing("one", ["copy"], []).guids["copy"].state == "seen"


def _fates(db: Database) -> list[tuple[object, ...]]:
    """Return what became of every item, and whether it shares a story."""
    with db._engine.begin() as connection:
        rows = connection.execute(sa.select(items_table)).all()
    guids = {row.external_id: (row.feed_id, row.guid) for row in rows}
    return sorted(
        (row.feed_id, row.guid, row.state, str(guids.get(row.merged_into)), row.story_id is not None)
        for row in rows
    )
