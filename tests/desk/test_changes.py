"""What changed between two texts of a draft, sentence by sentence, and as one article."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.changes import article_changes, sentence_changes
from desk.comparison import compare_bodies, compare_texts
from pipeline.domain.sentence_diff import aligned
from tests.pipeline.checks.articles import BEAT

OLD = """## Overview

The fund invested 45 million. Seven trustees agreed on Friday. Nobody else was there.

## A close vote

- Four were against it, two of them loudly.
- The rest stayed at home.
"""
NEW = """## Overview

The fund invested 45 million. Seven trustees agreed on Thursday.

## A very close vote

- Four were against it, two of them loudly.
- The rest stayed at home.
- Moira Keane will ask again in June.
"""


def test_a_change_has_the_words_of_both_and_its_place_in_the_new_text() -> None:
    changes = sentence_changes(OLD, NEW)
    assert [(change.kind, change.old, change.new) for change in changes] == [
        ("changed", "Seven trustees agreed on Friday.", "Seven trustees agreed on Thursday."),
        ("gone", "Nobody else was there.", ""),
        ("changed", "A close vote", "A very close vote"),
        ("new", "", "Moira Keane will ask again in June."),
    ]
    for change in changes:
        assert NEW[slice(*change.span)] == change.new
    assert [(piece.kind, piece.text) for piece in changes[0].pieces] == [
        ("same", "Seven trustees agreed on "), ("gone", "Friday"), ("new", "Thursday"), ("same", "."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "before"),
    [
        ("One is here. Two is here. Three is here.", "One is here. Three is here.", " Three is here."),
        ("One is here.\n\nTwo is here. Three is here.", "One is here.\n\nThree is here.", "Three is here."),
        ("One is here. Two is here.", "Two is here.", "Two is here."),
        ("One is here. Two is here.", "One is here.", ""),
        ("One is here.", "", ""),
    ],
)
def test_what_is_gone_has_the_place_where_it_stood(old: str, new: str, before: str) -> None:
    [change] = sentence_changes(old, new)
    assert change.kind == "gone"
    assert new[change.span[0] :] == before
    assert change.span[0] == change.span[1]


def test_a_sentence_that_only_moved_to_another_line_did_not_change() -> None:
    assert sentence_changes("One is\nhere. Two.", "One is here.\nTwo.") == ()


@given(st.lists(st.sampled_from("abcde"), max_size=8), st.lists(st.sampled_from("abcde"), max_size=8))
def test_every_text_is_aligned_once_and_in_order(old: list[str], new: list[str]) -> None:
    pairs = list(aligned(old, new))
    assert [before for before, _ in pairs if before is not None] == list(range(len(old)))
    assert [after for _, after in pairs if after is not None] == list(range(len(new)))
    assert all(before is None or after is None or old[before] == new[after] for before, after in pairs)


def test_title_and_description_are_changes_too() -> None:
    old, new = "---\ntitle: One\n---\nSame.\n", "---\ntitle: Another\ndescription: It is new.\n---\nSame.\n"
    assert [(change.field, change.kind, change.new) for change in article_changes(old, new, BEAT)] == [
        ("title", "changed", "Another"), ("description", "new", "It is new."),
    ]  # fmt: skip


def text_of(html: str, without: str) -> str:
    """Return the text of HTML without the elements `without`, in one line."""
    kept = re.sub(rf"<{without}>.*?</{without}>", "", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub("</?(?:ins|del)>", "", kept))).split())


def test_both_bodies_can_be_read_in_the_comparison() -> None:
    html = compare_bodies(OLD, NEW)
    assert text_of(html, "ins") == " ".join(re.sub(r"(?m)^(##|-) ", "", OLD).split())
    assert text_of(html, "del") == " ".join(re.sub(r"(?m)^(##|-) ", "", NEW).split())
    assert re.search("<h2>A ?<ins> ?very ?</ins> ?close vote</h2>", html)
    assert html.count("<li>") == 3


def test_a_block_that_became_another_kind_is_shown_as_both() -> None:
    html = compare_bodies("The rest stayed at home.", "- The rest stayed at home.")
    assert (
        html
        == "<p><del>The rest stayed at home.</del></p><ul><li><ins>The rest stayed at home.</ins></li></ul>"
    )


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) and ![i](https://evil.example/x.png)",
        "<del onclick=alert(1)>x</del> </ins></p><img src=x onerror=alert(1)>",
        "`</ins><svg onload=alert(1)>`",
    ],
)
def test_hostile_text_is_inert_in_a_comparison(hostile: str) -> None:
    for old, new in ((hostile, "A text."), ("A text.", hostile), (hostile, f"{hostile} Now longer.")):
        html = compare_bodies(old, new)
        assert not re.search(r"<(?!/?(?:p|del|ins|code|em|a)\b)|<[^>]*\son|javascript:[^<]*\">", html), html


def test_the_head_of_an_article_is_compared_in_lines_and_its_front_matter_apart() -> None:
    front = "---\ntitle: One\ntags:\n  - BTC\ncoverImage:\n  alt: A mine\nupdatedAt: {at}\n---\nSame.\n"
    comparison = compare_texts(
        front.replace("{at}", "1"), front.replace("A mine", "A pit").replace("{at}", "2")
    )
    assert [line.label for line in comparison.lines] == ["Title", "Tags", "Alt text"]
    assert [piece.text for piece in comparison.lines[2].pieces] == ["A ", "mine", "pit"]
    assert any(piece.kind == "new" and "2" in piece.text for piece in comparison.front)
    assert comparison.body == "<p>Same.</p>\n"
    assert not comparison.same


def test_a_file_that_cannot_be_read_is_compared_whole() -> None:
    comparison = compare_texts("---\ntitle: [\n---\nA text.\n", "---\ntitle: One\n---\nA text.\n")
    assert "<del>" in comparison.body
    assert [line.label for line in comparison.lines] == ["Title"]
