"""Runs all checks of a draft: deduplication of findings, severities by beat, and finding keys. No I/O."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from pipeline.articles.corrections import article_part, is_retraction
from pipeline.checks.claims import CLAIM_CHECKS
from pipeline.checks.cut_off import check_cut_off
from pipeline.checks.document import DraftDocument
from pipeline.checks.front_matter import (
    as_alt_text,
    check_alt_text,
    check_front_matter,
    check_front_matter_text,
    check_own_title,
    front_matter_texts,
)
from pipeline.checks.injection.check import check_injection, check_origin
from pipeline.checks.opinion import KIND as OPINION
from pipeline.checks.opinion import check_opinion
from pipeline.checks.overlap import KIND as OVERLAP
from pipeline.checks.overlap import check_overlap
from pipeline.checks.pairs.check import KIND as PAIR
from pipeline.checks.prompt_examples import check_examples, note_examples
from pipeline.checks.source_texts import source_tokens
from pipeline.checks.structure import (
    check_artifacts,
    check_brief,
    check_length,
    check_repetition,
    check_structure,
)
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.models import Beat, CheckLevels, Source
from pipeline.domain.placeholders import brief_labels
from pipeline.domain.reviews import Finding, Front, Severity, claim_key

_CLAIM_RANK, _RANK_COUNT = 2, 4
_RANKS = {"brief": 0, "injection": 0, "form": 1, PAIR: 3, OPINION: 3, OVERLAP: 3}
"""Kinds by precedence, lower first; the kinds of claims have `_CLAIM_RANK`. Chosen, not measured."""


def deduplicate(findings: list[Finding]) -> list[Finding]:
    """Return findings without those of text that a kind of lower rank already blocks, or warns of as a claim.

    Text that is no article is no claim either, and an unsupported claim need not be new in an opinion as
    well. Overlap is always reported.
    """
    covered: dict[int, list[tuple[int, int]]] = {rank: [] for rank in range(_RANK_COUNT)}
    for finding in findings:
        is_serious = finding.severity is Severity.BLOCK or (
            finding.severity is Severity.WARN and _rank(finding) == _CLAIM_RANK
        )
        if finding.span and is_serious:
            for rank in range(_rank(finding) + 1, _RANK_COUNT):
                covered[rank].append(finding.span)
    merged = {rank: _merged(spans) for rank, spans in covered.items()}
    return [
        finding
        for finding in findings
        if finding.kind == OVERLAP or not _is_covered(finding, merged[_rank(finding)])
    ]


def _rank(finding: Finding) -> int:
    return _RANKS.get(finding.kind, _CLAIM_RANK)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of spans, in order and without overlaps."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_covered(finding: Finding, others: Sequence[tuple[int, int]]) -> bool:
    """Tell whether other spans cover half of a finding's characters or more."""
    if finding.span is None:
        return False
    start, end = finding.span
    nearby = others[max(0, bisect_right(others, (start, end)) - 1) : bisect_right(others, (end, end))]
    return any(2 * (min(end, behind) - max(start, begin)) >= end - start for begin, behind in nearby)


def apply_levels(findings: Iterable[Finding], checks: CheckLevels) -> list[Finding]:
    """Return findings with the severity that a beat sets for their kind, without kinds that are off.

    Notes stay notes.
    """
    adjusted = []
    for finding in findings:
        level = getattr(checks, finding.kind, None)
        if level is None or (level != "off" and finding.severity is Severity.NOTE):
            adjusted.append(finding)
        elif level != "off":
            adjusted.append(finding.model_copy(update={"severity": Severity(level)}))
    return adjusted


def finding_key(finding: Finding, text: str, source_text: str) -> str:
    """Return the key under which a finding is acknowledged, 16 hex digits; its span lies in `text`.

    The key depends on the kind, the words of the claim and those of the evidence, not on their position or
    white space. A finding without a span is keyed by its message.
    """
    evidence = (source_text[start:end] for start, end in finding.evidence)
    return claim_key(finding.kind, _claim(finding, text), evidence)


def with_key(finding: Finding, text: str, source_text: str) -> Finding:
    """Return a finding with its keys."""
    words_key = claim_key(finding.kind, _claim(finding, text))
    return finding.model_copy(update={"key": finding_key(finding, text, source_text), "words_key": words_key})


def _claim(finding: Finding, text: str) -> str:
    return text[slice(*finding.span)] if finding.span else finding.message


def run_checks(
    source: Source | None, body: str, beat: Beat, *, front: Front | None, sections: bool = True
) -> tuple[Finding, ...]:
    """Return the findings about a draft: those of the front matter, then those of the body in its order.

    `body` is Markdown. `front` is the result of `front_of` for the front matter above it, None where there
    is none. `source` is None if it was deleted; checks that need it are then skipped. `beat.checks` sets
    severities. `sections=False` skips the check of sections, for a text that Copydesk did not write. The
    section about corrections is left out, and so is the notice of a retraction.
    """
    if front and is_retraction(front.metadata, body):
        return ()
    body = article_part(front.metadata, body) if front else body
    text = source.item.text if source else ""
    tokens = source_tokens(source)
    document = DraftDocument(body, beat)
    language = source.language if source else ""
    safety = (*check_brief(document, front, language), *check_injection(source, document))
    form = (*check_structure(document), *_cut_off(document, language)) if sections else ()
    against_source = _check_body(source, tokens, document) if source else ()
    findings = apply_levels(deduplicate([*safety, *form, *against_source]), beat.checks)
    ordered = sorted(findings, key=lambda finding: finding.span or (0, 0))
    front_findings = _check_front(source, tokens, document, front) if front else ()
    return join_places([*front_findings, *(with_key(finding, body, text) for finding in ordered)])


