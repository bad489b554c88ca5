"""What a second reader said stays with the sentence: through edits, undone edits, changes of the source."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.models import CheckLevels, Source
from pipeline.domain.readings import SentenceReading
from pipeline.domain.reviews import Finding
from pipeline.verifier.readings import read_findings, unread_sentences
from tests.pipeline.verifier.drafts import BODY, TEXT, draft, objection, readings, source

MAY = "Norrsund may close its winter route"


def read() -> tuple[SentenceReading, ...]:
    will = [objection(number, "will", MAY, "may") for number in (2, 3)]
    supported = objection(7, "supported", "opposed it", "opposed")
    return readings(draft(), *will, supported, objection(6, ", which had been paid since 1998"))


def findings(body: str = BODY, held_against: Source | None = None) -> tuple[Finding, ...]:
    return read_findings(read(), draft(body), held_against or source(), CheckLevels())[0]


def words(found: tuple[Finding, ...], body: str = BODY) -> list[str]:
    return [body[slice(*each.span)] for each in found if each.span and each.field == "body"]


def test_only_sentences_that_were_not_read_are_asked_about() -> None:
    body = BODY.replace("Revenue rose", "Last year revenue rose").replace("- Fares", "- Ticket prices")
    new = draft(body)
    unread = unread_sentences(read(), new, source())
    assert [new.text_of(each).split()[0] for each in new.sentences if each.number in unread] == [
        "Last",
        "Ticket",
    ]
    assert unread_sentences(read(), draft(), source()) == frozenset()
    assert len(unread_sentences(read(), draft(), source(text="Another text."))) == 11


def test_an_objection_moves_with_its_sentence_goes_with_it_and_comes_back() -> None:
    body = BODY.replace("## Overview\n", "## Overview\n\nA new lead.\n").replace("*supported*", "opposed")
    assert words(findings(body), body) == ["will", ", which had been paid since 1998"]
    assert [field for field, _ in findings(body)[0].also] == ["description"]
    typo = BODY.replace("will close", "will closee")
    assert "will" not in words(findings(typo), typo)
    assert findings(BODY) == findings()


def test_the_same_words_with_another_fix_are_another_finding() -> None:
    twice = readings(draft(), objection(3, "will", MAY, "may"), objection(2, "will", MAY, "is to"))
    found, _ = read_findings(twice, draft(), source(), CheckLevels())
    assert len({each.key for each in found}) == len(found) == 2


def test_a_changed_source_keeps_contradictions_that_it_still_shows() -> None:
    moved = source(text=f"Updated on Friday.\n\n{TEXT}")
    will, supported = findings(held_against=moved)
    assert [moved.item.text[slice(*span)] for span in will.evidence] == [MAY]
    assert supported.evidence
    assert words(findings(held_against=source(text=TEXT.replace("opposed it", "praised it")))) == ["will"]
    _, passed = read_findings(read(), draft(), moved, CheckLevels())
    assert passed == frozenset()


def test_a_reading_against_the_present_source_counts_before_a_later_one() -> None:
    before = [each.model_copy(update={"source": "another", "objections": ()}) for each in read()]
    found, _ = read_findings([*read(), *before], draft(), source(), CheckLevels())
    assert found == findings()


@given(
    st.permutations(["Norrsund will close.", "Norrsund will end.", "It rose."]),
    st.permutations(["Norrsund will close.", "Norrsund will end.", "No."]),
)
def test_places_have_the_same_words_wherever_the_sentences_are(old: list[str], new: list[str]) -> None:
    before, after = draft(" ".join(old)), draft(" ".join(new))
    objections = [
        objection(each.number, "will", MAY, "may")
        for each in before.sentences
        if "will" in before.text_of(each)
    ]
    found, _ = read_findings(readings(before, *objections), after, source(), CheckLevels())
    places = [place for each in found for place in each.places if place[0] == "body"]
    assert [" ".join(new)[slice(*span)] for _, span in places] == ["will"] * 2
