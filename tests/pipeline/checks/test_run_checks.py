"""How the checks are put together: places, severities, and what is told once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.articles.render import render_body
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, CheckLevels
from pipeline.domain.placeholders import PLACEHOLDERS, brief_labels
from pipeline.domain.reviews import Severity
from pipeline.rewrite.offline_brief import write_brief
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, run, source, told

BAD = ARTICLE.replace("as long as anybody", "as long as everybody")
COPIED = ARTICLE.replace(
    "Arden loses",
    "The mill has 240 workers and made 31,000 tonnes last year; it is a black day, and "
    "so the paper mill at Arden will close in spring, its owner said on Friday. Arden loses",
)


def with_checks(**settings: object) -> Beat:
    return BEAT.model_copy(update={"checks": CheckLevels.model_validate(settings)})


def test_a_place_is_that_of_the_file_whatever_markdown_hides() -> None:
    body = BAD.replace("We kept", "W&#101; **kept** \u200b").replace(
        "Overview", "Overview\n\n![a](https://news.example/mill)"
    )
    [finding] = [one for one in run(body) if one.kind == "quotation"]
    assert finding.span
    words = body[slice(*finding.span)]
    assert words.startswith("W&#101; **kept**")
    assert words.endswith("our paper,")
    [place] = finding.evidence
    assert TEXT[slice(*place)].startswith("We kept it open for as\nlong as anybody")


def test_a_quotation_across_emphasis_and_a_link_is_the_same_quotation() -> None:
    body = ARTICLE.replace("open for as long", "*open* for [as](https://news.example/mill) long")
    assert [one for one in run(body) if one.kind == "quotation"] == []


def test_title_and_feed_bear_words_out_and_are_no_evidence_to_show() -> None:
    body = ARTICLE.replace("The mayor's grief", 'After "Arden mill to close" the mayor\'s grief')
    assert run(body) == ()
    dark = ARTICLE.replace("The mayor's grief", 'After "Arden mill will close" the mayor\'s grief')
    [finding] = [one for one in run(dark) if one.kind == "quotation"]
    assert all(end <= len(TEXT) for _, end in finding.evidence)


def test_findings_stand_in_the_order_of_the_body() -> None:
    body = BAD.replace("Other firms", "Investors should buy. Other firms").replace(
        "Arden loses", "TBD Arden loses"
    )
    found = run(body)
    assert [one.kind for one in found] == ["form", "quotation", "opinion"]
    assert [one.span for one in found] == sorted(one.span or (0, 0) for one in found)


@pytest.mark.parametrize(("level", "severity"), [("block", "block"), ("warn", "warn"), ("note", "note")])
def test_a_kind_is_as_severe_as_its_beat_has_it(level: str, severity: str) -> None:
    assert {one.severity.value for one in run(BAD, with_checks(quotation=level))} == {severity}
    assert {
        one.severity.value for one in run(COPIED, with_checks(overlap=level)) if one.kind == "overlap"
    } == {severity}


def test_a_kind_that_is_off_is_not_told() -> None:
    assert run(BAD, with_checks(quotation="off")) == ()
    assert run(BAD, with_checks(quotation=False)) == ()  # as YAML reads `off`
    assert run(BAD, with_checks(overlap="off")) != ()


def test_notes_stay_notes() -> None:
    dutch = source(language="nl")
    beat = with_checks(opinion="block")
    assert {one.severity for one in run(ARTICLE, beat, dutch) if one.kind == "opinion"} == {Severity.NOTE}


@pytest.mark.parametrize("kind", ["brief", "injection", "unchecked"])
def test_what_keeps_readers_safe_has_no_setting(kind: str) -> None:
    with pytest.raises(ValidationError):
        with_checks(**{kind: "off"})


def test_the_thresholds_of_copied_words_are_the_beats() -> None:
    kinds = [one.severity for one in run(COPIED) if one.kind == "overlap"]
    assert Severity.BLOCK in kinds
    lenient = with_checks(overlap_warn_words=100, overlap_block_words=100, overlap_block_share=1)
    assert [one for one in run(COPIED, lenient) if one.kind == "overlap"] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_brief_quotes_its_source_on_purpose(language: str) -> None:
    given = source(language=language)
    body = render_body(write_brief(given, BEAT), BEAT)
    assert "brief" in {one.kind for one in run(body, BEAT, given) if one.severity is Severity.BLOCK}
    assert "overlap" not in {one.kind for one in run(body, BEAT, given)}


def test_a_brief_with_the_placeholders_replaced_is_an_article() -> None:
    given = source()
    words = brief_labels("en")
    body = render_body(write_brief(given, BEAT), BEAT)
    body = body.replace(words.from_author, "Prices will rise.").replace(words.impact, "Much may follow.")
    assert not any(text in body for text in PLACEHOLDERS)
    assert {one.kind for one in run(body, BEAT, given)} == {"opinion"}  # its list of facts is meant to be one
    copied_list = body.replace("Facts in the source", "What happened")
    assert "overlap" in {one.kind for one in run(copied_list, BEAT, given)}


def test_an_excerpt_may_cut_a_figure_in_a_list_of_facts_alone() -> None:
    cut = "- **Last year**: The mill made 31…\n\n## From author"
    kinds = [one.kind for one in run(ARTICLE.replace("## From author", cut))]
    assert "figure" in kinds
    listed = ARTICLE.replace("## From author", f"## Facts in the source\n\n{cut}")
    assert "figure" not in [one.kind for one in run(listed)]
    assert "figure" in [one.kind for one in run(listed.replace("31…", "31 tonnes"))]


def test_a_fact_that_is_new_in_an_opinion_is_told_once() -> None:
    body = ARTICLE.replace("and late.", 'and late: "we never wanted a mill in Porto".')
    found = [one for one in told(body, *run(body)) if "Porto" in one[2]]
    assert "opinion" not in [kind for kind, _, _ in found]
    assert "quotation" in [kind for kind, _, _ in found]


def test_a_models_talk_is_told_once() -> None:
    body = ARTICLE.replace("The mayor's grief", "As an AI language model, I think that the mayor's grief")
    assert len([one for one in told(body, *run(body)) if "AI" in one[2]]) == 1


def test_without_its_source_a_draft_is_checked_for_its_form_alone() -> None:
    assert run_checks(None, BAD, BEAT, front=None) == ()
    assert {
        one.kind for one in run_checks(None, BAD.replace("## Overview", "## Over"), BEAT, front=None)
    } == {"form"}


def test_a_text_that_is_no_article_needs_no_sections() -> None:
    text = "Buyers stayed away.\n"
    assert run_checks(source(), text, BEAT, front=None, sections=False) == ()
    assert len(run_checks(source(), text, BEAT, front=None)) == 3


# fmt: off
PIECES = st.sampled_from((
    "\n\n", "## Overview", "## From author\n", "## Impact on the paper market", "\n- ", "> ", '"', "“", "”",
    "'", "We kept", "it open ", " Tolle said ", "5%", "$1.5 million ", "in May", "[a](https://b.example/c)",
    "{{", "&amp;", "**", "\u200b", "ß", "İ", "😀", "…", "[…]", " Prices will rise.", "Facts in the source",
    "\r\n", " two thirds", "ﬁ",
))
# fmt: on


@given(st.lists(PIECES, max_size=25).map("".join), st.lists(PIECES, max_size=25).map("".join))
def test_places_lie_within_both_texts_whatever_they_are(body: str, text: str) -> None:
    for language in ("en", "de", "nl"):
        for one in run(body, BEAT, source(text, language)):
            assert one.span is None or 0 <= one.span[0] <= one.span[1] <= len(body)
            assert all(0 <= start < end <= len(text) for start, end in one.evidence)