def join_places(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with the same error in title, description and body as one, in the same order.

    The one is in the body if the error is there, else in the title; `also` has its other places. It says what
    the most severe of them says.
    """
    main: dict[str, int] = {}
    for index, finding in enumerate(findings):
        key = finding.key
        if finding.span and (key not in main or (finding.body_span and not findings[main[key]].body_span)):
            main[key] = index
    joined, others = list(findings), set()
    for index, finding in enumerate(findings):
        at = main.get(finding.key, index)
        if finding.span and at != index and finding.field != findings[at].field:
            also = (*joined[at].also, (finding.field, finding.span))
            own = {"field": findings[at].field, "span": findings[at].span}
            worst = min(joined[at], finding, key=lambda each: list(Severity).index(each.severity))
            joined[at] = worst.model_copy(update={**own, "also": also})
            others.add(index)
    return tuple(finding for index, finding in enumerate(joined) if index not in others)


def _check_front(
    source: Source | None, tokens: TokenizedText, document: DraftDocument, front: Front
) -> Iterator[Finding]:
    """Yield the findings about the front matter above a body."""
    beat = document.beat
    text = source.item.text if source else ""
    published = source.item.published_at if source else datetime.now(UTC)
    key_findings = [*front.notes]
    if front.is_ours:
        key_findings += check_front_matter(front.metadata, beat, published)
    key_findings += check_origin(source, front.metadata)
    yield from (with_key(finding, "", text) for finding in key_findings)
    alt_findings = apply_levels(check_alt_text(front, source), beat.checks)
    yield from (_with_cover_key(finding, front) for finding in alt_findings if finding.span is None)
    for line in front_matter_texts(front, source):
        if line.from_source and document.is_brief:
            continue  # an offline brief quotes its source on purpose, and its placeholders block it
        findings = deduplicate(check_front_matter_text(source, tokens, line, beat))
        findings += check_own_title(front, source, beat) if line.field == "title" else []
        findings = apply_levels(findings, beat.checks)
        if line.field == "alt":
            findings = [*as_alt_text(findings), *(finding for finding in alt_findings if finding.span)]
        placed = (finding.model_copy(update={"field": line.field}) for finding in findings)
        ordered = sorted(placed, key=lambda finding: finding.span or (0, 0))
        yield from (with_key(finding, line.text, text) for finding in ordered)


def _with_cover_key(finding: Finding, front: Front) -> Finding:
    """Return a finding about a missing alt text with a key of this cover: another one is not dismissed."""
    cover = json.dumps(front.metadata.get("coverImage"), sort_keys=True, default=str)
    return finding.model_copy(update={"key": claim_key(finding.kind, finding.message, (cover,))})


def _check_body(source: Source, tokens: TokenizedText, document: DraftDocument) -> list[Finding]:
    """Return the findings of the checks that compare the body with the source."""
    language = source.language
    case = CheckInput(document.tokens, tokens, language, source.item.published_local)
    listed = _fact_lists(document, language)
    examples = document.beat.example_texts
    claims = (finding for check in CLAIM_CHECKS for finding in check(case))
    noted = note_examples(claims, document.tokens, examples)
    findings = [finding for finding in noted if not _is_cut(document, finding, listed)]
    if not document.is_brief:
        findings += check_examples(document.tokens, tokens, examples)
        findings += check_overlap(document.tokens, tokens, document.beat.checks, (*document.links, *listed))
        findings += check_opinion(document, language, tokens)
        findings += check_repetition(document.tokens, listed)
        findings += check_length(document.tokens, tokens)
    placed = [document.to_body(finding, len(source.item.text)) for finding in findings]
    return [*placed, *check_artifacts(document, tokens.text, language)]


def _cut_off(document: DraftDocument, language: str) -> list[Finding]:
    """Return the findings about unfinished sentences; a brief cuts what it quotes on purpose."""
    return [] if document.is_brief else check_cut_off(document, language)


def _fact_lists(document: DraftDocument, language: str) -> list[tuple[int, int]]:
    """Return the spans of sections with an offline brief's heading for facts in the source's own words."""
    heading = brief_labels(language).facts.casefold()
    sections = (section for section in document.sections if section.heading.casefold() == heading)
    return [(section.start, section.end) for section in sections]


def _is_cut(document: DraftDocument, claim: Finding, listed: list[tuple[int, int]]) -> bool:
    """Tell whether an ellipsis in a list of facts cuts a claim: "fell to $212…" of 212 million."""
    if claim.span is None or not any(start <= claim.span[0] < end for start, end in listed):
        return False
    start, end = claim.span
    return "…" in (document.text[start - 1 : start], document.text[end : end + 1])
