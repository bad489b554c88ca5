"""Kind `opinion`: new facts, investment advice and certainty about prices in sections of opinion."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import NamedTuple

from pipeline.checks.document import DraftDocument, Section
from pipeline.checks.language_tables import A, W, any_of, language_table
from pipeline.checks.tokens import TokenizedText, Word
from pipeline.domain.reviews import Finding, Severity

KIND = "opinion"
_FIGURE = re.compile(r"(?<![^\W_])\d+(?:[.,]\d+)*")
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_HEDGE_CHARS = 80
"""Characters before a phrase in which a hedge ("may") is searched. Chosen, not measured."""
_MAX_FINDINGS = 20
"""Per pattern and section, or per kind of new fact. Chosen, not measured."""


class Phrases(NamedTuple):
    """A language's table `opinion.toml`."""

    advice: re.Pattern[str]
    price_certainty: re.Pattern[str]
    """Blocks."""
    certainty: re.Pattern[str]
    """Warns."""
    hedges: re.Pattern[str]
    non_names: frozenset[str]
    """Words that may be capitalised without being a name."""
    nouns_capitalised: bool


@lru_cache(maxsize=32)
def _phrases(language: str) -> Phrases | None:
    table = language_table(language, "opinion")
    if table is None:
        return None
    advice, price_certainty, certainty = (
        any_of(*(phrase.replace("{A}", A).replace("{W}", W) for phrase in table[name]))
        for name in ("advice", "certain", "sure")
    )
    hedges, non_names = any_of(table["hedges"]), frozenset(table["unnamed"].split())
    return Phrases(advice, price_certainty, certainty, hedges, non_names, table["nouns_capitalised"])


def check_opinion(document: DraftDocument, language: str, source_title: str = "") -> list[Finding]:
    """Return findings about the sections of opinion, in the order of the document's text.

    A figure or a name there must be in another section or in `source_title`.
    """
    if not document.opinion:
        return []
    phrases, new_numbers = _phrases(language), _new_numbers(document, source_title)
    if phrases is None:
        message = f'Opinion is checked for figures alone: nothing is known of the language "{language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message), *new_numbers]
    names = _new_names(document, source_title, phrases)
    findings = [*new_numbers, *names, *_advice_and_certainty(document, phrases)]
    return sorted(findings, key=lambda finding: finding.span or (0, 0))


def _advice_and_certainty(document: DraftDocument, phrases: Phrases) -> Iterator[Finding]:
    """Yield advice and certainty; where matches overlap, only the most severe one."""
    price = "This states a future price as certain: say that it may happen."
    kinds = (
        (phrases.advice, Severity.BLOCK, "This tells readers what to do with their money: remove it."),
        (phrases.price_certainty, Severity.BLOCK, price),
        (phrases.certainty, Severity.WARN, "This states as certain what is not: say that it may happen."),
    )
    reported: list[tuple[int, int]] = []
    for pattern, severity, message in kinds:
        for section in document.opinion:
            for match in islice(pattern.finditer(document.text, section.body, section.end), _MAX_FINDINGS):
                hedged = pattern is not phrases.advice and _is_hedged(document, match.start(), phrases)
                if not hedged and not _overlaps(match, reported):
                    reported.append(match.span())
                    yield Finding(kind=KIND, severity=severity, message=message, span=match.span())


def _overlaps(match: re.Match[str], spans: Iterable[tuple[int, int]]) -> bool:
    return any(match.start() < end and start < match.end() for start, end in spans)


def _is_hedged(document: DraftDocument, position: int, phrases: Phrases) -> bool:
    """Tell whether a hedge precedes a position in its sentence."""
    before = document.text[max(0, position - _HEDGE_CHARS) : position]
    return phrases.hedges.search(_SENTENCE_END.split(before)[-1]) is not None


def _new_numbers(document: DraftDocument, source_title: str) -> list[Finding]:
    facts = (*_fact_texts(document), source_title)
    existing = {_normalize(figure) for text in facts for figure in _FIGURE.findall(text)}
    new = (
        _new_fact(match[0], match.span())
        for section in document.opinion
        for match in _FIGURE.finditer(document.text, section.body, section.end)
        if _normalize(match[0]) not in existing
    )
    return list(islice(new, _MAX_FINDINGS))


def _new_names(document: DraftDocument, source_title: str, phrases: Phrases) -> list[Finding]:
    context = " ".join((source_title, document.beat.market, document.beat.impact, *document.beat.vocabulary))
    words = {*TokenizedText(context).folded, *_fact_words(document)}
    existing = {_stem(word) for word in words}
    new = (
        _new_fact(document.text[run[0].start : run[-1].end], (run[0].start, run[-1].end))
        for section in document.opinion
        for run in _name_runs(document, section, phrases)
        if any(_stem(word.folded) not in existing for word in run)
    )
    return list(islice(new, _MAX_FINDINGS))


def _name_runs(document: DraftDocument, section: Section, phrases: Phrases) -> Iterator[list[Word]]:
    """Yield names: runs of capitalised words, without the first word of a sentence."""
    tokens = document.tokens
    inside = [place for place in tokens.sentences if section.body <= place[0] < section.end]
    starts = {tokens.between(*place)[0] for place in inside}
    words = range(*tokens.between(section.body, section.end))
    for is_name, group in groupby(words, lambda at: at not in starts and _is_name(document, at, phrases)):
        run = [tokens.words[at] for at in group]
        is_certain = not phrases.nouns_capitalised or len(run) > 1 or run[0].text[1:2].isupper()
        if is_name and is_certain:
            yield run


def _is_name(document: DraftDocument, at: int, phrases: Phrases) -> bool:
    word = document.tokens.words[at]
    return word.text[0].isupper() and word.folded not in phrases.non_names


def _fact_texts(document: DraftDocument) -> Iterator[str]:
    """Yield the text outside the sections of opinion."""
    done = 0
    for section in document.opinion:
        yield document.text[done : section.start]
        done = section.end
    yield document.text[done:]


def _fact_words(document: DraftDocument) -> Iterator[str]:
    done = 0
    for section in document.opinion:
        first, behind = document.tokens.between(section.start, section.end)
        yield from document.tokens.folded[done:first]
        done = behind
    yield from document.tokens.folded[done:]


def _normalize(figure: str) -> str:
    return figure.replace(",", "").removesuffix(".0")


def _stem(word: str) -> str:
    return word.removesuffix("'s").removesuffix("s")


def _new_fact(shown: str, span: tuple[int, int]) -> Finding:
    message = f'"{shown}" is in no other section: add it to one, or remove it from the opinion.'
    return Finding(kind=KIND, severity=Severity.WARN, message=message, span=span)
