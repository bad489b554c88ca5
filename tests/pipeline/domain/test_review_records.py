"""The record of a review: any change of it changes its proof; equal findings are dismissed together."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.checks.runner import run_checks
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.review_records import FindingRecord, ReviewRecord, SectionRecord
from pipeline.domain.reviews import (
    OTHER_REASON,
    PRESETS,
    Finding,
    ReviewDecision,
    Severity,
    acknowledgement_reason,
    equal_findings,
)

NOW = datetime(2026, 2, 6, 9, 0, 0, 123456, tzinfo=UTC)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(max_size=6)
MAYBE = st.none() | TEXTS
HASHES = st.text("0123456789abcdef", min_size=4, max_size=4)
SECTIONS = st.builds(SectionRecord, heading=TEXTS, shown=st.booleans(), at=st.none() | TIMES)
FINDINGS = st.builds(
    FindingRecord, kind=TEXTS, severity=MAYBE, message=TEXTS, reason=MAYBE, preset=MAYBE, by=MAYBE,
    end=st.sampled_from(("taken", "edited", "dismissed", "passed")), at=st.none() | TIMES,
)  # fmt: skip
RECORDS = st.builds(
    ReviewRecord, draft=HASHES, decision=st.sampled_from(ReviewDecision), by=TEXTS,
    level=st.sampled_from(("full", "light", None)), way=st.sampled_from(("desk", "bulk", "command")),
    text_sha256=HASHES, source_sha256=HASHES, sections=st.lists(SECTIONS, max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=3).map(tuple), opened_at=st.none() | TIMES, decided_at=TIMES,
)  # fmt: skip


def record(**changes: object) -> ReviewRecord:
    values = {
        "draft": "0123456789abcdef", "decision": "approve", "by": "Ada", "level": "full", "way": "desk",
        "text_sha256": "aa", "source_sha256": "bb", "decided_at": NOW,
    }  # fmt: skip
    return ReviewRecord.model_validate(values | changes)


@given(RECORDS)
def test_a_stored_record_is_read_again_with_the_same_proof(made: ReviewRecord) -> None:
    again = ReviewRecord.model_validate_json(made.canonical())
    assert again == made
    assert again.proof == made.proof
    assert len(made.proof) == 64


@given(RECORDS, RECORDS)
def test_two_records_that_differ_have_two_proofs(one: ReviewRecord, other: ReviewRecord) -> None:
    assert (one.proof == other.proof) is (one == other)


@given(RECORDS, st.data())
def test_a_changed_field_changes_the_proof(made: ReviewRecord, data: st.DataObject) -> None:
    other = data.draw(RECORDS)
    name = data.draw(st.sampled_from(sorted(ReviewRecord.model_fields)))
    changed = made.model_copy(update={name: getattr(other, name)})
    assert (changed.proof == made.proof) is (getattr(made, name) == getattr(other, name))


def test_the_canonical_form_is_sorted_utf_8_without_spaces_and_without_what_is_missing() -> None:
    text = record(by="Zoë").canonical().decode()
    assert text == (
        '{"by":"Zoë","decided_at":"2026-02-06T09:00:00.123Z","decision":"approve","draft":"0123456789abcdef",'
        '"findings":[],"level":"full","sections":[],"source_sha256":"bb","text_sha256":"aa","way":"desk"}'
    )
    assert json.loads(text)["by"] == "Zoë"


def test_a_time_is_the_same_in_every_zone() -> None:
    assert record(decided_at=NOW.astimezone(timezone(timedelta(hours=2)))).proof == record().proof


def test_half_a_character_can_be_stored() -> None:
    assert record(by="a\ud800").canonical() == record(by="a?").canonical()


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        record(read=True)


def test_a_reason_is_that_of_the_preset_and_ones_own_words() -> None:
    assert acknowledgement_reason(None, " mine ") == "mine"
    assert acknowledgement_reason(OTHER_REASON, " mine ") == "mine"
    assert acknowledgement_reason("derived", "") == PRESETS["derived"] == "derived from the source"
    assert acknowledgement_reason("derived", "10+1 ") == "derived from the source: 10+1"


def finding(words: str = "", **values: object) -> Finding:
    about = {"kind": "name", "severity": Severity.BLOCK, "message": "m", "key": "k", "words_key": words}
    return Finding.model_validate(about | values)


def test_equal_findings_have_the_same_kind_and_words_whatever_their_evidence() -> None:
    one = finding("w", key="k1")
    same = finding("w", key="k2", evidence=((0, 3),), severity=Severity.WARN)
    others = (
        finding("x", key="k3"),
        finding("w", key="k4", kind="date"),
        finding("w", key="k5", severity=Severity.NOTE),
        finding("w", key="k6", firm=True),
    )
    assert equal_findings(one, (one, same, *others)) == (one, same)


def test_findings_of_older_versions_are_equal_by_their_keys() -> None:
    one = finding(key="k1")
    assert equal_findings(one, (one, finding("w", key="k1", field="title"), finding("w", key="k2"))) == (
        one,
        finding("w", key="k1", field="title"),
    )
    bare = finding(key="")
    assert equal_findings(bare, (bare, finding(key="", span=(0, 1)), finding(key="", message="n"))) == (
        bare,
        finding(key="", span=(0, 1)),
    )


def test_the_same_wrong_words_are_equal_in_two_paragraphs() -> None:
    item = Item(guid="1", title="Fund", text="The fund paid 88,000 people.", published_at=NOW)
    source = Source(item=item, feed_key="w", feed_name="W", first_key="w", category="", language="en")
    body = "It paid 98,000 people.\n\nThe 98,000 were glad. Zirkon Bank paid 97,000.\n"
    found = run_checks(source, body, Beat(key="b"), front=None, sections=False)
    [first, *_] = [each for each in found if each.span and body[slice(*each.span)].startswith("98,000")]
    equal = {body[slice(*each.span)] for each in equal_findings(first, found) if each.span}
    assert equal == {body[slice(*first.span)]} if first.span else False
    assert len(equal_findings(first, found)) == 2
