"""Paths of drafts."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.files import draft_path

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = "0123456789abcdef"


def slug(title: str) -> str:
    return draft_path(title, MARCH, ID).removeprefix("drafts/2026/03/").removesuffix("-01234567.md")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Miners Could Face Crisis: BTC −50%!", "miners-could-face-crisis-btc-50"),
        ("Größe über Ökonomie", "grosse-uber-okonomie"),
        ("Биткоин упал", "bitkoin-upal"),
        ("", "item"),
        ("🚀 ???", "item"),
        ("../../etc/passwd\0", "etc-passwd"),
        ("&#99999999999999; up", "99999999999999-up"),
        ("a\ud800b", "ab"),
        ("x" * 100_000, "x" * 60),
    ],
)
def test_slug(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_a_long_title_is_cut_at_a_word() -> None:
    assert slug("seventeen letters " * 9) == "seventeen-letters-seventeen-letters-seventeen-letters"


def test_the_month_is_that_of_utc() -> None:
    late = datetime(2026, 2, 28, 23, tzinfo=timezone(timedelta(hours=-5)))
    assert draft_path("t", late, ID) == "drafts/2026/03/t-01234567.md"


@given(st.text(max_size=80))
def test_every_title_makes_a_safe_path(title: str) -> None:
    assert re.fullmatch(r"(?!-)[a-z0-9-]{1,60}(?<!-)", slug(title))
