"""The filters of a feed and the reasons they give."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.select import exclusion_reason, matches_language

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(**changes: Any) -> FeedConfig:
    base = {"key": "wire", "name": "Wire", "url": "https://w.example/f", "beat": "crypto", "category": "BTC"}
    return FeedConfig.model_validate(base | changes)


def item(**changes: Any) -> Item:
    base = {"guid": "1", "title": "Miners sell", "text": "Hashprice fell.", "published_at": NOW}
    return Item.model_validate(base | changes)


def test_an_item_that_no_filter_excludes_is_selected() -> None:
    assert exclusion_reason(feed(), item(), NOW) is None


def test_age_counts_from_now_and_not_at_all_without_it() -> None:
    old = item(published_at=NOW - timedelta(days=9))
    assert exclusion_reason(feed(), old, NOW) == "too old: published 2026-02-20, more than 7 days ago"
    assert exclusion_reason(feed(), old, None) is None
    assert exclusion_reason(feed(max_age_days=None), old, NOW) is None


@pytest.mark.parametrize(
    ("pattern", "title", "matches"),
    [
        (r"\bads?\b", "An AD: buy", True),
        (r"\bads?\b", "A bad road", False),
        (r"^sponsored", "Sponsored: a coin", True),
        (r"fell\.$", "Miners sell", True),
        (r"[A-Z]{3}-\d+", "abc-12 is out", True),
        (r"été", "ÉTÉ à Paris", True),
        (r"sell.*fell", "Miners sell", False),
        (r"(?s)sell.*fell", "Miners sell", True),
        (r"\d", "\ud800 1", True),
    ],
)
def test_a_pattern_is_searched_in_title_and_text_in_any_case(pattern: str, title: str, matches: bool) -> None:
    excluded = exclusion_reason(feed(exclude_match=(pattern,)), item(title=title), NOW)
    assert excluded == (f"excluded pattern: {pattern}" if matches else None)
    included = exclusion_reason(feed(include_match=("no such thing", pattern)), item(title=title), NOW)
    assert included == (None if matches else "no include pattern")


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"(.*a){20}c", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_pattern_that_would_explode_elsewhere_takes_time_in_proportion(pattern: str) -> None:
    text = "a" * 100_000 + "!"
    assert exclusion_reason(feed(exclude_match=(pattern,)), item(text=text), NOW) is None


def test_categories_count_whole_and_in_any_case() -> None:
    adverts = item(categories=("Markets", "Sponsored  Content"))
    assert exclusion_reason(feed(exclude_categories=("sponsored",)), adverts, NOW) is None
    assert (
        exclusion_reason(feed(exclude_categories=("sponsored content",)), adverts, NOW)
        == "excluded category: sponsored content"
    )
    assert exclusion_reason(feed(include_categories=("MARKETS",)), adverts, NOW) is None
    assert exclusion_reason(feed(include_categories=("MARKETS",)), item(), NOW) == "no include category"


@pytest.mark.parametrize(
    ("language", "language_range", "matches"),
    [
        ("en-gb", "en", True),
        ("en", "en", True),
        ("EN_us", "en-US", True),
        ("en", "en-GB", False),
        ("eng", "en", False),
        ("zh-hant-tw", "zh-Hant", True),
    ],
)
def test_a_language_matches_its_regions(language: str, language_range: str, matches: bool) -> None:
    assert matches_language(language, language_range) is matches


def test_an_item_without_a_language_has_its_feeds() -> None:
    config = feed(language="de", languages=("de", "fr"))
    assert exclusion_reason(config, item(), NOW) is None
    assert exclusion_reason(config, item(language="fr-ch"), NOW) is None
    assert exclusion_reason(config, item(language="en-gb"), NOW) == "unwanted language: en-gb"
    assert exclusion_reason(feed(languages=("fr",)), item(), NOW) == "unwanted language: en"


def test_length_has_a_maximum_but_no_minimum_here() -> None:
    long = item(text="x" * 12_345)
    assert exclusion_reason(feed(max_chars=12_345), long, NOW) is None
    assert (
        exclusion_reason(feed(max_chars=12_344), long, NOW) == "too long: 12,345 characters, more than 12,344"
    )
    assert exclusion_reason(feed(min_chars=500), item(text="short"), NOW) is None


def test_the_first_reason_in_the_documented_order_is_given() -> None:
    unwanted = item(
        published_at=NOW - timedelta(days=9),
        language="fr",
        categories=("Ads",),
        text="casino 777" + "x" * 999,
    )
    filters: dict[str, tuple[Any, Any, str]] = {  # on, off, and what the filter says
        "max_age_days": (7, None, "too old"),
        "languages": (("en",), (), "unwanted language"),
        "exclude_categories": (("ads",), (), "excluded category"),
        "exclude": (("casino",), (), "excluded word"),
        "exclude_match": ((r"\d{3}",), (), "excluded pattern"),
        "max_chars": (300, None, "too long"),
    }
    config = feed(**{name: on for name, (on, _, _) in filters.items()})
    for name, (_, off, prefix) in filters.items():
        assert (exclusion_reason(config, unwanted, NOW) or "").startswith(prefix)
        config = config.model_copy(update={name: off})
    assert exclusion_reason(config, unwanted, NOW) is None


ANYTHING = st.text(st.characters(), max_size=60)  # lone surrogates too


@given(title=ANYTHING, text=ANYTHING, category=ANYTHING, language=ANYTHING, keyword=ANYTHING)
def test_any_item_gets_a_reason_or_none(
    title: str, text: str, category: str, language: str, keyword: str
) -> None:
    config = feed(
        include=(keyword,),
        exclude_match=("[^ -~]{9}", "a+b"),
        exclude_categories=(keyword,),
        languages=("en",),
    )
    strange = item(title=title, text=text, categories=(category,), language=language)
    reason = exclusion_reason(config, strange, NOW)
    assert reason is None or reason.startswith(("empty", "unwanted language", "excluded", "no include"))


GERMAN = (
    "Die Werft von Brodal wird im Herbst verkauft. Das sagte der Vorstand am Montag, nachdem die Gespräche "
    "mit der Stadt gescheitert waren. Für die Arbeiter ist noch nicht klar, wie es mit ihnen weitergeht."
)
RUSSIAN = "Верфь в Бродале осенью будет продана, сообщил в понедельник её директор."
JAPANESE = (
    "造船所は秋に売却されると、会社は月曜日に発表した。労働者の今後はまだ分からないという。市は反対している。"
)
ENGLISH = (
    "The yard at Brodal is to be sold in autumn, said the board on Monday, and it is not clear who will."
)
LETTERS = (
    "S.K.I.L.L. L.S.D. is new, N.C.S. too, D.L.N. was broken before. L.L.S. works, C.D.N. fails sometimes."
)
DANISH = "Skibet i Brodal er til salg og det er ikke klart hvem der vil have det i den by som har haft det."


@pytest.mark.parametrize(
    ("text", "declared", "reason"),
    [
        (GERMAN, "en-us", "unwanted language: de"),
        (GERMAN, None, "unwanted language: de"),
        (RUSSIAN, "en", "unwanted language: ru"),
        (JAPANESE, "en", "unwanted language: ja"),
        (ENGLISH, "de", None),
        ("Der Hafen", "en", None),
        (LETTERS, "en", None),
        (DANISH, "da", "unwanted language: da"),
    ],
)
def test_the_text_tells_its_language_where_the_declaration_is_wrong(
    text: str, declared: str | None, reason: str | None
) -> None:
    assert exclusion_reason(feed(languages=("en",)), item(text=text, language=declared), NOW) == reason


def test_an_author_may_have_a_comma() -> None:
    davis = item(author="Sammy Davis, Jr.")
    assert exclusion_reason(feed(exclude_authors=["sammy davis, jr."]), davis, NOW) == (
        "excluded author: sammy davis, jr."
    )
    assert exclusion_reason(feed(include_authors=["Sammy Davis, Jr."]), davis, NOW) is None
    two = item(author="Ann Lee, Bo Ek")
    assert exclusion_reason(feed(exclude_authors=["Bo Ek"]), two, NOW) == "excluded author: Bo Ek"
