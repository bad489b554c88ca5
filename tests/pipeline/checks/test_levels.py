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
def test_a_place_is_told_by_the_kind_that_says_most_of_it(better: str, worse: str) -> None:
    first, second = finding(better, 5, 15), finding(worse, 6, 20)
    assert deduplicate([second, first]) == [first]
    assert deduplicate([second, finding(better, 5, 8)]) == [second, finding(better, 5, 8)]
    assert deduplicate([finding(better, 5, 15, Severity.NOTE), second])[1:] == [second]


def test_claims_stand_beside_each_other_and_copied_text_beside_all() -> None:
    both = [finding("quotation", 0, 30), finding("name", 5, 9), finding("overlap", 5, 9)]
    assert deduplicate(both) == both


def test_a_warning_about_a_sentence_hides_no_claim_in_it() -> None:
    both = [finding("form", 0, 30, Severity.WARN), finding("name", 5, 9)]
    assert deduplicate(both) == both


def test_what_is_about_the_whole_is_always_told() -> None:
    whole = Finding(kind="form", severity=Severity.WARN, message="m")
    assert deduplicate([whole, finding("injection", 0, 9)])[0] == whole


def test_settings_change_what_is_objected_to() -> None:
    found = [finding("name", 0, 1), finding("name", 1, 2, Severity.NOTE), finding("injection", 3, 4)]
    severities = [one.severity for one in apply_levels(found, CheckLevels(name="warn"))]
    assert severities == [Severity.WARN, Severity.NOTE, Severity.BLOCK]
    assert [one.kind for one in apply_levels(found, CheckLevels(name="off"))] == ["injection"]
    assert apply_levels(found, CheckLevels()) == found


@pytest.mark.parametrize("length", lengths(50_000))
def test_time_grows_with_the_findings_alone(length: int) -> None:
    many = [finding(kind, at, at + 3) for at in range(length) for kind in ("form", "opinion")]
    begun = time.process_time()
    assert len(deduplicate(many)) == length
    assert time.process_time() - begun < 10
