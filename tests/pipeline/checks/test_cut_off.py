"""Sections that end in the middle of a sentence."""

import pytest

from pipeline.articles.render import render_body
from pipeline.checks.cut_off import check_cut_off
from pipeline.checks.document import DraftDocument
from pipeline.checks.runner import run_checks
from pipeline.domain.reviews import Severity
from pipeline.rewrite.offline_brief import write_brief
from tests.pipeline.checks.articles import ARTICLE, BEAT, source

BODY = (
    "## Overview\n\nThe mill closes.\n\n## Why now\n\n{middle}\n\n## From author\n\nIt had to come.\n\n"
    "## Impact on the market\n\n- Paper may get dearer.\n- {bullet}\n"
)


def severities(
    middle: str = "It made a loss.", bullet: str = "Jobs may go.", language: str = "en"
) -> list[str]:
    body = BODY.format(middle=middle, bullet=bullet)
    findings = check_cut_off(DraftDocument(body, BEAT), language)
    for finding in findings:
        assert finding.kind == "form"
        assert finding.span
        assert body[slice(*finding.span)] == body[slice(*finding.span)].strip()
    return [finding.severity.value for finding in findings]


@pytest.mark.parametrize(
    ("middle", "language"),
    [
        ("It made a loss of the", "en"),
        ("It made a loss. It sold,", "en"),
        ("The owner named prices and", "en"),
        ("Der Betreiber schließt das Werk und", "de"),
        ("La empresa cierra la fábrica de", "es"),
        ("It made a loss, its owner said in a letter to the workers –", "fi"),
        ("It made **a loss of the**", "en"),
        ("It made a loss _and_", "en"),
        ("It made a loss, says [the](https://mill.example/report)", "en"),
    ],
)
def test_a_word_or_mark_that_ends_no_sentence_blocks(middle: str, language: str) -> None:
    assert severities(middle, language=language) == ["block"]


@pytest.mark.parametrize(
    "middle",
    [
        "It made a loss of 3 million",
        "It fell by 5%",
        "It made a loss. Its owner",
        "It made **a loss of 3 million**",
    ],
)
def test_a_missing_full_stop_is_a_look(middle: str) -> None:
    assert severities(middle) == ["warn"]


@pytest.mark.parametrize(
    "middle",
    [
        "It made a loss.",
        'It "made a loss".',
        "It “made a loss.”",
        "Er sagte: „Ja, wir schließen“",
        "It made a loss (3 million)",
        "Its owner asks: why?",
        "It went on …",
        "昨年は赤字だった。",
        "โรงงานขาดทุน",
        "It made a loss of **3 million.**",
        "See [the report](https://mill.example/report)",
        "Prices:\n\n- 10 in May\n- 12 in June",
        "Details are at https://mill.example/report",
        "Prices:\n\n* 10 in May\n* 12 in June",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_the_ends_of_sentences_lists_tables_and_quotations_are_no_finding(middle: str) -> None:
    assert severities(middle) == []


def test_a_list_is_measured_by_its_own_items() -> None:
    assert severities(bullet="Jobs may go") == ["warn"]
    assert severities(bullet="Jobs may go and the") == ["block"]
    bare = BODY.format(middle="It made a loss.", bullet="Jobs may go").replace("dearer.", "dearer")
    assert check_cut_off(DraftDocument(bare, BEAT), "en") == []


def test_a_draft_without_full_stops_is_no_finding() -> None:
    body = "## Overview\n\nThe mill closes\n\n## Why now\n\nIt made a loss\n"
    assert check_cut_off(DraftDocument(body, BEAT), "en") == []


def test_a_capital_is_no_article() -> None:
    assert severities("It makes vitamin A. It ships from Eugene, OR") == ["warn"]


def test_an_empty_section_is_no_unfinished_sentence() -> None:
    body = "## Overview\n\n## Impact on the market\n\n- \n"
    assert check_cut_off(DraftDocument(body, BEAT), "en") == []


def test_a_cut_draft_is_held_and_a_brief_is_not() -> None:
    cut = ARTICLE.rstrip()[:-1].rstrip() + " and the\n"
    messages = [
        f.message for f in run_checks(source(), cut, BEAT, front=None) if f.severity is Severity.BLOCK
    ]
    assert "This ends in the middle of a sentence: finish it, or remove it." in messages
    brief = render_body(write_brief(source("It made a loss of the " * 50), BEAT), BEAT)
    kinds = {f.kind for f in run_checks(source("It made a loss of the " * 50), brief, BEAT, front=None)}
    assert "form" not in kinds
