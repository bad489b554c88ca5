"""Dates of a draft, checked against its source and the day of publication."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.dates import check_dates, date_spans, extract_dates
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Severity

PUBLISHED = datetime(2026, 3, 12, 9, tzinfo=UTC)
"""A Thursday."""


def check(
    source: str, draft: str, *, language: str = "en", published: datetime | None = PUBLISHED
) -> list[tuple[str, str]]:
    findings = check_dates(CheckInput(TokenizedText(draft), TokenizedText(source), language, published))
    return [(finding.severity.value, draft[slice(*finding.span or ())]) for finding in findings]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("On 3 March 2021 it closed.", ["3 March 2021"]),
        ("On March 3, 2021 it closed.", ["March 3, 2021"]),
        ("On 2021-03-03 it closed.", ["2021-03-03"]),
        ("On 03/04/2021 it closed.", ["03/04/2021"]),
        ("From 17-18 March 2021.", ["17-18 March 2021"]),
        ("In May 2024.", ["May 2024"]),
        ("In Q3 2024, or the third quarter.", ["Q3 2024", "third quarter"]),
        ("On Thursday at 10.37pm.", ["Thursday", "10.37pm"]),
        ("At 02:10 UTC.", ["02:10"]),
        ("Next month, or yesterday.", ["Next month", "yesterday"]),
        ("In the 1980s.", ["1980s"]),
        ("In the summer of 2018.", ["summer of 2018"]),
        ("Paid $2014 for 1,500.50.", []),
    ],
)
def test_dates_are_extracted_in_every_format(text: str, dates: list[str]) -> None:
    assert [text[start:end] for start, end in date_spans(text, "en")] == dates


SUPPORTED = [
    ("It closed on 3 March.", "It closed on March 3."),
    ("It closed on 3 March 2026.", "It closed on 3 March."),
    ("It closed on 3 March 2021.", "It closed in March 2021, on a Wednesday."),
    ("It closed on 2021-03-03.", "It closed on 3 March 2021."),
    ("It closed on Tuesday.", "It closed on 10 March."),
    ("It closed on Tuesday.", "It closed on 10 March 2026."),
    ("It closed on 10 March.", "It closed on Tuesday."),
    ("It closed yesterday.", "It closed on Wednesday."),
    ("It closed yesterday.", "It closed on 11 March."),
    ("It closed on 11 March.", "It closed yesterday."),
    ("It closed last year.", "It closed in 2025."),
    ("It closed three years ago.", "It closed in 2023."),
    ("It closed last month.", "It closed in February."),
    ("It closed in 1984.", "It closed in the 1980s."),
    ("It closed at 2:10 a.m.", "It closed at 02:10 UTC."),
    ("It closed in the third quarter.", "It closed in Q3."),
    ("It may close.", "It may close. May it be so."),
    ("The Sunday papers wrote of it.", "It was in the Sunday papers."),
]


@pytest.mark.parametrize(("source", "draft"), SUPPORTED)
def test_a_date_that_the_source_names_or_implies_has_no_finding(source: str, draft: str) -> None:
    assert check(source, draft) == []


ABSENT = [
    ("It closed on 3 March.", "It closed on 4 March.", "block", "4 March"),
    ("It closed on 3 March 2021.", "It closed on 3 March 2022.", "block", "3 March 2022"),
    ("It closed on 3 March.", "It closed in August.", "block", "August"),
    ("It closed on Tuesday.", "It closed on Friday.", "block", "Friday"),
    ("It closed on Tuesday.", "It closed on 20 March.", "block", "20 March"),
    ("It closed in 1984.", "It closed in 1985.", "block", "1985"),
    ("It closed at 2:10 a.m.", "It closed at 03:10.", "block", "03:10"),
    ("It closed in the third quarter.", "It closed in Q2.", "block", "Q2"),
    ("It closed.", "It closed in the summer.", "warn", "summer"),
    ("It closed.", "It closes next month.", "warn", "next month"),
    ("It closed this season.", "It is closed until the end of the season.", "warn", "the end of the season"),
]


@pytest.mark.parametrize(("source", "draft", "severity", "date"), ABSENT)
def test_an_unsupported_date_blocks_or_warns(source: str, draft: str, severity: str, date: str) -> None:
    assert check(source, draft) == [(severity, date)]


def test_a_dateline_replaces_an_unknown_time_of_publication() -> None:
    source = "VARNHEM, 12 March 2026. The port closed on Tuesday."
    assert check(source, "It closed on 10 March.", published=None) == []
    assert check("The port closed on Tuesday.", "It closed on 10 March.", published=None) != []


def test_german_dates_are_checked_by_their_own_table() -> None:
    source = "Am 11. Februar 2026 und im dritten Quartal schloss der Hafen, zuletzt am Dienstag."
    assert (
        check(source, "Am 11. Februar schloss er, auch im dritten Quartal und am Dienstag.", language="de")
        == []
    )
    assert check(source, "Am 12. Februar schloss er.", language="de") == [("block", "12. Februar")]


def test_a_language_without_a_table_is_noted_as_unchecked() -> None:
    [finding] = check_dates(CheckInput(TokenizedText("x"), TokenizedText("x"), "vi"))
    assert (finding.severity, finding.span) == (Severity.NOTE, None)


TOKENS = (
    "on in the 3 14 March May 2021 - / . : Q3 pm am Thursday last next week year 1980s ago two "
    "years , of second quarter"
)
TEXT = st.lists(st.sampled_from(TOKENS.split()), max_size=30).map(" ".join) | st.text(max_size=80)


@given(TEXT, st.sampled_from(["en", "de"]))
def test_dates_are_within_the_text_and_in_order(text: str, language: str) -> None:
    mentions = extract_dates(text, language)
    assert all(0 <= mention.start < mention.end <= len(text) for mention in mentions)
    assert [mention.start for mention in mentions] == sorted({mention.start for mention in mentions})


@given(TEXT)
def test_a_text_has_no_findings_against_itself(text: str) -> None:
    assert check(text, text) == []
