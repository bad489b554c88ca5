"""Title and description are checked like the body, and each error is reported once."""

import pytest

from pipeline.articles.approved_metadata import front_of
from pipeline.articles.render import make_description, render_body
from pipeline.checks.runner import finding_key, join_places, run_checks
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.rewrite.offline_brief import write_brief
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, source

OVERVIEW = "Arden loses its paper mill: the owner shuts it in spring, and 240 jobs go with it."


def check_front(
    of: Source | None = None, body: str = ARTICLE, beat: Beat = BEAT, **metadata: object
) -> list[tuple[str, str, str, str]]:
    """Return field, kind, severity and words of the findings about title and description."""
    values = {"title": "Arden loses its paper mill", "description": make_description(OVERVIEW)} | metadata
    front = front_of(values, body, beat)
    findings = run_checks(of or source(), body, beat, front=front)
    return [
        (
            finding.field,
            finding.kind,
            finding.severity.value,
            front.text(finding.field)[slice(*finding.span or (0, 0))],
        )
        for finding in findings
        if finding.field in ("title", "description")
    ]


def test_a_title_is_read_like_the_body() -> None:
    title = "Arden loses 320 jobs as Karl Mustermann flees on Wednesday"
    assert check_front(title=title) == [
        ("title", "figure", "block", "320"),
        ("title", "name", "block", "Karl Mustermann"),
        ("title", "date", "block", "Wednesday"),
    ]


def test_a_description_of_an_editors_own_is_read_like_the_body() -> None:
    assert ("description", "name", "block", "Jane Doe") in check_front(
        description="Prosecutor Jane Doe arrested 77 people."
    )
    assert check_front(description="The owner shuts the mill in spring.") == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Arden mill to close, see https://bad.example/x", "injection"),
        ("Arden mill to close, write to help@bad.example", "injection"),
        ("Arden mill to close: click here", "injection"),
        ('Tolle: "We kept it open for as long as everybody bought our paper"', "quotation"),
        ("The [insert place] mill closes", "form"),
        ("{{ mill }} to close", "form"),
        ("Oh, the paper mill at Arden will close in spring, its owner said on Friday", "overlap"),
    ],
)
def test_each_kind_is_found_in_both(words: str, kind: str) -> None:
    assert kind in {finding[1] for finding in check_front(title=words)}
    assert kind in {finding[1] for finding in check_front(description=words)}


def test_one_error_in_title_and_body_says_what_the_most_severe_says() -> None:
    look = Finding(kind="figure", severity=Severity.WARN, message="look", span=(9, 12), key="k")
    block = Finding(
        kind="figure",
        severity=Severity.BLOCK,
        message="wrong",
        field="title",
        span=(0, 3),
        key="k",
        suggestion="4",
    )
    [joined] = join_places((block, look))
    assert (joined.severity, joined.message, joined.suggestion) == (Severity.BLOCK, "wrong", "4")
    assert (joined.field, joined.span, joined.also) == ("body", (9, 12), (("title", (0, 3)),))


def test_a_title_with_another_figure_is_not_the_sources_own() -> None:
    of = source(title="Arden mill to close, 240 jobs – gone")
    assert [each[1] for each in check_front(of, title="Arden mill to close: 240 jobs gone")] == ["overlap"]
    assert ("title", "figure", "block", "€240") in check_front(
        of, title="Arden mill to close, €240 jobs gone"
    )


SOURCE_TITLE = BEAT.model_copy(update={"titles": "source"})


@pytest.mark.parametrize("title", ["Arden mill to close", "ARDEN  mill\tto close", "Arden: mill to close!"])
def test_the_sources_own_title_is_a_look(title: str) -> None:
    front = front_of({"title": title, "description": "The mill shuts in spring."}, ARTICLE, BEAT)
    [finding] = run_checks(source(), ARTICLE, BEAT, front=front)
    assert (finding.field, finding.kind, finding.severity) == ("title", "overlap", Severity.WARN)
    assert finding.message.startswith("This is the source's title: ")


