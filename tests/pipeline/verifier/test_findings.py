import pytest

from pipeline.checks.runner import run_checks
from pipeline.domain.models import CheckLevels
from pipeline.domain.reviews import Finding, Severity
from pipeline.verifier.findings import join_findings, unverified
from pipeline.verifier.readings import read_findings
from tests.pipeline.verifier.drafts import (
    BEAT,
    BODY,
    DESCRIPTION,
    TEXT,
    confirm,
    draft,
    objection,
    readings,
    source,
)  # fmt: skip

WILL = objection(3, "will", "Norrsund may close its winter route", "may")
SINCE = objection(6, ", which had been paid since 1998")


def findings(*objections: dict[str, object], levels: CheckLevels | None = None) -> tuple[Finding, ...]:
    numbered = draft()
    read = readings(numbered, *objections)
    return read_findings(read, numbered, source(), levels or CheckLevels())[0]


def test_an_objection_is_a_look_with_evidence_and_fix() -> None:
    will, since = findings(WILL, SINCE)
    assert (will.kind, will.severity, will.field, will.suggestion) == ("sense", Severity.WARN, "body", "may")
    assert will.message == 'The source says otherwise: "Norrsund may close its winter route".'
    assert will.span is not None
    assert BODY[slice(*will.span)] == "will"
    assert [TEXT[slice(*span)] for span in will.evidence] == ["Norrsund may close its winter route"]
    assert (will.contradicted, since.contradicted) == (True, False)
    assert (since.message, since.suggestion, since.removal) == ("The source does not say this.", "", True)
    assert since.span is not None
    assert BODY[: since.span[0]] + BODY[since.span[1] :] == BODY.replace(
        ", which had been paid since 1998", ""
    )


def test_the_same_error_in_description_and_body_is_one_finding() -> None:
    (joined,) = findings(objection(2, "will", "Norrsund may close its winter route", "may"), WILL)
    assert joined.field == "body"
    assert [(field, DESCRIPTION[slice(*span)]) for field, span in joined.also] == [("description", "will")]


@pytest.mark.parametrize(
    ("level", "severities"),
    [("block", ["block", "warn"]), ("warn", ["warn", "warn"]), ("note", ["note", "note"]), ("off", [])],
)
def test_a_beat_may_have_contradictions_block(level: str, severities: list[str]) -> None:
    levels = CheckLevels.model_validate({"sense": level})
    assert [each.severity.value for each in findings(WILL, SINCE, levels=levels)] == severities


@pytest.mark.parametrize("quotation", ["its director", "6", "in March", "12 million"])
def test_a_quotation_that_shows_little_never_blocks(quotation: str) -> None:
    (look,) = findings(objection(3, "will", quotation, "may"), levels=CheckLevels(sense="block"))
    assert look.severity is Severity.WARN


def test_a_reader_that_is_left_out_is_a_note() -> None:
    note = unverified(confirm(draft(), *[WILL] * 12).left_out)
    assert readings(draft(), *[WILL] * 12) == ()
    assert (note.severity, note.span) == (Severity.NOTE, None)
    assert note.message == (
        "The second reader was left out for this draft: it objects 12 times to 1 of 11 sentences."
    )


def code(words: str, severity: Severity = Severity.WARN, kind: str = "pair", body: str = BODY) -> Finding:
    start = body.index(words)
    return Finding(kind=kind, severity=severity, message="m", span=(start, start + len(words)), key=words)


def test_the_second_reader_s_finding_replaces_code_s_look_and_not_its_block() -> None:
    sense = findings(WILL)
    block = code("will close", Severity.BLOCK, "figure")
    assert join_findings([code("will")], sense, draft(), frozenset()) == sense
    (kept,) = join_findings([block], sense, draft(), frozenset())
    assert kept == block
    (shared,) = join_findings([code("will", Severity.BLOCK, "figure")], sense, draft(), frozenset())
    assert shared.shared is True


def test_places_in_title_and_description_are_joined_as_those_in_the_body() -> None:
    in_line = DESCRIPTION.index("will")
    both = (("description", (in_line, in_line + 4)),)
    look = code("will").model_copy(update={"also": both})
    (in_body,) = findings(WILL)
    rest, kept = join_findings([look], [in_body], draft(), frozenset())
    assert kept == in_body
    assert (rest.field, rest.span, rest.also, rest.shared) == ("description", both[0][1], (), None)
    (everywhere,) = findings(objection(2, "will", "Norrsund may close its winter route", "may"), WILL)
    assert join_findings([look], [everywhere], draft(), frozenset()) == (everywhere,)
    block = look.model_copy(update={"severity": Severity.BLOCK, "kind": "figure"})
    assert join_findings([block], [everywhere], draft(), frozenset()) == (
        block.model_copy(update={"shared": True}),
    )
    in_title = block.model_copy(update={"field": "description", "span": both[0][1], "also": ()})
    _, left = join_findings([in_title], [everywhere], draft(), frozenset())
    assert (left.field, left.also) == ("body", ())


def test_a_look_is_marked_only_where_all_its_places_passed() -> None:
    look = code("will").model_copy(update={"also": (("description", (9, 13)),)})
    for passed, shared in (({2, 3}, False), ({3}, None)):
        (marked,) = join_findings([look], (), draft(), frozenset(passed))
        assert marked.shared is shared


def test_a_look_in_a_sentence_that_passed_is_kept_and_marked() -> None:
    looks = [
        code("supported"),
        code("rose"),
        code("Other lines may follow", kind="overlap"),
        code("1998", Severity.BLOCK),
    ]
    joined = join_findings(looks, findings(WILL), draft(), confirm(draft(), WILL, objection(4, "x")).passed)
    marks = {each.key: each.shared for each in joined[:-1]}
    assert marks == {"supported": False, "rose": None, "Other lines may follow": None, "1998": None}
    assert [each.model_copy(update={"shared": None}) for each in joined[:-1]] == looks


def test_without_a_trusted_reader_nothing_is_marked() -> None:
    result = confirm(draft(), *[WILL] * 12)
    looks = [code("supported")]
    assert join_findings(looks, (), draft(), result.passed) == tuple(looks)


def test_keys_of_code_s_findings_are_as_without_a_second_reader() -> None:
    before = run_checks(source(), BODY, BEAT, front=None)
    joined = join_findings(before, findings(WILL, SINCE), draft(), confirm(draft(), WILL, SINCE).passed)
    assert {each.key for each in joined if each.kind != "sense"} <= {each.key for each in before}
    assert any(each.shared is False for each in joined)
