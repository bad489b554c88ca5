"""How findings of all checks are combined: spans, severities, deduplication."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.articles.render import render_body
from pipeline.checks.numbers.prepared_source import prepare_source
from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, CheckLevels
from pipeline.domain.placeholders import PLACEHOLDERS, brief_labels
from pipeline.domain.reviews import Front, Severity
from pipeline.rewrite.offline_brief import write_brief
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, run, source, summarize

BAD = ARTICLE.replace("as long as anybody", "as long as everybody")
COPIED = ARTICLE.replace(
    "Arden loses",
    "The mill has 240 workers and made 31,000 tonnes last year; it is a black day, and "
    "so the paper mill at Arden will close in spring, its owner said on Friday. Arden loses",
)


def with_checks(**settings: object) -> Beat:
    return BEAT.model_copy(update={"checks": CheckLevels.model_validate(settings)})


def test_spans_are_in_the_file_with_its_markdown() -> None:
    body = BAD.replace("We kept", "W&#101; **kept** \u200b").replace(
        "Overview", "Overview\n\n![a](https://news.example/mill)"
    )
    [finding] = [each for each in run(body) if each.kind == "quotation"]
    assert finding.span
    words = body[slice(*finding.span)]
    assert words.startswith("W&#101; **kept**")
    assert words.endswith("our paper,")
    [place] = finding.evidence
    assert TEXT[slice(*place)].startswith("We kept it open for as\nlong as anybody")


def test_a_quotation_across_emphasis_and_a_link_is_the_same_quotation() -> None:
    body = ARTICLE.replace("open for as long", "*open* for [as](https://news.example/mill) long")
    assert [finding for finding in run(body) if finding.kind == "quotation"] == []


def test_title_and_feed_support_claims_without_evidence() -> None:
    body = ARTICLE.replace("The mayor's grief", 'After "Arden mill to close" the mayor\'s grief')
    assert run(body) == ()
    dark = ARTICLE.replace("The mayor's grief", 'After "Arden mill will close" the mayor\'s grief')
    [finding] = [each for each in run(dark) if each.kind == "quotation"]
    assert all(end <= len(TEXT) for _, end in finding.evidence)


def test_findings_are_in_the_order_of_the_body() -> None:
    body = BAD.replace("Other firms", "Investors should buy. Other firms").replace(
        "Arden loses", "TBD Arden loses"
    )
    findings = run(body)
    assert [finding.kind for finding in findings] == ["form", "quotation", "opinion"]
    assert [finding.span for finding in findings] == sorted(finding.span or (0, 0) for finding in findings)


@pytest.mark.parametrize(("level", "severity"), [("block", "block"), ("warn", "warn"), ("note", "note")])
def test_the_beat_sets_the_severity_of_a_kind(level: str, severity: str) -> None:
    assert {finding.severity.value for finding in run(BAD, with_checks(quotation=level))} == {severity}
    assert {
        finding.severity.value
        for finding in run(COPIED, with_checks(overlap=level))
        if finding.kind == "overlap"
    } == {severity}


def test_a_kind_that_is_off_is_not_reported() -> None:
    assert run(BAD, with_checks(quotation="off")) == ()
    assert run(BAD, with_checks(quotation=False)) == ()  # as YAML reads `off`
    assert run(BAD, with_checks(overlap="off")) != ()


def test_a_brief_without_placeholders_blocks_until_it_is_written() -> None:
    bare = BEAT.model_copy(update={"required_sections": ()})
    body = render_body(write_brief(source(), bare), bare).partition("## From author")[0]
    front = Front(metadata={"ai": {"rewritten": False}}, follows=True, is_ours=False)
    blocks = [each for each in run_checks(source(), body, bare, front=front) if each.kind == "brief"]
    assert [body[slice(*each.span or ())] for each in blocks] == ["## Facts in the source"]
    edited = ARTICLE.partition("## From author")[0]
    assert not any(each.kind == "brief" for each in run_checks(source(), edited, bare, front=front))


def test_a_source_is_prepared_once_and_anew_for_another_offset() -> None:
    of = source(f"{TEXT} Nobody spoke yesterday.")
    front = Front(metadata={"title": "Arden loses 240 jobs", "description": "It shuts."}, is_ours=False)
    misses = prepare_source.cache_info().misses
    run_checks(of, ARTICLE, BEAT, front=front)
    assert prepare_source.cache_info().misses == misses + 1
    body = ARTICLE.replace("Arden loses", "On 28 February nobody spoke. Arden loses")
    when = {"published_at": datetime(2026, 3, 1, 22, tzinfo=UTC)}
    places = [of.item.model_copy(update={**when, "utc_offset_min": offset}) for offset in (780, -600, 780)]
    sources = [of.model_copy(update={"item": item}) for item in places]
    assert [[each.kind for each in run(body, BEAT, of)] for of in sources] == [["date"], [], ["date"]]


def test_notes_stay_notes() -> None:
    dutch = source(language="nl")
    beat = with_checks(opinion="block")
    assert {finding.severity for finding in run(ARTICLE, beat, dutch) if finding.kind == "opinion"} == {
        Severity.NOTE
    }


@pytest.mark.parametrize("kind", ["brief", "injection", "unchecked"])
def test_safety_kinds_have_no_setting(kind: str) -> None:
    with pytest.raises(ValidationError):
        with_checks(**{kind: "off"})


def test_the_thresholds_of_copied_words_are_the_beats() -> None:
    kinds = [finding.severity for finding in run(COPIED) if finding.kind == "overlap"]
    assert Severity.BLOCK in kinds
    lenient = with_checks(overlap_warn_words=100, overlap_block_words=100, overlap_block_share=1)
    assert [finding for finding in run(COPIED, lenient) if finding.kind == "overlap"] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_brief_has_no_overlap_findings(language: str) -> None:
    original = source(language=language)
    body = render_body(write_brief(original, BEAT), BEAT)
    assert "brief" in {
        finding.kind for finding in run(body, BEAT, original) if finding.severity is Severity.BLOCK
    }
    assert "overlap" not in {finding.kind for finding in run(body, BEAT, original)}


def test_a_brief_with_the_placeholders_replaced_is_an_article() -> None:
    original = source()
    labels = brief_labels("en")
    body = render_body(write_brief(original, BEAT), BEAT)
    body = body.replace(labels.from_author, "Prices will rise.").replace(labels.impact, "Much may follow.")
    assert not any(text in body for text in PLACEHOLDERS)
    assert {finding.kind for finding in run(body, BEAT, original)} == {
        "opinion"
    }  # its list of facts is meant to be one
    copied_list = body.replace("Facts in the source", "What happened")
    assert "overlap" in {finding.kind for finding in run(copied_list, BEAT, original)}


def test_only_in_a_list_of_facts_an_excerpt_may_cut_a_figure() -> None:
    cut = "- **Last year**: The mill made 31…\n\n## From author"
    kinds = [finding.kind for finding in run(ARTICLE.replace("## From author", cut))]
    assert "figure" in kinds
    listed = ARTICLE.replace("## From author", f"## Facts in the source\n\n{cut}")
    assert "figure" not in [finding.kind for finding in run(listed)]
    assert "figure" in [finding.kind for finding in run(listed.replace("31…", "31 tonnes"))]


def test_a_new_fact_in_an_opinion_is_reported_once() -> None:
    body = ARTICLE.replace("and late.", 'and late: "we never wanted a mill in Porto".')
    findings = [finding for finding in summarize(body, *run(body)) if "Porto" in finding[2]]
    assert "opinion" not in [kind for kind, _, _ in findings]
    assert "quotation" in [kind for kind, _, _ in findings]


def test_a_models_remark_is_reported_once() -> None:
    body = ARTICLE.replace("The mayor's grief", "As an AI language model, I think that the mayor's grief")
    assert len([finding for finding in summarize(body, *run(body)) if "AI" in finding[2]]) == 1


def test_without_its_source_only_the_form_of_a_draft_is_checked() -> None:
    assert run_checks(None, BAD, BEAT, front=None) == ()
    assert {
        finding.kind for finding in run_checks(None, BAD.replace("## Overview", "## Over"), BEAT, front=None)
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
def test_spans_and_evidence_lie_within_their_texts(body: str, text: str) -> None:
    for language in ("en", "de", "nl"):
        for finding in run(body, BEAT, source(text, language)):
            assert finding.span is None or 0 <= finding.span[0] <= finding.span[1] <= len(body)
            assert all(0 <= start < end <= len(text) for start, end in finding.evidence)
