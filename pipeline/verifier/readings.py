"""Readings of sentences: made from a confirmed answer, turned into findings about any later text. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from pipeline.checks.quotations.match import SourceWords, quote_fragments
from pipeline.checks.runner import join_places
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import CheckLevels, Source
from pipeline.domain.readings import SentenceObjection, SentenceReading, Span
from pipeline.domain.reviews import Finding, Place, Severity, claim_key
from pipeline.domain.text import one_line, truncate
from pipeline.verifier.confirm import Confirmation, ConfirmedObjection
from pipeline.verifier.findings import KIND, join_findings
from pipeline.verifier.numbered_draft import NumberedDraft
from pipeline.verifier.objections import ErrorKind
from pipeline.verifier.question import Question
from pipeline.verifier.source_evidence import MIN_CONTENT_CHARS, Quotation, find_pieces, shown_pieces

_MAX_QUOTED_CHARS = 240
"""Of a quotation in a message. Chosen, not measured."""
_MIN_CLEAR_WORDS = 3
"""Words of a quotation for which code may block, as the prompt asks for. Chosen, not measured."""


def sentence_readings(
    question: Question, confirmation: Confirmation, model: str, profile: str
) -> list[SentenceReading]:
    """Return a reading of each sentence that was asked about; none where the second reader is left out."""
    if confirmation.left_out:
        return []
    draft, source = question.draft, question.source.item.content_hash
    return [
        SentenceReading(
            field=sentence.field,
            text=draft.raw_text_of(sentence),
            source=source,
            model=model,
            profile=profile,
            passed=sentence.number in confirmation.passed,
            objections=tuple(
                _stored(draft, each) for each in confirmation.confirmed if each.sentence == sentence
            ),
        )
        for sentence in draft.sentences
        if sentence.number in question.numbers
    ]


def _stored(draft: NumberedDraft, objection: ConfirmedObjection) -> SentenceObjection:
    start = draft.span_of(objection.sentence)[0]
    quotation, fix = objection.quotation, objection.fix
    return SentenceObjection(
        error=objection.error.value,
        span=(objection.span[0] - start, objection.span[1] - start),
        quotation=quotation.text if quotation else "",
        evidence=quotation.spans if quotation else (),
        is_clear=quotation is not None and _is_clear(quotation, draft.text_of(objection.sentence)),
        fix=fix.text if fix else None,
    )


def _is_clear(quotation: Quotation, sentence: str) -> bool:
    """Tell whether a quotation is long enough, and about the same as the sentence, for code to block."""
    quoted = TokenizedText(quotation.text).words
    content = {word.folded for word in quoted if len(word.text) >= MIN_CONTENT_CHARS}
    same = content & {word.folded for word in TokenizedText(sentence).words}
    return len(quoted) >= _MIN_CLEAR_WORDS and bool(same)


def unread_sentences(
    readings: Iterable[SentenceReading], draft: NumberedDraft, source: Source
) -> frozenset[int]:
    """Return the numbers of the sentences that were not held against this text of the source."""
    now = source.item.content_hash
    read = {(each.field, each.text) for each in readings if each.source == now}
    return frozenset(
        sentence.number
        for sentence in draft.sentences
        if (sentence.field, draft.raw_text_of(sentence)) not in read
    )


def read_findings(
    readings: Sequence[SentenceReading], draft: NumberedDraft, source: Source, levels: CheckLevels
) -> tuple[tuple[Finding, ...], frozenset[int]]:
    """Return the findings about the sentences of a text that were read, and the numbers of those that passed.

    Of a sentence that was only held against an earlier text of the source, contradictions stay whose
    quotation the source still has.
    """
    by_sentence = _by_sentence(readings, source)
    findings: list[Finding] = []
    passed = set()
    for sentence in draft.sentences:
        reading = by_sentence.get((sentence.field, draft.raw_text_of(sentence)))
        if reading is None:
            continue
        is_current = reading.source == source.item.content_hash
        if is_current and reading.passed:
            passed.add(sentence.number)
        start = draft.span_of(sentence)[0]
        findings += _findings(reading, start, source, levels, is_current=is_current)
    return join_places(findings), frozenset(passed)


def join_readings(
    code: Sequence[Finding],
    readings: Sequence[SentenceReading],
    draft: NumberedDraft,
    source: Source,
    levels: CheckLevels,
) -> tuple[Finding, ...]:
    """Return code's findings about a text joined with what the second reader said of its sentences."""
    sense, passed = read_findings(readings, draft, source, levels)
    return join_findings(code, sense, draft, passed)


def _by_sentence(
    readings: Sequence[SentenceReading], source: Source
) -> dict[tuple[Place, str], SentenceReading]:
    """Return the reading of each sentence that counts: against the present source, else the latest."""
    now = source.item.content_hash
    ordered = sorted(readings, key=lambda each: each.source == now)
    return {(each.field, each.text): each for each in ordered}


def _findings(
    reading: SentenceReading, start: int, source: Source, levels: CheckLevels, *, is_current: bool
) -> Iterator[Finding]:
    for each in reading.objections:
        severity = _severity(each, levels)
        evidence = _evidence(each, source)
        is_lost = each.evidence != () and not evidence
        if severity is None or is_lost or not (is_current or evidence):
            continue
        words = reading.text[slice(*each.span)]
        yield Finding(
            kind=KIND,
            severity=severity,
            message=_message(each),
            field=reading.field,
            span=(start + each.span[0], start + each.span[1]),
            evidence=evidence,
            key=claim_key(KIND, f"{words} -> {each.fix}", [each.quotation]),
            words_key=claim_key(KIND, words),
            suggestion=each.fix or "",
            removal=each.fix == "",
            shared=True,
            contradicted=each.error == ErrorKind.CONTRADICTED.value,
        )


def _message(objection: SentenceObjection) -> str:
    if objection.error == ErrorKind.NOT_STATED.value:
        return "The source does not say this."
    return f'The source says otherwise: "{truncate(one_line(objection.quotation), _MAX_QUOTED_CHARS)}".'


def _severity(objection: SentenceObjection, levels: CheckLevels) -> Severity | None:
    """Return the severity of an objection, None where the beat turns the kind off."""
    level = levels.sense or "warn"
    if level == "off":
        return None
    return Severity.WARN if level == "block" and not objection.is_clear else Severity(level)


def _evidence(objection: SentenceObjection, source: Source) -> tuple[Span, ...]:
    """Return where the source's text has the quotation now; nowhere if its title or metadata has it."""
    text = source.item.text
    if not objection.evidence:
        return ()
    if shown_pieces(text, objection.evidence) == objection.quotation:
        return objection.evidence
    return find_pieces(_source_words(text), quote_fragments(objection.quotation))


@lru_cache(maxsize=PREPARED)
def _source_words(text: str) -> SourceWords:
    return SourceWords(text)
