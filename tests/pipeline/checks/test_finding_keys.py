from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.checks.runner import finding_key
from pipeline.domain.reviews import Finding, Severity

TEXTS = st.text(min_size=1, max_size=20).filter(str.strip)
MORE = st.text(max_size=20)


def key(
    before: str, claim: str, behind: str, lead: str, evidence: str, tail: str, kind: str = "figure"
) -> str:
    finding = Finding(
        kind=kind,
        severity=Severity.WARN,
        message="Whatever.",
        span=(len(before), len(before + claim)),
        evidence=((len(lead), len(lead + evidence)),),
    )
    return finding_key(finding, before + claim + behind, lead + evidence + tail)


@given(TEXTS, TEXTS, MORE, MORE, MORE, MORE)
def test_an_edit_elsewhere_keeps_the_key(
    claim: str, evidence: str, before: str, behind: str, lead: str, tail: str
) -> None:
    assert key(before, claim, behind, lead, evidence, tail) == key("", claim, "", "", evidence, "")


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_key_changes_with_the_claim_the_evidence_and_the_kind(
    claim: str, other: str, evidence: str, another: str
) -> None:
    assume(claim.split() != other.split() and evidence.split() != another.split())
    original = key("a ", claim, " b", "", evidence, "")
    assert original != key("a ", other, " b", "", evidence, "")
    assert original != key("a ", claim, " b", "", another, "")
    assert original != key("a ", claim, " b", "", evidence, "", kind="name")


def test_white_space_and_severity_do_not_count_and_missing_evidence_does() -> None:
    finding = Finding(kind="name", severity=Severity.WARN, message="m", span=(0, 9))
    same = finding.model_copy(update={"severity": Severity.BLOCK, "span": (0, 10)})
    assert finding_key(finding, "Ida  Lund", "s") == finding_key(same, "Ida\n Lund ", "s")
    evident = finding.model_copy(update={"evidence": ((0, 1),)})
    assert finding_key(finding, "Ida  Lund", "s") != finding_key(evident, "Ida  Lund", "s")


def test_a_finding_without_a_span_is_keyed_by_its_message() -> None:
    first = Finding(kind="form", severity=Severity.WARN, message="One.")
    second = first.model_copy(update={"message": "Other."})
    assert finding_key(first, "a", "b") == finding_key(first, "c", "d") != finding_key(second, "a", "b")
    assert len(finding_key(first, "a", "b")) == 16
