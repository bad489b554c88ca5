"""Items that tell one story: siblings or one draft, an item under another guid, sources that change."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.domain.models import Item
from pipeline.storage import Ledger, Policy
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item

Open = Callable[..., Ledger]
ONE = Policy(merge_among=frozenset(("one", "two")))
HARBOUR = (
    "The port of Varnhem will close its northern basin for eleven weeks from 3 March, the harbour board "
    "said on Tuesday. Engineers found that the quay wall, built in 1961, had moved 14 centimetres "
    "towards the water since the last survey. About 40 fishing boats and two ferries have to use the "
    "southern basin in the meantime. Repairs will cost 6.2 million euros, of which the region pays "
    "half. 'We could have waited for the wall to decide for us', said harbour master Ines Falk. The "
    "ferry company expects delays of up to twenty minutes on weekdays and asked passengers to arrive "
    "earlier. A decision about the remaining 300 metres of the wall is expected in the autumn."
)


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed(), feed("two")])
    return opened


def story(number: int, text: str = HARBOUR, **changes: object) -> Item:
    title = "Varnhem closes its northern basin for eleven weeks"
    return item(number, **{"title": title, "text": text, **changes})


def write(ledger: Ledger, key: str = "one") -> None:
    for claim in ledger.claim(key, 9, LEASE_S):
        ledger.intend(claim, draft(claim))
        ledger.confirm(claim)


def test_siblings_are_each_drafted_and_each_told_of_the_other(ledger: Ledger) -> None:
    admit(ledger, story(1))
    write(ledger)
    assert admit(ledger, story(2), key="two").new == 1
    [first] = ledger.drafts()
    assert any("two tells the same story" in finding.message for finding in first.findings)
    [claim] = ledger.claim("two", 1, LEASE_S)
    assert [(one.feed_key, one.state) for one in ledger.siblings(claim.item_id)] == [("one", "drafted")]
    assert [one.feed_key for one in ledger.draft(first.external_id).siblings] == ["two"]


def test_one_draft_a_story_takes_the_later_ones_in(ledger: Ledger) -> None:
    admit(ledger, story(1), policy=ONE)
    assert admit(ledger, story(2), key="two", policy=ONE).merged == 1
    [claim] = ledger.claim("one", 1, LEASE_S)
    assert [(one.url, one.state) for one in ledger.siblings(claim.item_id)] == [
        ("https://news.example/2", "merged")
    ]
    assert ledger.claim("two", 1, LEASE_S) == []


def test_stories_of_one_poll_are_told_apart_and_joined_too(ledger: Ledger) -> None:
    other = "The council of Brodal adopted a budget of 310 million kroner after a debate of nine hours. " * 4
    admitted = admit(
        ledger, story(1), story(2, title="Brodal adopts its budget", text=other), key="one", policy=ONE
    )
    assert (admitted.new, admitted.merged) == (2, 0)


def test_an_old_story_is_not_taken_up_again(ledger: Ledger) -> None:
    admit(ledger, story(1), policy=ONE)
    later = story(2, published_at=NOW + timedelta(days=30))
    assert admit(ledger, later, key="two", policy=ONE).new == 1


def test_an_item_under_another_guid_is_the_same_item(ledger: Ledger) -> None:
    admit(ledger, story(1))
    write(ledger)
    again = story(
        1, guid="new-guid", link="https://news.example/moved", canonical="https://news.example/moved"
    )
    assert admit(ledger, again).merged == 1
    assert ledger.drafts()[0].findings[-1].kind != "source-updated", "its text did not change"
    corrected = again.model_copy(update={"text": HARBOUR.replace("6.2 million", "7.4 million")})
    assert admit(ledger, updated=[corrected]).updated == 1
    assert ledger.drafts()[0].findings[-1].kind == "source-updated"


def test_a_source_that_changes_after_drafting_is_flagged_so_many_times(ledger: Ledger) -> None:
    admit(ledger, story(1))
    write(ledger)
    policy = Policy(max_updates=2)
    counted = [
        admit(ledger, updated=[story(1, text=f"{HARBOUR} Update {n}.")], policy=policy).updated
        for n in range(4)
    ]
    assert counted == [1, 1, 0, 0]
    flags = [finding for finding in ledger.drafts()[0].findings if finding.kind == "source-updated"]
    assert len(flags) == 1, "one line is enough for the editor"


def test_a_source_that_changed_is_drafted_again_where_the_policy_says_so(ledger: Ledger) -> None:
    admit(ledger, story(1))
    write(ledger)
    before = ledger.drafts()[0]
    admit(ledger, updated=[story(1, text=f"{HARBOUR} The ferry now stops.")], policy=Policy(redraft=True))
    [claim] = ledger.claim("one", 1, LEASE_S)
    assert claim.updated is not None
    assert claim.updated.text.endswith("The ferry now stops.")
    assert claim.answer is None
    assert claim.previous is not None
    assert (claim.previous.path, claim.previous.version) == (before.path, 1)
    ledger.keep_standing(claim, "no answer")
    assert ledger.claim("one", 1, LEASE_S) == []
    assert ledger.drafts()[0].findings[-1].kind == "source-updated"


def test_a_duplicate_has_its_own_chance_once_the_first_turns_out_too_thin(ledger: Ledger) -> None:
    admit(ledger, item(1))
    admit(ledger, merged=[(item(1, guid="full", text=HARBOUR), ("one", "guid-1"))], key="two")
    [claim] = ledger.claim("one", 1, LEASE_S)
    ledger.skip(claim, "thin source: 6 of 200 characters")
    assert ledger.counts() == {"one": {"skipped": 1}, "two": {"seen": 1}}
    [heir] = ledger.claim("two", 1, LEASE_S)
    assert heir.item.text == HARBOUR
