from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.models import CheckLevels
from pipeline.domain.reviews import Finding
from pipeline.verifier.edits import carry_over, changed_sentences
from pipeline.verifier.findings import sense_findings
from tests.pipeline.verifier.drafts import BODY, confirm, draft, objection, source


def findings() -> tuple[Finding, ...]:
    numbered = draft()
    will = [objection(number, "will", "Norrsund may close its winter route", "may") for number in (2, 3)]
    supported = objection(7, "supported", "opposed it", "opposed")
    return sense_findings(confirm(numbered, *will, supported), numbered, source(), CheckLevels())


def test_an_edit_leaves_only_the_changed_sentences_to_verify() -> None:
    new = draft(BODY.replace("Revenue rose", "Last year revenue rose").replace("- Fares", "- Ticket prices"))
    assert {
        new.text_of(each).split()[0]
        for each in new.sentences
        if each.number in changed_sentences(draft(), new)
    } == {
        "Last",
        "Ticket",
    }
    assert changed_sentences(draft(), draft()) == frozenset()


def test_findings_move_with_their_sentences_and_go_with_changed_ones() -> None:
    body = BODY.replace("## Overview\n", "## Overview\n\nA new lead.\n").replace("*supported*", "opposed")
    new = draft(body)
    (moved,) = carry_over(findings(), draft(), new)
    assert moved.span is not None
    assert body[slice(*moved.span)] == "will"
    assert moved.key == findings()[0].key
    assert [field for field, _ in moved.also] == ["description"]


def test_a_finding_in_two_fields_stays_in_the_one_that_is_unchanged() -> None:
    new = draft(BODY.replace("will close", "may close"))
    will, supported = carry_over(findings(), draft(), new)
    assert (will.field, will.also) == ("description", ())
    assert supported.field == "body"


@given(
    st.permutations(["will a.", "will b.", "It rose.", "will a."]),
    st.permutations(["will a.", "will b.", "No."]),
)
def test_carried_spans_have_the_same_words(old: list[str], new: list[str]) -> None:
    before, after = draft(" ".join(old)), draft(" ".join(new))
    spans = [before.span(each, 0, 4) for each in before.sentences if each.field == "body"]
    given_findings = [Finding(kind="sense", severity="warn", message="m", span=span) for span in spans]
    for finding in carry_over(given_findings, before, after):
        assert finding.span is not None
        assert " ".join(new)[slice(*finding.span)] == "will"
