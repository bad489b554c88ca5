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
def test_a_key_survives_every_edit_elsewhere(
    claim: str, evidence: str, before: str, behind: str, lead: str, tail: str
) -> None:
    assert key(before, claim, behind, lead, evidence, tail) == key("", claim, "", "", evidence, "")


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_key_falls_with_the_claim_and_with_its_evidence(
    claim: str, other: str, evidence: str, another: str
) -> None:
    assume(claim.split() != other.split() and evidence.split() != another.split())
    kept = key("a ", claim, " b", "", evidence, "")
    assert kept != key("a ", other, " b", "", evidence, "")
    assert kept != key("a ", claim, " b", "", another, "")
    assert kept != key("a ", claim, " b", "", evidence, "", kind="name")


def test_white_space_and_severity_do_not_count_and_missing_evidence_does() -> None:
    finding = Finding(kind="name", severity=Severity.WARN, message="m", span=(0, 9))
    same = finding.model_copy(update={"severity": Severity.BLOCK, "span": (0, 10)})
    assert finding_key(finding, "Ida  Lund", "s") == finding_key(same, "Ida\n Lund ", "s")
    evident = finding.model_copy(update={"evidence": ((0, 1),)})
    assert finding_key(finding, "Ida  Lund", "s") != finding_key(evident, "Ida  Lund", "s")


def test_a_finding_about_the_whole_is_known_by_what_it_says() -> None:
    one = Finding(kind="form", severity=Severity.WARN, message="One.")
    other = one.model_copy(update={"message": "Other."})
    assert finding_key(one, "a", "b") == finding_key(one, "c", "d") != finding_key(other, "a", "b")
    assert len(finding_key(one, "a", "b")) == 16
