"""Claims that the change of a source touches, and those that it leaves alone."""

import pytest

from pipeline.checks.source_changes import KIND, check_source_changes, join_source_changes
from pipeline.domain.reviews import Finding, Front, Severity
from tests.pipeline.checks.articles import ARTICLE, BEAT, TEXT, run, source

Told = list[tuple[str, str, str]]


def told(now: str, body: str = ARTICLE, before: str = TEXT, language: str = "en") -> Told:
    """Return the words of each finding, what it offers, and its message."""
    changed = check_source_changes(source(before).item, source(now, language), body, BEAT, None)
    assert {(finding.kind, finding.severity) for finding in changed} <= {(KIND, Severity.WARN)}
    return [
        (body[slice(*finding.span or (0, 0))], finding.suggestion, finding.message) for finding in changed
    ]


@pytest.mark.parametrize(
    ("old", "new", "words", "offered", "then", "now"),
    [
        ("240", "340", "240", "340", "has 240 workers", "has 340 workers"),
        (
            "31,000 tonnes",
            "13,500 tons",
            "31,000 tonnes",
            "13,500 tons",
            "made 31,000 tonnes last",
            "made 13,500 tons last",
        ),
        (
            "Maren Tolle",
            "Maren Tolke",
            "Maren Tolle",
            "Maren Tolke",
            "said Maren Tolle",
            "said Maren Tolke",
        ),
        ("Maren Tolle", "Nina Tolle", "Maren Tolle", "Nina Tolle", "said Maren Tolle", "said Nina Tolle"),
        ("Pieter Oost", "Jan Brandt", "Pieter Oost", "Jan Brandt", "Pieter Oost", "Jan Brandt"),
        ("in spring", "in autumn", "spring", "autumn", "in spring", "in autumn"),
        (
            "a black day",
            "a bad day",
            "a black day for the valley",
            "a bad day for the valley",
            "is a black day for the valley",
            "is a bad day for the valley",
        ),
    ],
)
def test_a_changed_claim_is_shown_with_old_and_new(
    old: str, new: str, words: str, offered: str, then: str, now: str
) -> None:
    message = f"The source said “{then}”, now “{now}”."
    assert told(TEXT.replace(old, new)) == [(words, offered, message)]


@pytest.mark.parametrize(
    "now",
    [
        TEXT.replace("31,000", "31 000"),
        TEXT.replace("Maren Tolle", "Ms Tolle"),
        TEXT.replace("\n", " "),
        TEXT.replace('"', "”"),
        TEXT.replace(
            "The mill has 240 workers and\nmade 31,000 tonnes last year.",
            "With its 240 workers, the mill produced 31,000 tonnes over the last year.",
        ),
        f"{TEXT} Another 12 people work in the kiosk of Anna Berg.",
        "\n\n".join(reversed(TEXT.split("\n\n"))),
    ],
    ids=["digits", "title of a name", "line ends", "marks", "wording", "added", "moved"],
)
def test_a_source_that_says_the_same_makes_no_finding(now: str) -> None:
    assert now != TEXT
    assert told(now) == []


def test_a_removed_sentence_is_one_finding_for_each_sentence_that_rests_on_it() -> None:
    gone = "The mill has 240 workers and\nmade 31,000 tonnes last year."
    message = "The source no longer says this: “The mill has 240 workers and made 31,000 tonnes last year.”"
    assert told(TEXT.replace(gone, "")) == [
        ("Arden loses its paper mill: the owner shuts it in spring, and 240 jobs go with it.", "", message),
        ("Last year's output came to 31,000 tonnes.", "", message),
    ]


def test_a_figure_that_stands_elsewhere_now_is_still_another_one() -> None:
    body = "## Overview\n\nIt rose to 12 percent.\n"
    [(words, offered, _)] = told(
        "It rose from 12 to 14 percent.", body, before="It rose from 10 to 12 percent."
    )
    assert (words, offered) == ("12 percent", "14 percent")


def test_a_changed_title_touches_title_description_and_text() -> None:
    front = Front(metadata={"title": "Arden mill with 240 jobs to close", "description": "240 jobs go."})
    before = source(title="Arden mill with 240 jobs to close").item
    after = source(title="Arden mill with 250 jobs to close")
    [finding] = check_source_changes(before, after, ARTICLE, BEAT, front)
    assert finding.message == "The source said “with 240 jobs”, now “with 250 jobs”."
    assert {field for field, _ in finding.places} == {"body", "title", "description"}
    assert finding.evidence == (), "a title is no part of the text that evidence counts in"


def test_evidence_is_where_the_new_source_has_it() -> None:
    now = source(TEXT.replace("240", "340"))
    [finding] = check_source_changes(source().item, now, ARTICLE, BEAT, None)
    assert [now.item.text[start:end] for start, end in finding.evidence] == ["340"]
    assert finding.key


def test_other_languages_are_compared_as_far_as_they_are_checked() -> None:
    before = "Das Werk hat 240 Mitarbeiter. „Wir hören im Frühjahr auf“, sagte Maren Tolle."
    body = "## Overview\n\nDort arbeiten 240 Menschen. „Wir hören im Frühjahr auf“, so Maren Tolle.\n"
    after = before.replace("240", "340")
    assert [words for words, *_ in told(after, body, before, "de")] == ["240"]
    after = before.replace("Frühjahr", "Herbst")
    assert [words for words, *_ in told(after, body, before, "fi")] == ["Wir hören im Frühjahr auf"]


def test_the_same_source_makes_no_finding() -> None:
    assert told(TEXT) == []


def test_a_finding_of_a_check_about_the_same_words_says_both() -> None:
    now = source(TEXT.replace("240", "340"))
    code = run(ARTICLE, of=now)
    changes = check_source_changes(source().item, now, ARTICLE, BEAT, None)
    joined = join_source_changes(code, changes)
    [finding] = [each for each in joined if "The source said" in each.message]
    assert (finding.kind, finding.severity.value, finding.suggestion) == ("figure", "block", "340")
    assert len(joined) == len(code)


def test_a_note_about_the_same_words_stays_a_note() -> None:
    [change] = check_source_changes(source().item, source(TEXT.replace("240", "340")), ARTICLE, BEAT, None)
    note = Finding(kind="figure", severity=Severity.NOTE, message="It follows.", span=change.span)
    assert join_source_changes([note], [change]) == (note, change)
