"""Scores, records and sets, and the counts that follow from them."""

import pytest

from pipeline.checks.numbers.check import check_numbers
from pipeline.checks.tokens import CheckInput, TokenizedText


def severities(source: str, draft: str, language: str = "en") -> list[str]:
    case = CheckInput(TokenizedText(f"{draft} That is all."), TokenizedText(source), language)
    return [finding.severity.value for finding in check_numbers(case)]


MATCH = "Ada Lindqvist beat Mara Kovac 4-6, 7-5, 6-2 in the final at Tallmoor. She is now 21-8 in finals."


@pytest.mark.parametrize(
    "draft",
    [
        "Lindqvist won 17 games, Kovac 13.",
        "It was decided after 30 games in 3 sets.",
        "Lindqvist has played 29 finals.",
        "Kovac lost 6-4, 5-7, 2-6.",
    ],
)
def test_games_and_contests_are_counted_from_scores(draft: str) -> None:
    assert "block" not in severities(MATCH, draft)
    assert "warn" not in severities(MATCH, draft)


@pytest.mark.parametrize(
    "draft", ["Lindqvist won 19 games.", "She won 4-6, 7-5, 6-1.", "She is 27-8 in finals."]
)
def test_other_scores_and_counts_block(draft: str) -> None:
    assert severities(MATCH, draft) == ["block"]


def test_brackets_hold_no_scores_of_the_match() -> None:
    source = "Er verlor in 2:43 Stunden 6:4, 6:7 (5:7), 6:7 (3:7)."
    assert set(severities(source, "Er gewann 18 Spiele, und es waren 36.", "de")) == {"note"}


def test_a_score_may_be_told_in_words() -> None:
    source = "Oster won by four games to two. Its women drew 1-1."
    assert severities(source, "Oster won 4-2.") == []
    assert severities(source, "Oster won 4-3.") == ["block"]


def test_the_end_of_a_series_is_worth_a_look() -> None:
    source = "In the best-of-seven final Oster took three games, then Brandal won two. It beat Fell 4-0."
    assert severities(source, "Oster won the final 4-2.") == ["warn"]
    assert severities(source, "Oster won the final 5-2.") == ["block"]


@pytest.mark.parametrize(
    "draft", ["Das Spiel dauerte zwei Stunden und 43 Minuten.", "Nach 163 Minuten war Schluss."]
)
def test_a_duration_may_be_written_as_on_a_clock(draft: str) -> None:
    source = "Sie gewann nach 2:43 Stunden mit 6:4, 6:2."
    assert severities(source, draft, "de") == []
    assert "block" in severities(source, draft.replace("43", "47").replace("163", "167"), "de")
