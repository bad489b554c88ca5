"""Front matter as an approval writes it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.approved_metadata import following, front_of, is_overview_start
from pipeline.articles.render import make_description
from pipeline.domain.models import Beat

BEAT = Beat(key="b", market="market")
BEFORE = "## Overview\n\nIt fell on Monday.\n\n## From author\n\nWe wait.\n"
AFTER = BEFORE.replace("Monday", "Thursday")
ORIGIN: dict[str, Any] = {
    "title": "It fell", "externalId": "0123", "source": {"name": "Wire", "url": "https://a.example/1"},
    "category": "A", "ai": {"rewritten": True, "model": "m", "checks": {"open": 1, "acknowledged": 0}},
}  # fmt: skip


def test_attested_keys_are_restored_in_their_place() -> None:
    metadata = {"title": "Mine", "category": "A", "extra": [1]}
    front = front_of(metadata, BEFORE, BEAT, origin=ORIGIN)
    assert list(front.metadata) == ["title", "externalId", "source", "category", "ai", "extra"]
    assert {**front.metadata, "title": "It fell"} == ORIGIN | {"extra": [1]}
    assert [note.message.partition(" is not")[0] for note in front.notes] == ["externalId", "source", "ai"]


def test_altered_values_are_restored_and_added_ones_stay() -> None:
    altered = ORIGIN | {
        "source": {"name": "Me", "licence": "CC"},
        "ai": {"rewritten": False, "checks": {"open": 0, "acknowledged": 0}},
    }
    front = front_of(altered, BEFORE, BEAT, origin=ORIGIN)
    assert front.metadata["source"] == {**ORIGIN["source"], "licence": "CC"}
    assert front.metadata["ai"] == ORIGIN["ai"] | {"checks": {"open": 0, "acknowledged": 0}}
    assert len(front.notes) == 2


def test_the_count_of_findings_is_no_change() -> None:
    counted = ORIGIN | {"ai": ORIGIN["ai"] | {"checks": {"open": 0, "acknowledged": 3}}}
    front = front_of(counted, BEFORE, BEAT, origin=ORIGIN)
    assert (front.metadata, front.notes) == (counted, ())


def test_a_description_follows_the_overview_until_it_is_an_editors() -> None:
    for description, after in (("It fell on Monday.", "It fell on Thursday."), ("My own.", "My own.")):
        front = front_of({"description": description}, AFTER, BEAT, before=BEFORE)
        assert front.metadata["description"] == after
        assert front.follows is (after != "My own.")
    assert front_of({"description": "It fell on Monday."}, AFTER, BEAT).follows is False
    assert front_of({"description": None}, AFTER, BEAT).metadata["description"] == "It fell on Thursday."


def test_a_first_sentence_follows_the_overview_and_a_sentence_of_its_own_does_not() -> None:
    before = "## Overview\n\nIt fell on Monday. Then it rose.\n"
    after = before.replace("Monday", "Thursday")
    front = front_of({"description": "It fell on Monday."}, after, BEAT, before=before)
    assert (front.metadata["description"], front.follows) == ("It fell on Thursday.", True)
    longer = after.replace("It fell", "It" + " fell" * 40)
    front = front_of({"description": "It fell on Monday."}, longer, BEAT, before=before)
    assert front.metadata["description"].endswith("…")
    front = front_of({"description": "It rose in the end."}, after, BEAT, before=before)
    assert (front.metadata["description"], front.follows) == ("It rose in the end.", False)


def test_a_briefs_description_stays_behind_the_line_that_names_its_source() -> None:
    brief = "## Overview\n\nFrom Wire: [It fell](https://a.example/1)\n\n> It fell on Monday.\n"
    assert is_overview_start("It fell on Monday.", brief, BEAT)
    corrected = brief.replace("Monday", "Thursday")
    assert following("It fell on Monday.", brief, corrected, BEAT) == "It fell on Thursday."
    assert following("It fell on Monday.", brief, AFTER, BEAT) == "It fell on Thursday."


def test_markup_goes_with_a_note_and_addresses_stay() -> None:
    origin = ORIGIN | {"source": {"name": "<b>Wire</b>", "url": "https://a.example/1?a=1&b=2"}}
    metadata = origin | {"title": "<i>It</i> fell", "coverImage": {"alt": "A <script>x</script> mill"}}
    front = front_of(metadata, BEFORE, BEAT, origin=origin)
    assert front.metadata["title"] == "It fell"
    assert front.metadata["source"] == {"name": "Wire", "url": "https://a.example/1?a=1&b=2"}
    assert front.metadata["coverImage"] == {"alt": "A mill"}
    assert [note.message for note in front.notes] == [
        "title has HTML; approval takes it out.",
        "source has HTML; approval takes it out.",
        "coverImage has HTML; approval takes it out.",
    ]


@given(st.text(alphabet=st.sampled_from("ab <>/*_&;#-[]()`\\\n"), max_size=80))
def test_a_description_that_is_cut_from_the_overview_is_known_as_such(overview: str) -> None:
    body = f"## Overview\n\n{overview}\n\n## From author\n\nWe wait.\n"
    front = front_of({"description": ""}, body, BEAT)
    again = front_of(front.metadata, body, BEAT)
    assert again.metadata == front.metadata
    assert front.follows is bool(front.metadata["description"])
    assert "<b" not in make_description(overview)
