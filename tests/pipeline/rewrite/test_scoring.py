import re

import pytest

from pipeline.articles.article import Article, Section, Sentiment
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.reviews import Finding, Severity
from pipeline.rewrite.evaluation.scoring import (
    EvaluatedArticle,
    Expectation,
    Score,
    compile_pattern,
    pair_scores,
    repeated_runs,
    repeated_sentences,
    score,
    text_of,
)

SOURCE = "Example Corp mined 1,250 coins in May, 4.5% more than in April. " * 3


def article(**changes: object) -> Article:
    values = {
        "title": "Output rises",
        "overview": "Example Corp mined 1,250 coins in May.",
        "sections": (Section(heading="More than in April", body="The miner had expected less, it said."),),
        "from_author": "A steady month, in our view.",
        "impact": ("Rivals may follow.",),
        "category": "MINING",
        "tags": ("MINING",),
        "sentiment": Sentiment.NEUTRAL,
        "language": "en",
    }
    return Article.model_validate(values | changes)


def evaluated(article: Article, findings: tuple[Finding, ...] = ()) -> EvaluatedArticle:
    return EvaluatedArticle(article, "body", findings, TokenUsage(), None)


def scored(
    expectation: Expectation, draft: Article | None = None, findings: tuple[Finding, ...] = ()
) -> Score:
    return score("one", SOURCE, expectation, evaluated(draft or article(), findings))


def finding(severity: Severity) -> Finding:
    return Finding(kind="facts", severity=severity, message="Look.")


def test_an_article_that_meets_its_expectation_passes() -> None:
    expectation = Expectation(
        must=("1,250 coins", "/expected (less|more)/"), must_not=("April 2",), category=("MINING",)
    )
    result = scored(expectation)
    assert result.passed
    assert (result.missing, result.forbidden, result.findings) == ((), (), ())
    assert result.words == 27
    assert result.ratio == pytest.approx(18 / 36)


@pytest.mark.parametrize(
    ("expectation", "missing", "forbidden"),
    [
        (Expectation(must=("1,260 coins",)), ("1,260 coins",), ()),
        (Expectation(must_not=("/expected \\w+/",)), (), ('"expected less"',)),
        (Expectation(opinion_must_not=("steady",)), (), ('"steady" in the opinion',)),
        (Expectation(category=("BTC", "MARKET")), (), ("category MINING",)),
        (Expectation(sentiment=(Sentiment.POSITIVE,)), (), ("sentiment NEUTRAL",)),
        (Expectation(max_ratio=0.2), (), ("0.5 times the source's length, at most 0.2",)),
        (Expectation(max_opinion=5), (), ("9 words of opinion, at most 5",)),
    ],
)
def test_missing_and_forbidden_parts_are_reported(
    expectation: Expectation, missing: tuple[str, ...], forbidden: tuple[str, ...]
) -> None:
    result = scored(expectation)
    assert (result.missing, result.forbidden) == (missing, forbidden)
    assert not result.passed


def test_what_is_forbidden_in_the_opinion_may_stand_in_a_section() -> None:
    assert scored(Expectation(opinion_must_not=("/\\d/",))).passed


def test_findings_count_without_notes_and_only_those_that_block_fail() -> None:
    noted = scored(Expectation(), findings=(finding(Severity.NOTE), finding(Severity.WARN)))
    assert (noted.findings, noted.passed) == (("warn facts",), True)
    blocked = scored(Expectation(), findings=(finding(Severity.BLOCK),))
    assert (blocked.findings, blocked.passed) == (("block facts",), False)


@pytest.mark.parametrize(
    ("phrase", "text", "matches"),
    [
        ("19%", "rose 19% in May", True),
        ("19%", "rose 119% in May", False),
        ("4", "rose 4.5%", False),
        ("5%", "rose 4.5%", False),
        ("1,250", "mined 11,250", False),
        ("1,250", "mined 1,250.", True),
        ("two  people", "Two\npeople said", True),
        ("bit", "bitcoin", False),
        ("$5", "paid $5.", True),
        ("/bit/", "bitcoin", True),
    ],
)
def test_a_phrase_is_found_whole_in_any_case(phrase: str, text: str, *, matches: bool) -> None:
    assert bool(compile_pattern(phrase).search(text)) is matches


def test_a_wrong_expression_is_an_error_of_its_own() -> None:
    with pytest.raises(re.error):
        compile_pattern("/(/")


PADDED = (
    "The court acquitted the former manager of fraud on Friday.",
    "Prosecutors have eight days to appeal the acquittal.",
    "The former manager was acquitted of fraud by the court.",
    "An appeal is possible: prosecutors have eight days for it.",
)


def test_a_repeated_sentence_is_counted() -> None:
    short = article(sections=(Section(heading="Ruling", body=" ".join(PADDED[:2])),))
    padded = article(sections=(Section(heading="Ruling", body=" ".join(PADDED)),))
    assert repeated_sentences(short) == 0
    assert repeated_sentences(padded) == pytest.approx(2 / 8)
    assert not scored(Expectation(max_ratio=9), padded).passed
    assert scored(Expectation(max_ratio=9, max_repeated=0.25), padded).passed


def test_runs_of_words_that_come_again_are_counted() -> None:
    assert repeated_runs("one two three four five six") == 0
    assert repeated_runs("one two three four five one two three four five") == pytest.approx(1 / 6)
    assert repeated_runs("too short") == 0


def test_an_article_without_a_word_is_no_division_by_zero() -> None:
    empty = article(overview=".", sections=(Section(heading="-", body="."),), from_author=".", impact=())
    assert repeated_sentences(empty) == 0
    assert score("one", "", Expectation(), evaluated(empty)).ratio == 0


def test_every_part_that_a_model_wrote_is_scored() -> None:
    text = text_of(article())
    for part in ("1,250 coins", "More than in April", "expected less", "steady", "Rivals"):
        assert part in text
    assert "Output rises" not in text, "the title is the source's"


def test_scores_are_paired_by_item() -> None:
    first, second = Score(item="one"), Score(item="two")
    before = Score(item="one", words=5)
    assert pair_scores([first, second], [before]) == [(first, before), (second, None)]
