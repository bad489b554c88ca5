"""Checks the named entities of a draft: finding `name` is one that its source does not have."""

from collections.abc import Iterator, Sequence

from pipeline.checks.names.certainty import is_certain
from pipeline.checks.names.extract import extract_names
from pipeline.checks.names.lexicon import name_lexicon
from pipeline.checks.names.parts import NamePart
from pipeline.checks.names.source import names_of_source
from pipeline.checks.names.suggest import NameSuggestions
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "name"
_MAX_POSITIONS = 50
"""Positions of a name's first word that are compared: keeps the work linear. Chosen, not measured."""


def check_names(case: CheckInput) -> list[Finding]:
    """Return a finding for each name, or part of a name, that the source does not have.

    Block; warn where it is not certain that the name is another one (see `is_certain`). Words are compared
    exactly, except for case, accents and endings: Johnson is not Johnston.
    """
    lexicon, source_names = name_lexicon(case.language), names_of_source(case.source, case.language)
    if lexicon is None or source_names is None:
        message = f'Names are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    suggestions = NameSuggestions(case)
    lowercase_words = {word.text for word in case.draft.words if word.text.islower()}
    findings = []
    for name in extract_names(case.draft, case.language, lexicon):
        parts = (
            part for part in name.parts if not (part.is_sentence_start and part.folded in lowercase_words)
        )
        absent = [
            part
            for part in parts
            if not (source_names.has(part, name.run) or source_names.has_kind(part, name.run))
        ]
        for span in _spans(absent, case.draft.text, lexicon.small):
            suggestion = suggestions.suggest(span[0], name.parts) if len(span) == 1 else ""
            certain = is_certain(span, name, suggestion, source_names, suggestions, lexicon)
            evidence = suggestions.evidence(suggestion) if suggestion else ()
            findings.append(_finding(case, span, suggestion, evidence, certain=certain))
    return findings


def _spans(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[list[NamePart]]:
    """Yield the words of each run of neighbouring words ("Isle of Wight")."""
    span: list[NamePart] = []
    for part in parts:
        if span and not small.issuperset(text[span[-1].end : part.start].split()):
            yield span
            span = []
        span.append(part)
    if span:
        yield span


def _finding(
    case: CheckInput,
    span: list[NamePart],
    suggestion: str,
    evidence: tuple[tuple[int, int], ...],
    *,
    certain: bool,
) -> Finding:
    start, end = span[0].start, span[-1].end
    return Finding(
        kind=KIND,
        severity=Severity.BLOCK if certain else Severity.WARN,
        message=f'"{case.draft.text[start:end]}" is not in the source.',
        span=(start, end),
        evidence=evidence,
        suggestion=suggestion,
    )


def trace_names(case: CheckInput) -> list[SupportedClaim]:
    """Return the names of a draft that are in the source, in full or by their last word, with their spans."""
    lexicon = name_lexicon(case.language)
    if lexicon is None:
        return []
    supported = []
    for name, _run in extract_names(case.draft, case.language, lexicon):
        evidence = list(_full_matches(case.source, name)) or list(_last_word_matches(case.source, name))
        if evidence:
            span = name[0].start, name[-1].end
            supported.append(SupportedClaim(KIND, span, tuple(evidence[:MAX_EVIDENCE])))
    return supported


def _full_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield the spans of all words of a name in order."""
    query = [_without_possessive(part.folded) for part in name]
    for first in source.positions.get(name[0].folded, ())[:_MAX_POSITIONS]:
        candidate = [_without_possessive(word) for word in source.folded[first : first + len(query)]]
        if candidate == query:
            yield source.words[first].start, source.words[first + len(query) - 1].end


def _last_word_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the last word: texts use the surname alone after the first mention."""
    word = _without_possessive(name[-1].folded)
    for at in (*source.positions.get(word, ()), *source.positions.get(f"{word}'s", ()))[:MAX_EVIDENCE]:
        yield source.words[at].start, source.words[at].end


def _without_possessive(word: str) -> str:
    return word.removesuffix("'s")
