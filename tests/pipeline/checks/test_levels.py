import time

import pytest

from pipeline.checks.runner import apply_levels, deduplicate
from pipeline.domain.models import CheckLevels
from pipeline.domain.reviews import Finding, Severity
from tests.lengths import lengths


def finding(kind: str, start: int, end: int, severity: Severity = Severity.BLOCK) -> Finding:
    return Finding(kind=kind, severity=severity, message="m", span=(start, end))


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("injection", "form"),
        ("injection", "name"),
        ("form", "name"),
        ("name", "opinion"),
        ("figure", "opinion"),
    ],
)
def test_a_place_is_reported_by_the_most_specific_kind(better: str, worse: str) -> None:
    first, second = finding(better, 5, 15), finding(worse, 6, 20)
    assert deduplicate([second, first]) == [first]
    assert deduplicate([second, finding(better, 5, 8)]) == [second, finding(better, 5, 8)]
    assert deduplicate([finding(better, 5, 15, Severity.NOTE), second])[1:] == [second]


def test_claims_and_copied_text_are_reported_beside_each_other() -> None:
    both = [finding("quotation", 0, 30), finding("name", 5, 9), finding("overlap", 5, 9)]
    assert deduplicate(both) == both


def test_a_warning_about_a_sentence_hides_no_claim_in_it() -> None:
    both = [finding("form", 0, 30, Severity.WARN), finding("name", 5, 9)]
    assert deduplicate(both) == both


def test_a_finding_without_a_span_is_always_reported() -> None:
    whole = Finding(kind="form", severity=Severity.WARN, message="m")
    assert deduplicate([whole, finding("injection", 0, 9)])[0] == whole


def test_check_levels_set_severities() -> None:
    findings = [finding("name", 0, 1), finding("name", 1, 2, Severity.NOTE), finding("injection", 3, 4)]
    severities = [each.severity for each in apply_levels(findings, CheckLevels(name="warn"))]
    assert severities == [Severity.WARN, Severity.NOTE, Severity.BLOCK]
    assert [each.kind for each in apply_levels(findings, CheckLevels(name="off"))] == ["injection"]
    assert apply_levels(findings, CheckLevels()) == findings


@pytest.mark.parametrize("length", lengths(50_000))
def test_time_is_linear_in_the_findings(length: int) -> None:
    many = [finding(kind, at, at + 3) for at in range(length) for kind in ("form", "opinion")]
    begun = time.process_time()
    assert len(deduplicate(many)) == length
    assert time.process_time() - begun < 10
