"""Kind `opinion`: investment advice, and certainty about prices and the future, in sections of opinion.

Figures and names there are checked against the source, as everywhere: what the source has may be discussed.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from pipeline.checks.document import DraftDocument
from pipeline.checks.language_tables import A, W, any_of, language_table
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "opinion"
_FIGURE = re.compile(r"(?<![^\W_])\d+(?:[.,]\d+)*")
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_SENTENCE_CHARS = 240
"""Characters on either side of a phrase that are read as its sentence. Chosen, not measured."""
_HEDGE_CHARS = 80
"""Characters before a phrase in which a hedge ("may") is searched. Chosen, not measured."""
_VERB_CHARS = 12
"""Characters at the end of advice that have its verb. Chosen, not measured."""
_MAX_FINDINGS = 20
"""Per pattern and section. Chosen, not measured."""
_MAX_FUTURE_WORDS = 6
"""Words before a verb of the source among which is its "will" or "to". Chosen, not measured."""
_MAX_PLACES = 20
"""Places of a verb in the source that are compared. Chosen, not measured."""


class Phrases(NamedTuple):
    """A language's table `opinion.toml`."""

    advice: re.Pattern[str]
    advice_nouns: re.Pattern[str]
    """Advice without a verb, which a sentence may deny."""
    price_certainty: re.Pattern[str]
    """Blocks."""
    certainty: re.Pattern[str]
    """Warns."""
    future: re.Pattern[str]
    """A verb of the future; the group `verb` is what happens."""
    hedges: re.Pattern[str]
    """Before a phrase in its sentence."""
    modals: re.Pattern[str]
    """Anywhere in a sentence: it leaves open what will happen."""
    attributions: re.Pattern[str]
    """Anywhere in a sentence: it reports what somebody thinks."""
    ambiguous: re.Pattern[str]
    """A verb of advice that means other things as well."""
    denials: re.Pattern[str]
    assets: re.Pattern[str]
    """What is invested, and who invests it."""
    auxiliaries: frozenset[str]
    """Words before a verb in the source that put it into the future."""


@lru_cache(maxsize=32)
def _phrases(language: str) -> Phrases | None:
    table = language_table(language, "opinion")
    if table is None:
        return None
    lists = ("advice", "advice-nouns", "certain", "sure")
    advice, advice_nouns, price_certainty, certainty = (
        any_of(*(phrase.replace("{A}", A).replace("{W}", W) for phrase in table[name])) for name in lists
    )
    hedges, modals, attributions = (any_of(table[name]) for name in ("hedges", "modals", "attributions"))
    future, auxiliaries = any_of(*table["future"]), frozenset(table["auxiliaries"].split())
    single = {name: any_of(table[name]) for name in ("ambiguous", "denials", "assets")}
    return Phrases(
        advice=advice,
        advice_nouns=advice_nouns,
        price_certainty=price_certainty,
        certainty=certainty,
        future=future,
        hedges=hedges,
        modals=modals,
        attributions=attributions,
        auxiliaries=auxiliaries,
        **single,
    )


def check_opinion(document: DraftDocument, language: str, source: TokenizedText) -> list[Finding]:
    """Return findings about the sections of opinion, in the order of the document's text.

    In a language without a table only figures are checked, which another section or `source` must have.
    """
    if not document.opinion:
        return []
    phrases = _phrases(language)
    if phrases is None:
        message = f'Opinion is checked for figures alone: nothing is known of the language "{language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message), *_new_numbers(document, source)]
    findings = list(_advice_and_certainty(document, phrases, source))
    reported = [finding.span for finding in findings if finding.span]
    findings += (
        each for each in _certain_future(document, phrases, source) if not _overlaps(each.span, reported)
    )
    return sorted(findings, key=lambda finding: finding.span or (0, 0))


def states_no_certainty(sentence: str, language: str) -> bool:
    """Tell whether a sentence states neither the future nor a price as certain.

    False for a language without a table.
    """
    phrases = _phrases(language)
    return phrases is not None and not any(
        pattern.search(sentence) for pattern in (phrases.price_certainty, phrases.certainty, phrases.future)
    )


