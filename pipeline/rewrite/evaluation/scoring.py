"""What an article is worth, measured against what its item asks for. Pure: answers and findings come in."""

import re
from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from pipeline.domain.models import Article, Finding, FrozenModel, Sentiment, Severity, TokenUsage
from pipeline.domain.text import sentences

_WORD = re.compile(r"[^\W_]+(?:[.,:’'-][^\W_]+)*")
_RUN = 5
"""Words in a row that are compared."""
_TELLING = 4
"""Letters of a word that says something; figures always do."""
_SAID = 0.5
"""Part of a sentence's telling words which, standing in one earlier sentence, makes it a repetition."""


class Expectation(FrozenModel):
    """What must and must not be in an article: a phrase, or a regular expression between slashes."""

    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    opinion_must_not: tuple[str, ...] = ()
    """Looked for in the author's view and the impact alone."""
    category: tuple[str, ...] = ()
    """Any of them will do; empty: any."""
    sentiment: tuple[Sentiment, ...] = ()
    max_ratio: float = Field(default=1.0, gt=0)
    """Words of overview and sections for each word of the source."""
    max_opinion: int = Field(default=100, gt=0)
    """Words of the author's view and the impact."""
    max_repeated: float = Field(default=0.15, ge=0)
    """Share of sentences that say what an earlier one said."""


class Score(FrozenModel):
    """What became of one item."""

    item: str
    trouble: str | None = None
    """Why there is no article."""
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    """`severity kind` of each, notes left out."""
    blocked: bool = False
    words: int = 0
    """All of them."""
    ratio: float = 0.0
    """Words of overview and sections for each word of the source."""
    repeated: float = 0.0
    """Share of the article's sentences that say what an earlier one said."""
    runs: float = 0.0
    """Share of its runs of five words that stood in it before."""
    usage: TokenUsage = TokenUsage()
    micros: int | None = None
    """What the answer cost, in millionths of a US dollar; None where that is not known."""
    body: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether there is an article with all that must be in it, and nothing that must not."""
        return not (self.trouble or self.missing or self.forbidden or self.blocked)


def score(
    item: str,
    source_text: str,
    wanted: Expectation,
    article: Article,
    body: str,
    findings: Sequence[Finding],
    usage: TokenUsage,
    micros: int | None,
) -> Score:
    """Return what an article is worth."""
    told, opinion = " ".join(text_of(article).split()), " ".join((article.from_author, *article.impact))
    words, said = _count(told), _count(opinion)
    ratio = (words - said) / max(1, _count(source_text))
    repeated = repeated_sentences(article)
    serious = [one for one in findings if one.severity is not Severity.NOTE]
    return Score(
        item=item,
        missing=tuple(one for one in wanted.must if not _found(one, told)),
        forbidden=(
            *_forbidden(wanted, told, opinion),
            *_too_much(wanted, ratio, said, repeated),
            *_misjudged(wanted, article),
        ),
        findings=tuple(f"{one.severity} {one.kind}" for one in serious),
        blocked=any(one.severity is Severity.BLOCK for one in serious),
        words=words,
        ratio=ratio,
        repeated=repeated,
        runs=repeated_runs(told),
        usage=usage,
        micros=micros,
        body=body,
    )


def text_of(article: Article) -> str:
    """Return what a model wrote of an article, a paragraph each."""
    sections = [part for section in article.sections for part in (f"{section.heading}.", section.body)]
    return "\n\n".join((article.overview, *sections, article.from_author, *article.impact))


def compiled(pattern: str) -> re.Pattern[str]:
    """Return what a phrase, or an expression between slashes, is looked for with, in any case.

    A phrase is found whole: `19%` is not in `119%`, nor `4` in `4.5`. Raises re.error.
    """
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return re.compile(pattern[1:-1], re.IGNORECASE)
    phrase = r"\s+".join(map(re.escape, pattern.split()))
    return re.compile(rf"(?<!\w)(?<!\d[.,]){phrase}(?!\w)(?![.,]\d)", re.IGNORECASE)


def repeated_sentences(article: Article) -> float:
    """Return the share of sentences of which most telling words stood in one earlier sentence."""
    told = [words for one in sentences(text_of(article)) if (words := _telling(one))]
    again = sum(
        any(len(words & earlier) >= _SAID * len(words) for earlier in told[:place])
        for place, words in enumerate(told)
        if len(words) > 2
    )
    return again / len(told) if told else 0.0


def repeated_runs(text: str) -> float:
    """Return the share of a text's runs of five words that stood in it before."""
    words = [word.lower() for word in _WORD.findall(text)]
    runs = Counter(tuple(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1))
    return (runs.total() - len(runs)) / runs.total() if runs else 0.0


def _forbidden(wanted: Expectation, told: str, opinion: str) -> list[str]:
    found = [f'"{shown}"' for one in wanted.must_not if (shown := _found(one, told))]
    mine = [shown for one in wanted.opinion_must_not if (shown := _found(one, opinion))]
    return found + [f'"{shown}" in the opinion' for shown in mine]


def _too_much(wanted: Expectation, ratio: float, said: int, repeated: float) -> list[str]:
    found = []
    if ratio > wanted.max_ratio:
        found.append(f"{ratio:.1f} times the source's length, at most {wanted.max_ratio:g}")
    if said > wanted.max_opinion:
        found.append(f"{said} words of opinion, at most {wanted.max_opinion}")
    if repeated > wanted.max_repeated:
        found.append(f"{repeated:.0%} of its sentences said twice, at most {wanted.max_repeated:.0%}")
    return found


def _misjudged(wanted: Expectation, article: Article) -> list[str]:
    judged = []
    if wanted.category and article.category not in wanted.category:
        judged.append(f"category {article.category}")
    if wanted.sentiment and article.sentiment not in wanted.sentiment:
        judged.append(f"sentiment {article.sentiment}")
    return judged


def _count(text: str) -> int:
    return len(_WORD.findall(text))


def _found(pattern: str, text: str) -> str:
    found = compiled(pattern).search(text)
    return found[0] if found else ""


def _telling(sentence: str) -> set[str]:
    words = (word.lower() for word in _WORD.findall(sentence))
    return {word[:7] for word in words if len(word) >= _TELLING or word[0].isdigit()}


def changed(scores: Sequence[Score], others: Sequence[Score]) -> list[tuple[Score, Score | None]]:
    """Return each score beside the same item's among others."""
    by_item = {one.item: one for one in others}
    return [(one, by_item.get(one.item)) for one in scores]
