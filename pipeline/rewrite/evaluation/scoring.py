"""Scores an article against the expectation of its golden-set item. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from pipeline.articles.article import Article, Sentiment
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import Finding, Severity
from pipeline.domain.text import sentences

_WORD = re.compile(r"[^\W_]+(?:[.,:’'-][^\W_]+)*")
_RUN_WORDS = 5
"""Words of a run that is compared. Chosen, not measured, as are the two values below."""
_MIN_LETTERS = 4
"""Letters of a content word; words that begin with a digit always count."""
_REPEATED_SHARE = 0.5
"""Share of a sentence's content words in one earlier sentence that makes it a repetition."""


class Expectation(FrozenModel):
    """What must and must not be in an article: phrases, or regular expressions between slashes."""

    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    opinion_must_not: tuple[str, ...] = ()
    """Searched only in the author's view and the impact."""
    category: tuple[str, ...] = ()
    """Allowed categories; empty: all."""
    sentiment: tuple[Sentiment, ...] = ()
    max_ratio: float = Field(default=1.0, gt=0)
    """Words of overview and sections per word of the source."""
    max_opinion: int = Field(default=100, gt=0)
    """Words of the author's view and the impact."""
    max_repeated: float = Field(default=0.15, ge=0)
    """Share of sentences that repeat an earlier one."""


class Score(FrozenModel):
    """The result of one item."""

    item: str
    trouble: str | None = None
    """Why there is no article."""
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """`severity kind` of each, without notes."""
    blocked: bool = False
    words: int = 0
    """Words of the whole article."""
    ratio: float = 0.0
    """Words of overview and sections per word of the source."""
    repeated: float = 0.0
    """Share of the article's sentences that repeat an earlier one."""
    runs: float = 0.0
    """Share of the article's runs of five words that occur before."""
    usage: TokenUsage = TokenUsage()
    micros: int | None = None
    """Cost of the answer, in micros (1e-6 US dollars); None when it is not known."""
    body: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether the article exists, meets its expectation and has no blocking finding."""
        return not (self.trouble or self.missing or self.forbidden or self.blocked)


class EvaluatedArticle(NamedTuple):
    """An article with what the evaluation measured about it."""

    article: Article
    body: str
    """The rendered Markdown."""
    findings: Sequence[Finding]
    usage: TokenUsage
    micros: int | None
    """Cost of the answer; None when it is not known."""


def score(item: str, source_text: str, expectation: Expectation, evaluated: EvaluatedArticle) -> Score:
    """Return the score of an article about the item with this key."""
    article = evaluated.article
    text, opinion = " ".join(text_of(article).split()), " ".join((article.from_author, *article.impact))
    words, opinion_words = _count_words(text), _count_words(opinion)
    ratio = (words - opinion_words) / max(1, _count_words(source_text))
    repeated = repeated_sentences(article)
    serious = [finding for finding in evaluated.findings if finding.severity is not Severity.NOTE]
    return Score(
        item=item,
        missing=tuple(pattern for pattern in expectation.must if not _match(pattern, text)),
        forbidden=(
            *_forbidden(expectation, f"{article.title} {article.description} {text}", opinion),
            *_over_limits(expectation, ratio, opinion_words, repeated),
            *_wrong_labels(expectation, article),
        ),
        findings=tuple(f"{finding.severity} {finding.kind}" for finding in serious),
        blocked=any(finding.severity is Severity.BLOCK for finding in serious),
        words=words,
        ratio=ratio,
        repeated=repeated,
        runs=repeated_runs(text),
        usage=evaluated.usage,
        micros=evaluated.micros,
        body=evaluated.body,
    )


def text_of(article: Article) -> str:
    """Return the parts of an article's body that a model wrote, a paragraph each."""
    sections = [part for section in article.sections for part in (f"{section.heading}.", section.body)]
    return "\n\n".join((article.overview, *sections, article.from_author, *article.impact))


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return the case-insensitive pattern of a phrase, or of a regular expression between slashes.

    A phrase matches whole: `19%` is not in `119%`, nor `4` in `4.5`. Raises re.error.
    """
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return re.compile(pattern[1:-1], re.IGNORECASE)
    phrase = r"\s+".join(map(re.escape, pattern.split()))
    return re.compile(rf"(?<!\w)(?<!\d[.,]){phrase}(?!\w)(?![.,]\d)", re.IGNORECASE)


def repeated_sentences(article: Article) -> float:
    """Return the share of sentences with most of their content words in one earlier sentence."""
    word_sets = [words for sentence in sentences(text_of(article)) if (words := _content_words(sentence))]
    repeated = sum(
        any(len(words & earlier) >= _REPEATED_SHARE * len(words) for earlier in word_sets[:index])
        for index, words in enumerate(word_sets)
        if len(words) > 2
    )
    return repeated / len(word_sets) if word_sets else 0.0


def repeated_runs(text: str) -> float:
    """Return the share of a text's runs of five words that occur before in the text."""
    words = [word.lower() for word in _WORD.findall(text)]
    runs = Counter(tuple(words[start : start + _RUN_WORDS]) for start in range(len(words) - _RUN_WORDS + 1))
    return (runs.total() - len(runs)) / runs.total() if runs else 0.0


def _forbidden(expectation: Expectation, text: str, opinion: str) -> list[str]:
    in_text = [f'"{match}"' for pattern in expectation.must_not if (match := _match(pattern, text))]
    in_opinion = [match for pattern in expectation.opinion_must_not if (match := _match(pattern, opinion))]
    return in_text + [f'"{match}" in the opinion' for match in in_opinion]


def _over_limits(expectation: Expectation, ratio: float, opinion_words: int, repeated: float) -> list[str]:
    reasons = []
    if ratio > expectation.max_ratio:
        reasons.append(f"{ratio:.1f} times the source's length, at most {expectation.max_ratio:g}")
    if opinion_words > expectation.max_opinion:
        reasons.append(f"{opinion_words} words of opinion, at most {expectation.max_opinion}")
    if repeated > expectation.max_repeated:
        reasons.append(f"{repeated:.0%} of its sentences said twice, at most {expectation.max_repeated:.0%}")
    return reasons


def _wrong_labels(expectation: Expectation, article: Article) -> list[str]:
    reasons = []
    if expectation.category and article.category not in expectation.category:
        reasons.append(f"category {article.category}")
    if expectation.sentiment and article.sentiment not in expectation.sentiment:
        reasons.append(f"sentiment {article.sentiment}")
    return reasons


def _count_words(text: str) -> int:
    return len(_WORD.findall(text))


def _match(pattern: str, text: str) -> str:
    match = compile_pattern(pattern).search(text)
    return match[0] if match else ""


def _content_words(sentence: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(sentence))
    return {word[:7] for word in words if len(word) >= _MIN_LETTERS or word[0].isdigit()}


def pair_scores(scores: Sequence[Score], others: Sequence[Score]) -> list[tuple[Score, Score | None]]:
    """Return each score with the score of the same item in the other set."""
    by_item = {score_.item: score_ for score_ in others}
    return [(score_, by_item.get(score_.item)) for score_ in scores]
