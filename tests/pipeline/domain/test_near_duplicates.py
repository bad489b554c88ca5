"""Near-duplicate detection."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.models import Item
from pipeline.domain.near_duplicates import (
    is_different_item,
    is_near_duplicate,
    is_same_item,
    signature_bands,
)
from tests.pipeline.domain.near_duplicate_pairs import CHIP, CURE, DIFFERENT, EXCHANGE, PORT, SAME, SYNDICATED

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TitleAndText = tuple[str, str]


def item(content: TitleAndText, days: float = 0, **changes: str) -> Item:
    title, text = content
    return Item(guid=text[:20], title=title, text=text, published_at=NOW - timedelta(days=days), **changes)


def is_duplicate(first: TitleAndText, second: TitleAndText) -> bool:
    """Tell whether the items share a band and are near-duplicates."""
    return bool(set(signature_bands(*first)) & set(signature_bands(*second))) and is_near_duplicate(
        item(first), item(second)
    )


def test_there_are_enough_pairs() -> None:
    assert len(SAME) >= 30
    assert len(DIFFERENT) >= 20


def test_near_duplicates_are_recognised() -> None:
    missed = [second[0] for first, second in SAME if not is_duplicate(first, second)]
    assert len(missed) <= 0.05 * len(SAME), missed


@pytest.mark.parametrize(("first", "second"), SYNDICATED, ids=[second[0] for _, second in SYNDICATED])
def test_a_syndicated_text_is_a_near_duplicate(first: TitleAndText, second: TitleAndText) -> None:
    assert is_duplicate(first, second)


@pytest.mark.parametrize("byline", [0, 6, 12, 20])
def test_a_digest_behind_a_byline_shares_a_band(byline: int) -> None:
    before = " ".join(EXCHANGE.split()[:byline])
    for text in (PORT, CHIP, CURE):
        digest = " ".join(text.split()[:16])
        assert set(signature_bands("", text)) & set(signature_bands("", f"{before} {digest}"))


@pytest.mark.parametrize(("first", "second"), DIFFERENT, ids=[second[0] for _, second in DIFFERENT])
def test_texts_that_only_look_alike_are_no_duplicates(first: TitleAndText, second: TitleAndText) -> None:
    assert not is_duplicate(first, second)


def test_items_more_than_a_week_apart_are_no_duplicates() -> None:
    content = ("Varnhem closes its northern basin", PORT)
    assert is_near_duplicate(item(content), item(content, days=7))
    assert not is_near_duplicate(item(content), item(content, days=7.1))


def test_an_item_under_another_guid_is_the_same_by_its_link_or_its_title_and_text() -> None:
    content = ("Varnhem closes its northern basin", PORT)
    link = "https://news.example/port"
    assert is_same_item(item(content, canonical=link), item(("Other", "Other."), canonical=link))
    assert is_same_item(item(content), item((content[0], PORT.replace("6.2", "6.4"))))
    assert not is_same_item(item(content), item(("Another title", PORT)))
    assert not is_same_item(item(("Daily update", PORT)), item(("Daily update", PORT[::-1])))


def test_too_short_texts_are_compared_with_nothing() -> None:
    assert signature_bands("Update", "The market moved.") == ()
    assert not is_near_duplicate(
        item(("Update of the day", "The market moved.")), item(("Update of the day", "It moved."))
    )


def test_scripts_without_spaces_are_compared_too() -> None:
    text = (
        "港湾当局は火曜日、北側の岸壁を三月三日から十一週間閉鎖すると発表した。"
        "漁船およそ四十隻とフェリー二隻が南側を使う。"
    )
    cut = ("港の北側、十一週間閉鎖へ", text[:50])
    assert is_duplicate(("港の北側、十一週間閉鎖へ", text), cut)


TEXTS = st.text(max_size=400) | st.sampled_from(
    [PORT, PORT[:200], "a" * 10_000, "\ud800 \0 " * 50, "1 " * 300]
)


@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_the_comparison_is_symmetric(text: str, other: str) -> None:
    first, second = item(("One title of some words", text)), item(("Another title of some words", other))
    assert is_near_duplicate(first, second) == is_near_duplicate(second, first)
    assert signature_bands("t", text) == signature_bands("t", text)
    assert all(-(2**63) <= band < 2**63 for band in signature_bands("t", text))


def test_texts_that_share_most_of_their_words_share_a_band() -> None:
    chance = random.Random(7)
    words = PORT.split()
    shared = 0
    for _ in range(200):
        edited = " ".join("altered" if chance.random() < 0.04 else word for word in words)
        shared += bool(set(signature_bands("", PORT)) & set(signature_bands("", edited)))
    assert shared >= 190


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert signature_bands("", PORT * 2000) == signature_bands("", PORT * 20)


TEASER = "Varnhem closes its northern basin from Monday, and its ferries leave from the old quay."
LINK = "https://news.example/basin"
SHORT = "Ferries leave from the old quay."


@pytest.mark.parametrize(
    ("stored", "now", "is_other"),
    [
        ({"text": TEASER}, {"text": TEASER}, False),
        ({"text": TEASER}, {"text": PORT, "summary": TEASER}, False),
        ({"text": PORT, "summary": TEASER}, {"text": TEASER}, False),
        ({"text": ""}, {"text": TEASER}, False),
        ({"text": TEASER}, {"text": CHIP}, True),
        ({"text": SHORT}, {"text": SHORT, "canonical": f"{LINK}-2"}, False),
        ({"text": SHORT}, {"text": "A card costs 12 dollars a year.", "canonical": f"{LINK}-2"}, True),
        ({"text": "Comments"}, {"text": "Comments", "canonical": f"{LINK}-2"}, True),
        ({"text": TEASER}, {"text": CHIP, "canonical": f"{LINK}-2"}, True),
    ],
    ids=[
        "an edited headline and date",
        "a full text beside the teaser",
        "a teaser in place of the full text",
        "an unknown text at one link",
        "another text at one link",
        "a short text that stays",
        "another short text",
        "a word that stands for a text",
        "another text and link",
    ],
)
def test_a_guid_names_another_story_only_where_all_else_differs(
    stored: dict[str, str], now: dict[str, str], is_other: bool
) -> None:
    first = Item(guid="g", title="Basin closes", published_at=NOW, **({"canonical": LINK} | stored))
    later = NOW + timedelta(hours=5)
    second = Item(guid="g", title="New quay wanted", published_at=later, **({"canonical": LINK} | now))
    assert is_different_item(first, second) is is_other


def test_a_guid_of_items_without_a_page_of_their_own_is_told_apart_by_title_and_text() -> None:
    first = Item(guid="1", title="Basin closes", published_at=NOW, text=TEASER)
    assert is_different_item(first, Item(guid="1", title="New chip factory", published_at=NOW, text=CHIP))
    assert not is_different_item(first, Item(guid="1", title="Basin reopens", published_at=NOW, text=CHIP))
