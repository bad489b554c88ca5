"""Checks figures, dates, names and quotations of a text against a source, and finds evidence for them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from pipeline.checks.dates import check_dates
from pipeline.checks.dates.extract import extract_dates
from pipeline.checks.document import DraftDocument
from pipeline.checks.names import check_names
from pipeline.checks.names.check import trace_names
from pipeline.checks.numbers import check_numbers
from pipeline.checks.numbers.check import trace_numbers
from pipeline.checks.pairs.check import check_pairs
from pipeline.checks.quotations.check import check_quotations, trace_quotations
from pipeline.checks.source_texts import tokenized
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding

Check = Callable[[CheckInput], Iterable[Finding]]

CLAIM_CHECKS: tuple[Check, ...] = (check_numbers, check_dates, check_names, check_quotations, check_pairs)


def check_text(
    source: str, text: str, *, language: str = "en", published: datetime | None = None
) -> list[Finding]:
    """Return findings about the claims of a plain text, in the order of the text; needs no beat and no item.

    Spans are characters of `text`, evidence characters of `source`. A claim that the source does not support
    blocks or warns. Notes: a claim that follows from the source (the evidence is what it follows from), and
    a kind of claim that is not checked in the language.
    """
    case = CheckInput(TokenizedText(text), tokenized(source), language, published)
    findings = (finding for check in CLAIM_CHECKS for finding in check(case))
    return sorted(findings, key=lambda finding: finding.span or (0, 0))


def trace_claims(source: Source, body: str, beat: Beat) -> list[SupportedClaim]:
    """Return the claims of a body that the source's text states itself, in the order of the body.

    Spans are characters of the body, evidence characters of the source's text. A claim that only follows
    from the source (a sum, other words of the same meaning) is not among them.
    """
    document = DraftDocument(body, beat)
    case = CheckInput(
        document.tokens, tokenized(source.item.text), source.language, source.item.published_local
    )
    return [claim._replace(span=document.span(*claim.span)) for claim in trace_text(case)]


def trace_text(case: CheckInput) -> list[SupportedClaim]:
    """Return the claims of a text that its source states itself, in order; spans are those of the tokens."""
    tracers = (trace_numbers, _trace_dates, trace_names, trace_quotations)
    claims = [claim for trace in tracers for claim in trace(case)]
    return _without_overlaps(sorted(claims, key=lambda claim: (claim.span[0], -claim.span[1])))


def _without_overlaps(claims: list[SupportedClaim]) -> list[SupportedClaim]:
    """Return claims that do not overlap: of two that do, the first one."""
    separate: list[SupportedClaim] = []
    for claim in claims:
        if not separate or claim.span[0] >= separate[-1].span[1]:
            separate.append(claim)
    return separate


def _trace_dates(case: CheckInput) -> Iterator[SupportedClaim]:
    """Yield the dates that the source has in the same words."""
    source = case.source.text.casefold()
    if len(source) != len(case.source.text):  # case folding made two letters of one: positions would be wrong
        source = case.source.text
    for mention in extract_dates(case.draft.text, case.language):
        if not mention.certain:
            continue
        phrase = case.draft.text[mention.start : mention.end].casefold()
        places: list[tuple[int, int]] = []
        position = source.find(phrase)
        while position >= 0 and len(places) < MAX_EVIDENCE:
            places.append((position, position + len(phrase)))
            position = source.find(phrase, position + len(phrase))
        if places:
            yield SupportedClaim("date", (mention.start, mention.end), tuple(places))
