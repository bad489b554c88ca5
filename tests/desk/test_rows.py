"""The rows of a draft's page: each sentence beside its source, findings where they stand."""

import re
from datetime import UTC, datetime
from html import unescape
from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.context import DraftView
from desk.finding_views import numbered
from desk.highlights import render_markdown
from desk.rows import Row, Rows, rows_of
from desk.views import DraftPage
from pipeline.checks.pairs.sentence_pairs import pair_sentences
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import Finding, Front, Severity
from tests.desk.test_blocks import BODY, PARTS

BEAT = Beat(key="b", market="crypto market")
TEXT = (
    "Money went in. It pays 88,000 retired dock workers. Seven trustees voted for it. "
    "Nobody was asked.\n\nMoira Keane praised the idea."
)
DRAFT = """## Overview

The fund pays 98,000 dock workers. Seven trustees voted.

## A close vote

- Moira Keane praised the idea.
- Nothing like this is in the source, whatever it says about zebras.

## From author

It pays 88,000 retired dock workers.
"""


def source_of(text: str) -> Source:
    item = Item(guid="1", title="Fund", text=text, published_at=datetime(2026, 6, 9, tzinfo=UTC))
    return Source(item=item, feed_key="f", feed_name="F", first_key="f", category="", language="en")


def page_of_text(body: str, text: str, *findings: Finding, **metadata: object) -> DraftPage:
    front = Front(metadata={"title": "Fund", **metadata})
    row = SimpleNamespace(title="Fund", state="drafted", acknowledged=())
    view = cast(DraftView, SimpleNamespace(source=source_of(text), beat=BEAT, row=row))
    return DraftPage(view, front.metadata, body, None, numbered(findings, (), body, front), front)


def rows_for(body: str, text: str, *findings: Finding, **metadata: object) -> Rows:
    page = page_of_text(body, text, *findings, **metadata)
    return rows_of(page, pair_sentences(source_of(text), body, BEAT, page.front))


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def find(rows: Rows, start: str) -> Row:
    return next(row for section in rows.sections for row in section.rows if words(row.html).startswith(start))


def test_a_sentence_stands_beside_the_sentence_that_it_rests_on() -> None:
    rows = rows_for(DRAFT, TEXT)
    assert words(find(rows, "The fund pays").source_html) == "It pays 88,000 retired dock workers."
    assert words(find(rows, "Seven trustees").source_html) == "Seven trustees voted for it."
    assert find(rows, "Nothing like").source_html == ""
    assert find(rows, "Overview").source_html == ""


def test_opinion_needs_no_source() -> None:
    assert find(rows_for(DRAFT, TEXT), "It pays").source_html == ""


def test_unused_sentences_follow_the_one_before_them_once() -> None:
    rows = rows_for(DRAFT, TEXT)
    assert find(rows, "Seven trustees").unused == ("Nobody was asked.",)
    listed = [text for section in rows.sections for row in section.rows for text in row.unused]
    assert [*rows.unused_first, *listed] == ["Money went in.", "Nobody was asked."]


def test_a_finding_stands_at_its_words_with_its_evidence() -> None:
    start, there = DRAFT.index("98,000"), TEXT.index("88,000")
    wrong = Finding(
        kind="figure", severity=Severity.BLOCK, message="m", span=(start, start + 6), suggestion="88,000",
        evidence=((there, there + 6),), also=(("title", (0, 4)),),
    )  # fmt: skip
    whole = Finding(kind="story", severity=Severity.NOTE, message="other")
    rows = rows_for(DRAFT, TEXT, wrong, whole)
    row = find(rows, "The fund pays")
    assert [each.finding for each in row.findings] == [wrong]
    assert '<mark class="block" data-f="1">98,000</mark>' in row.html
    assert '<mark class="evidence" data-f="1">88,000</mark>' in row.source_html
    assert '<mark class="block" data-f="1">Fund</mark>' in rows.sections[0].rows[0].html
    assert [each.finding for each in rows.general] == [whole]


def test_emphasis_over_two_sentences_keeps_them_in_one_row() -> None:
    rows = rows_for("## Overview\n\n*One thing. Another* thing. Third.\n", TEXT)
    assert find(rows, "One thing").html == "<em>One thing. Another</em> thing. Third."


def test_text_before_the_first_heading_is_a_section() -> None:
    rows = rows_for("Lead. More.\n\n## Overview\n\nText.\n", TEXT, tags=["MARKET"])
    assert [(section.number, section.heading) for section in rows.sections] == [
        (0, ""), (1, "Text"), (2, "Overview"),
    ]  # fmt: skip
    assert [row.kind for row in rows.last] == ["tags"]


def test_a_row_says_where_its_words_are() -> None:
    for section in rows_for(BODY, TEXT).sections:
        for row in section.rows:
            if row.field == "body":
                assert BODY[row.start : row.end] == row.raw


def shown(markdown: str) -> str:
    return re.sub(r"[\s]", "", words(render_markdown(markdown)))


@settings(max_examples=60)
@given(st.lists(PARTS | st.sampled_from(["One thing. Another thing. ", "## H\n\n", "*a. B* "]), max_size=30))
def test_the_rows_together_are_the_whole_body(parts: list[str]) -> None:
    body = "".join(parts)
    rows = rows_for(body, TEXT)
    listed = [row for section in rows.sections for row in section.rows if row.field == "body"]
    assert re.sub(r"\s", "", "".join(words(row.html) for row in listed)) == shown(body)
