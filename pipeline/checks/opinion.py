"""Kind `opinion`: new facts, advice and certainty of prices in the author's view and the impact."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from pipeline.checks.document import DraftDocument, Section
from pipeline.checks.languages import A, W, any_of, language_table
from pipeline.checks.tokens import TokenizedText, Word
from pipeline.domain.reviews import Finding, Severity

KIND = "opinion"
_FIGURE = re.compile(r"(?<![^\W_])\d+(?:[.,]\d+)*")
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_NEAR = 80
"""Characters before a phrase in which its sentence may leave open what it says."""
_MOST = 20


class Phrases(NamedTuple):
    """What a language's table says."""

    advice: re.Pattern[str]
    certain: re.Pattern[str]
    sure: re.Pattern[str]
    hedges: re.Pattern[str]
    unnamed: frozenset[str]
    nouns_capitalised: bool


@lru_cache(maxsize=32)
def _phrases(language: str) -> Phrases | None:
    told = language_table(language, "opinion")
    if told is None:
        return None
    advice, certain, sure = (
        any_of(*(phrase.replace("{A}", A).replace("{W}", W) for phrase in told[name]))
        for name in ("advice", "certain", "sure")
    )
    hedges = any_of(told["hedges"])
    return Phrases(
        advice, certain, sure, hedges, frozenset(told["unnamed"].split()), told["nouns_capitalised"]
    )


def check_opinion(page: DraftDocument, language: str, besides: str = "") -> list[Finding]:
    """Return findings about the sections of opinion, in the order of the page's text.

    What they tell has to stand in the other sections; names may stand in `besides`, the source's title.
    """
    if not page.opinion:
        return []
    phrases = _phrases(language)
    if phrases is None:
        said = f'Opinion is checked for figures alone: nothing is known of the language "{language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said), *_figures(page, besides)]
    found = [*_figures(page, besides), *_names(page, besides, phrases), *_said(page, phrases)]
    return sorted(found, key=lambda finding: finding.span or (0, 0))


def _said(page: DraftDocument, phrases: Phrases) -> Iterator[Finding]:
    """Yield advice and certainty; a place counts for the worst that it is."""
    kinds = (
        (phrases.advice, Severity.BLOCK, "This tells readers what to do with their money: remove it."),
        (phrases.certain, Severity.BLOCK, "Nobody knows what prices will do: say that it may happen."),
        (phrases.sure, Severity.WARN, "This sounds certain of what is not: say that it may happen."),
    )
    done: list[tuple[int, int]] = []
    for pattern, severity, said in kinds:
        for section in page.opinion:
            for found in islice(pattern.finditer(page.text, section.body, section.end), _MOST):
                hedged = pattern is not phrases.advice and _is_hedged(page, found.start(), phrases)
                if not hedged and not any(found.start() < end and start < found.end() for start, end in done):
                    done.append(found.span())
                    yield Finding(kind=KIND, severity=severity, message=said, span=found.span())


def _is_hedged(page: DraftDocument, at: int, phrases: Phrases) -> bool:
    """Tell whether a sentence has left open, before a place, what it says there."""
    before = page.text[max(0, at - _NEAR) : at]
    return phrases.hedges.search(_SENTENCE_END.split(before)[-1]) is not None


def _figures(page: DraftDocument, besides: str) -> list[Finding]:
    known = {_plain(figure) for text in (*_facts(page), besides) for figure in _FIGURE.findall(text)}
    new = (
        _new(found[0], found.span())
        for section in page.opinion
        for found in _FIGURE.finditer(page.text, section.body, section.end)
        if _plain(found[0]) not in known
    )
    return list(islice(new, _MOST))


def _names(page: DraftDocument, besides: str, phrases: Phrases) -> list[Finding]:
    told = " ".join((besides, page.beat.market, page.beat.impact, *page.beat.vocabulary))
    words = {*TokenizedText(told).folded, *_fact_words(page)}
    known = {_stem(word) for word in words}
    new = (
        _new(page.text[run[0].start : run[-1].end], (run[0].start, run[-1].end))
        for section in page.opinion
        for run in _runs(page, section, phrases)
        if any(_stem(word.folded) not in known for word in run)
    )
    return list(islice(new, _MOST))


def _runs(page: DraftDocument, section: Section, phrases: Phrases) -> Iterator[list[Word]]:
    """Yield names as far as capitals tell: runs of capitalised words, a sentence's first one left out."""
    reading = page.reading
    inside = [place for place in reading.sentences if section.body <= place[0] < section.end]
    starts = {reading.between(*place)[0] for place in inside}
    words = range(*reading.between(section.body, section.end))
    for named, group in groupby(words, lambda at: at not in starts and _is_name(page, at, phrases)):
        run = [reading.words[at] for at in group]
        telling = not phrases.nouns_capitalised or len(run) > 1 or run[0].text[1:2].isupper()
        if named and telling:
            yield run


def _is_name(page: DraftDocument, at: int, phrases: Phrases) -> bool:
    word = page.reading.words[at]
    return word.text[0].isupper() and word.folded not in phrases.unnamed


def _facts(page: DraftDocument) -> Iterator[str]:
    """Yield the texts that tell facts: all that is no opinion."""
    done = 0
    for section in page.opinion:
        yield page.text[done : section.start]
        done = section.end
    yield page.text[done:]


def _fact_words(page: DraftDocument) -> Iterator[str]:
    done = 0
    for section in page.opinion:
        first, behind = page.reading.between(section.start, section.end)
        yield from page.reading.folded[done:first]
        done = behind
    yield from page.reading.folded[done:]


def _plain(figure: str) -> str:
    return figure.replace(",", "").removesuffix(".0")


def _stem(word: str) -> str:
    return word.removesuffix("'s").removesuffix("s")


def _new(shown: str, span: tuple[int, int]) -> Finding:
    said = f'"{shown}" stands in no section before: tell it there, or leave it out of the opinion.'
    return Finding(kind=KIND, severity=Severity.WARN, message=said, span=span)
