"""Kind `pair`: what a draft says and the sentences that it rests on contradict. Warns only."""

from collections.abc import Iterable
from itertools import islice

from pipeline.checks.pairs.align import align
from pipeline.checks.pairs.assertion import find_negations, find_plans_as_done
from pipeline.checks.pairs.bounds import find_bounds
from pipeline.checks.pairs.contrast import find_contrasts
from pipeline.checks.pairs.exchange import find_exchanged_numbers, find_mixed_names
from pipeline.checks.pairs.lexicon import pair_lexicon
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.pairs.names import source_names
from pipeline.checks.pairs.prefix import find_prefixed
from pipeline.checks.pairs.roles import find_exchanged_actors, find_replaced_names
from pipeline.checks.pairs.speakers import find_exchanged_speakers
from pipeline.checks.pairs.weekdays import find_exchanged_weekdays
from pipeline.checks.tokens import CheckInput
from pipeline.domain.reviews import Finding, Severity

KIND = "pair"
_MIN_SCORE = 0.35
"""Share of a draft sentence's weight that its window must have. Chosen, not measured."""
_MAX_FINDINGS = 50
"""Findings for one text. Chosen, not measured."""

RULES = (
    find_bounds,
    find_contrasts,
    find_exchanged_weekdays,
    find_exchanged_speakers,
    find_negations,
    find_plans_as_done,
    find_exchanged_actors,
    find_exchanged_numbers,
    find_mixed_names,
    find_prefixed,
    find_replaced_names,
)


def check_pairs(case: CheckInput) -> list[Finding]:
    """Return the contradictions between a draft's sentences and their windows; none without a table."""
    lexicon = pair_lexicon(case.language)
    alignment = align(case.draft, case.source, case.language)
    if lexicon is None or alignment is None:
        return []
    texts = PairTexts(case.draft, case.source, alignment, lexicon, source_names(case.source, case.language))
    contradictions = (
        each
        for pair in alignment.pairs
        if pair.score >= _MIN_SCORE
        for rule in RULES
        for each in rule(texts, pair)
    )
    return [_finding(texts, each) for each in _separate(islice(contradictions, _MAX_FINDINGS))]


def _separate(contradictions: Iterable[Contradiction]) -> list[Contradiction]:
    """Return contradictions that overlap no earlier one, in the draft or in the source."""
    separate: list[Contradiction] = []
    for each in contradictions:
        if not any(
            _overlap(each.draft, other.draft) or _overlap(each.source, other.source) for other in separate
        ):
            separate.append(each)
    return separate


def _overlap(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span[0] < other[1] and other[0] < span[1]


def _finding(texts: PairTexts, contradiction: Contradiction) -> Finding:
    words, theirs = texts.draft.words, texts.source.words
    span = words[contradiction.draft[0]].start, words[contradiction.draft[1] - 1].end
    evidence = theirs[contradiction.source[0]].start, theirs[contradiction.source[1] - 1].end
    return Finding(
        kind=KIND,
        severity=Severity.WARN,
        message=contradiction.message,
        span=span,
        evidence=(evidence,),
        suggestion=contradiction.replacement,
    )