def _advice_and_certainty(
    document: DraftDocument, phrases: Phrases, source: TokenizedText
) -> Iterator[Finding]:
    """Yield advice and certainty; where matches overlap, only the most severe one.

    Quoted words are their speaker's, and what a sentence attributes to somebody warns at most. Advice of
    others whose verb the source has may be reported.
    """
    advice = "This tells readers what to do with their money: remove it."
    price = "This states a future price as certain: say that it may happen."
    kinds = (
        (phrases.advice, Severity.BLOCK, advice),
        (phrases.advice_nouns, Severity.BLOCK, advice),
        (phrases.price_certainty, Severity.BLOCK, price),
        (phrases.certainty, Severity.WARN, "This states as certain what is not: say that it may happen."),
    )
    reported: list[tuple[int, int]] = []
    for pattern, severity, message in kinds:
        for section in document.opinion:
            for match in islice(pattern.finditer(document.text, section.start, section.end), _MAX_FINDINGS):
                sentence = _sentence_around(document, *match.span())
                if _is_open(document, match, sentence, phrases):
                    continue
                if document.is_quoted(match.start()) or _overlaps(match.span(), reported):
                    continue
                attributed = phrases.attributions.search(sentence)
                last_word = match[0].split()[-1].casefold()
                if attributed and (severity is Severity.WARN or source.positions.get(last_word)):
                    continue
                reported.append(match.span())
                actual = Severity.WARN if attributed else severity
                yield Finding(kind=KIND, severity=actual, message=message, span=match.span())


def _is_open(document: DraftDocument, match: re.Match[str], sentence: str, phrases: Phrases) -> bool:
    """Tell whether a match is denied, hedged or of another meaning in its sentence."""
    if match.re is phrases.advice:
        is_ambiguous = phrases.ambiguous.search(match[0][-_VERB_CHARS:])
        return bool(is_ambiguous) and not phrases.assets.search(sentence)
    if match.re is phrases.advice_nouns:
        return phrases.denials.search(sentence) is not None
    return bool(phrases.modals.search(sentence)) or _is_hedged(document, match.start(), phrases)


def _certain_future(document: DraftDocument, phrases: Phrases, source: TokenizedText) -> Iterator[Finding]:
    """Yield statements about the future in the section of impact that nothing leaves open.

    What the source says of the future itself may be repeated.
    """
    message = "This states the future as certain: say that it may happen."
    impact = document.beat.headings.impact.casefold()
    for section in (each for each in document.opinion if each.heading.casefold() == impact):
        for match in islice(
            phrases.future.finditer(document.text, section.start, section.end), _MAX_FINDINGS
        ):
            sentence = _sentence_around(document, *match.span())
            is_question = sentence.rstrip().endswith("?")
            if is_question or phrases.modals.search(sentence) or phrases.attributions.search(sentence):
                continue
            if document.is_quoted(match.start()) or _tells_future(source, match["verb"], phrases):
                continue
            yield Finding(kind=KIND, severity=Severity.WARN, message=message, span=match.span())


def _tells_future(source: TokenizedText, verb: str, phrases: Phrases) -> bool:
    """Tell whether the source has a verb in the future itself."""
    for at in source.positions.get(verb.casefold(), ())[:_MAX_PLACES]:
        before = source.folded[max(0, at - _MAX_FUTURE_WORDS) : at]
        if not phrases.auxiliaries or phrases.auxiliaries & set(before):
            return True
    return False


def _overlaps(span: tuple[int, int] | None, spans: Iterable[tuple[int, int]]) -> bool:
    return span is not None and any(span[0] < end and start < span[1] for start, end in spans)


def _sentence_around(document: DraftDocument, start: int, end: int) -> str:
    """Return the sentence of a span, cut to `_SENTENCE_CHARS` on either side."""
    text = document.text
    before = _SENTENCE_END.split(text[max(0, start - _SENTENCE_CHARS) : start])[-1]
    behind = text[end : end + _SENTENCE_CHARS]
    stop = _SENTENCE_END.search(behind)
    return before + text[start:end] + (behind[: stop.end()] if stop else behind)


def _is_hedged(document: DraftDocument, position: int, phrases: Phrases) -> bool:
    """Tell whether a hedge precedes a position in its sentence."""
    before = document.text[max(0, position - _HEDGE_CHARS) : position]
    return phrases.hedges.search(_SENTENCE_END.split(before)[-1]) is not None


def _new_numbers(document: DraftDocument, source: TokenizedText) -> list[Finding]:
    """Return a warning for each figure of an opinion that no other section and not the source has."""
    facts = (*_fact_texts(document), source.text)
    existing = {_normalize(figure) for text in facts for figure in _FIGURE.findall(text)}
    new = (
        _new_fact(match)
        for section in document.opinion
        for match in _FIGURE.finditer(document.text, section.start, section.end)
        if _normalize(match[0]) not in existing
    )
    return list(islice(new, _MAX_FINDINGS))


def _fact_texts(document: DraftDocument) -> Iterator[str]:
    """Yield the text outside the sections of opinion."""
    done = 0
    for section in document.opinion:
        yield document.text[done : section.line]
        done = section.end
    yield document.text[done:]


def _normalize(figure: str) -> str:
    return figure.replace(",", "").removesuffix(".0")


def _new_fact(match: re.Match[str]) -> Finding:
    message = f'"{match[0]}" is neither in the source nor in another section: remove it from the opinion.'
    return Finding(kind=KIND, severity=Severity.WARN, message=message, span=match.span())