@pytest.mark.parametrize("title", ["Arden mill to close", "ARDEN  mill\tto close"])
def test_the_sources_own_title_is_no_finding_where_the_beat_keeps_it(title: str) -> None:
    assert check_front(title=title, beat=SOURCE_TITLE) == []


def test_a_brief_that_an_editor_finished_may_keep_the_sources_title() -> None:
    assert check_front(title="Arden mill to close", ai={"rewritten": False}) == []


def test_a_source_without_a_title_is_no_look() -> None:
    assert check_front(source(title=""), title="Arden loses its mill") == []


def test_the_sources_own_title_may_have_been_cleaned() -> None:
    of = source(title="<b>Mill</b> of Ülmö <script>alert(77)</script> closes after 99 years on Monday")
    title = "Mill of Ülmö closes after 99 years on Monday"
    assert check_front(of, title=title, beat=SOURCE_TITLE) == []
    assert check_front(of, title=title) == [("title", "overlap", "warn", title)]
    assert check_front(of, title="Mill of Ålmö closes after 99 years on Monday") != []


def test_an_address_in_the_sources_own_title_blocks() -> None:
    of = source(title="Free coins at bad.com")
    found = check_front(of, title="Free coins at bad.com", beat=SOURCE_TITLE)
    assert found == [("title", "injection", "block", "bad.com")]


def test_a_headline_may_name_its_subject_first() -> None:
    of = source(f"{TEXT} AI had no part in it.")
    assert check_front(of, title="AI: Arden mill to close") == []


def test_an_error_of_the_overview_is_reported_once() -> None:
    wrong = OVERVIEW.replace("240", "260")
    body = ARTICLE.replace(OVERVIEW, wrong)
    findings = run_checks(
        source(), body, BEAT, front=front_of({"description": make_description(wrong)}, body, BEAT)
    )
    assert [(finding.field, finding.kind) for finding in findings] == [("body", "figure")]
    # A description that was left behind is checked by itself.
    assert check_front(description=make_description(wrong)) == [("description", "figure", "block", "260")]


def test_a_brief_has_its_sources_title_and_beginning() -> None:
    original = source(title="Free coins at bad.com")
    body = render_body(write_brief(original, BEAT), BEAT)
    quoted = body.partition("\n\n")[2].partition("\n\n")[2].partition("\n\n## ")[0]
    assert check_front(original, body, title=original.item.title, description=make_description(quoted)) == []


def test_a_claim_has_one_key_in_title_and_body() -> None:
    body = ARTICLE.replace("240 jobs", "260 jobs")
    front = Front(metadata={"title": "260 jobs go", "description": ""}, follows=True, is_ours=False)
    findings = run_checks(source(), body, BEAT, front=front)
    assert [finding.field for finding in findings] == ["body"]
    assert findings[0].also == (("title", (0, 3)),)
    assert finding_key(findings[0], body, TEXT) == findings[0].key


def test_a_stored_finding_without_field_is_about_the_body() -> None:
    old = '{"kind":"figure","severity":"block","message":"m","span":[1,2],"evidence":[],"key":"k"}'
    finding = Finding.model_validate_json(old)
    assert (finding.field, finding.body_span) == ("body", (1, 2))
    assert finding.model_copy(update={"field": "title"}).body_span is None


def test_check_levels_apply_to_title_and_description() -> None:
    lenient = BEAT.model_copy(update={"checks": BEAT.checks.model_copy(update={"figure": "warn"})})
    front = front_of({"title": "Arden loses 320 jobs", "description": "It had 77."}, ARTICLE, BEAT)
    findings = run_checks(source(), ARTICLE, lenient, front=front)
    assert {finding.severity for finding in findings if finding.kind == "figure"} == {Severity.WARN}
