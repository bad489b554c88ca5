import pytest

from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat
from pipeline.domain.placeholders import PLACEHOLDERS, brief_labels
from pipeline.domain.reviews import Severity

BEAT = Beat(key="crypto", market="crypto market")
GOOD = """## Overview

Example Corp mined 1,250 coins.

## Output rises

It did.

## From author

A steady month.

## Impact on the crypto market

- Supply may grow.
"""


def messages(body: str, beat: Beat = BEAT) -> list[str]:
    return [finding.message for finding in run_checks(None, body, beat, front=None)]


def test_a_whole_article_has_no_findings() -> None:
    assert run_checks(None, GOOD, BEAT, front=None) == ()
    assert run_checks(None, GOOD.replace("\n", "\r\n"), BEAT, front=None) == ()


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "sw"])
def test_each_placeholder_blocks_until_it_is_replaced(language: str) -> None:
    labels = brief_labels(language)
    brief = GOOD.replace("A steady month.", labels.from_author).replace("Supply may grow.", labels.impact)
    findings = run_checks(None, brief, BEAT, front=None)
    assert [(finding.kind, finding.severity) for finding in findings] == [("brief", Severity.BLOCK)] * 2
    assert [brief[slice(*finding.span or ())] for finding in findings] == [labels.from_author, labels.impact]
    half = brief.replace(labels.from_author, "My own view.")
    assert [half[slice(*finding.span or ())] for finding in run_checks(None, half, BEAT, front=None)] == [
        labels.impact
    ]


def test_placeholders_differ_and_hold_nothing_that_markdown_would_change() -> None:
    assert len(set(PLACEHOLDERS)) == len(PLACEHOLDERS)
    assert not [text for text in PLACEHOLDERS if set(text) & set("*_[]<>`#\\{}&|~")]


@pytest.mark.parametrize("heading", ["Overview", "From author", "Impact on the crypto market"])
def test_a_missing_section_blocks(heading: str) -> None:
    assert messages(GOOD.replace(f"## {heading}", f"### {heading}")) == [
        f'The section "{heading}" is missing.'
    ]


@pytest.mark.parametrize(
    "text", ["Example Corp mined 1,250 coins.", "It did.", "A steady month.", "Supply may grow."]
)
def test_an_empty_section_blocks_and_points_at_its_heading(text: str) -> None:
    body = GOOD.replace(text, "")
    [finding] = run_checks(None, body, BEAT, front=None)
    heading = GOOD[: GOOD.index(text)].rpartition("## ")[2].splitlines()[0]
    assert (finding.kind, finding.severity) == ("form", Severity.BLOCK)
    assert finding.span
    assert body[slice(*finding.span)] == f"## {heading}"


def test_headings_are_the_beats() -> None:
    beat = Beat(
        key="b", market="mercado", overview="Resumen", from_author="Del autor", impact="Impacto en el"
    )
    assert messages("", beat) == [
        f'The section "{heading}" is missing.'
        for heading in ("Resumen", "Del autor", "Impacto en el mercado")
    ]
