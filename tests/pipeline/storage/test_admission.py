"""Items that come together become what they would have become one by one."""

import tempfile

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.models import Item
from pipeline.storage import Database, Policy
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


def _fates(db: Database) -> list[tuple[object, ...]]:
    """Return what became of every item, and whether it shares a story."""
    with db._engine.begin() as connection:
        rows = connection.execute(sa.select(items_table)).all()
    guids = {row.external_id: (row.feed_id, row.guid) for row in rows}
    return sorted(
        (row.feed_id, row.guid, row.state, str(guids.get(row.merged_into)), row.story_id is not None)
        for row in rows
    )
