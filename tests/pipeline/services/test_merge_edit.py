"""Fields of the front matter that two editors changed."""

from typing import Any

import pytest

from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import dumps
from pipeline.services.edit import DraftEdit
from pipeline.services.merge_edit import EditMerge, merge_edit
from tests.fakes.stock import pieces

BODY = "## Overview\n\nIt fell.\n"
COVER = {"regular": "https://x.example/a.jpg", "alt": "A picture", "credit": {"name": "N"}}
FRONT: dict[str, Any] = {
    "title": "A title", "description": "Its words. More of them.", "category": "BTC", "tags": ["BTC", "ETH"],
    "sentiment": "NEUTRAL", "stickyWeight": 0, "coverImage": COVER,
}  # fmt: skip


def merged(mine: dict[str, Any], theirs: dict[str, Any], choices: dict[str, str] | None = None) -> EditMerge:
    edit = DraftEdit(
        title="A title", description=None, category="BTC", tags=("BTC", "ETH"), sentiment=Sentiment.NEUTRAL,
        sticky_weight=0, body=BODY,
    ).model_copy(update=mine)  # fmt: skip
    return merge_edit(dumps(FRONT, BODY), edit, dumps(FRONT | theirs, BODY), pieces()[0].beat, choices)


def test_what_one_side_changed_is_taken() -> None:
    result = merged({}, {"title": "Theirs", "stickyWeight": 4, "sentiment": "NEGATIVE", "coverImage": {}})
    assert result.conflicts == ()
    edit = result.edit
    assert (edit.title, edit.sticky_weight, edit.sentiment, edit.cover) == ("Theirs", 4, "NEGATIVE", None)
    mine = {"title": "Mine", "sticky_weight": 5, "category": "ETH", "cover": {}}
    result = merged(mine, {"tags": ["BTC", "DEFI"]})
    assert result.conflicts == ()
    edit = result.edit
    assert (edit.title, edit.sticky_weight, edit.category, edit.cover) == ("Mine", 5, "ETH", {})
    assert edit.tags == ("BTC", "DEFI")


def test_tags_are_a_set() -> None:
    result = merged({"tags": ("BTC", "DEFI")}, {"tags": ["BTC", "ETH", "MARKET"]})
    assert (result.edit.tags, result.conflicts) == (("BTC", "MARKET", "DEFI"), ())


def test_sentences_of_a_description_are_merged() -> None:
    result = merged(
        {"description": "My words. More of them."}, {"description": "Its words. Many more of them."}
    )
    assert (result.edit.description, result.conflicts) == ("My words. Many more of them.", ())


@pytest.mark.parametrize(
    ("mine", "theirs", "field"),
    [
        ({"title": "Mine"}, {"title": "Theirs"}, "title"),
        ({"description": "Mine."}, {"description": "Theirs."}, "description"),
        ({"sticky_weight": 5}, {"stickyWeight": 4}, "stickyWeight"),
        ({"category": "ETH"}, {"category": "DEFI"}, "category"),
        ({"cover": {}}, {"coverImage": {"regular": "https://x.example/b.jpg"}}, "cover"),
        ({"cover": COVER | {"alt": "Mine"}}, {"coverImage": COVER | {"alt": "Theirs"}}, "alt"),
    ],
)
def test_what_both_changed_asks(mine: dict[str, Any], theirs: dict[str, Any], field: str) -> None:
    [conflict] = merged(mine, theirs).conflicts
    assert conflict.field == field
    chosen = merged(mine, theirs, {conflict.key: conflict.mine})
    assert chosen.conflicts == ()
    name, value = next(iter(mine.items()))
    assert getattr(chosen.edit, name) == value
    other = merged(mine, theirs, {conflict.key: conflict.theirs})
    assert other.conflicts == ()
    assert getattr(other.edit, name) != value


def test_the_same_change_of_both_is_no_conflict() -> None:
    cover = COVER | {"alt": "New"}
    mine = {"title": "New", "sticky_weight": 3, "cover": cover, "description": "New."}
    result = merged(mine, {"title": "New", "stickyWeight": 3, "coverImage": cover, "description": "New."})
    assert (result.conflicts, result.edit.title, result.edit.cover) == ((), "New", None)


def test_front_matter_that_somebody_wrote_otherwise_is_no_error() -> None:
    theirs = {"tags": "BTC", "stickyWeight": "many", "sentiment": "GLUM", "coverImage": 7, "title": None}
    assert {conflict.field for conflict in merged({"title": "Mine"}, theirs).conflicts} <= {"title"}
