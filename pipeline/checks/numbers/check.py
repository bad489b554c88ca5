"""Checks the numbers of a draft: `figure` is not in the source, `place` is about something else there."""

from collections.abc import Callable, Sequence
from functools import cached_property

from pipeline.checks.dates.extract import date_spans
from pipeline.checks.numbers.compare import match_numbers
from pipeline.checks.numbers.context import (
    ContextIndex,
    SourceContexts,
    better_context,
    find_swapped,
    is_unambiguous,
)
from pipeline.checks.numbers.derive import Derivation, SourceNumbers, find_derivation
from pipeline.checks.numbers.extract import Score, extract_numbers, extract_scores, extract_shares
from pipeline.checks.numbers.lexicon import NumberLexicon, number_lexicon
from pipeline.checks.numbers.models import FRACTION, GROUP, MULTIPLE, ORDINAL, PLAIN, YEAR, NumberMention
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim
from pipeline.domain.reviews import Finding, Severity

KIND = "figure"
CONTEXT_KIND = "place"
_MAX_COUNTED = 3
"""Highest number in words that only warns: the writer may have counted. Chosen, not measured."""


def check_numbers(case: CheckInput) -> list[Finding]:
    """Return the findings about the numbers of a draft.

    Block: the number is not in the source. Warn: the source has it about something else or without the
    hedge. Note: it follows from two numbers of the source (the evidence), or the writer counted.
    """
    lexicon = number_lexicon(case.language)
    if lexicon is None:
        message = f'Figures are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    return _Check(case, lexicon).findings()


def trace_numbers(case: CheckInput) -> list[SupportedClaim]:
    """Return the numbers of a draft that are in the source, with their spans there."""
    lexicon = number_lexicon(case.language)
    return _Check(case, lexicon).traced() if lexicon else []


class _Check:
    """The numbers of one draft and one source, with their contexts."""

    def __init__(self, case: CheckInput, lexicon: NumberLexicon) -> None:
        self._case = case
        self._lexicon = lexicon
        self._claims = _without_dates(case.draft.text, case.language)
        mentions = _without_dates(case.source.text, case.language)
        shares = extract_shares(mentions, case.source.text, case.language)
        self._source_numbers = SourceNumbers(mentions, shares)
        self._draft_contexts, source = ContextIndex(case.draft, lexicon), ContextIndex(case.source, lexicon)
        self._weigh = source.weigh
        self._source_contexts = SourceContexts(source, mentions)

    def findings(self) -> list[Finding]:
        return [finding for claim in self._claims if (finding := self._finding(claim))]

    def traced(self) -> list[SupportedClaim]:
        """Return the numbers that the source has: repeated, rounded or converted."""
        supported = []
        for claim in self._claims:
            if claim.kind == YEAR or _is_trivial(claim):
                continue
            candidates = self._source_numbers.candidates(claim)
            evidence = [(each.start, each.end) for each in candidates if match_numbers(claim, each)]
            if evidence:
                span = claim.start, claim.end
                supported.append(SupportedClaim(KIND, span, tuple(evidence[:MAX_EVIDENCE])))
        return supported

    @cached_property
    def _draft_heads(self) -> set[tuple[float, str]]:
        return {(claim.value, self._draft_contexts.context_of(claim).head) for claim in self._claims}

    def _draft_text(self, claim: NumberMention) -> str:
        return self._case.draft.text[claim.start : claim.end]

    def _finding(self, claim: NumberMention) -> Finding | None:
        if claim.kind in (YEAR, GROUP) or _is_trivial(claim):
            return None
        score = self._scores[0].get(claim.start)
        if score and self._scores[1]:
            return None if score in self._scores[1] else self._unsupported(claim)
        matches = [each for each in self._source_numbers.candidates(claim) if match_numbers(claim, each)]
        if matches:
            return self._check_context(claim, matches)
        derivation = find_derivation(claim, self._source_numbers, self._subject_test(claim))
        if derivation:
            return self._note_derivation(claim, derivation)
        if claim.spelled and self._is_counted_by_writer(claim):
            message = f"{self._draft_text(claim)}: counted by the writer; the source does not state it."
            return self._make_finding(Severity.NOTE, claim, message)
        return self._unsupported(claim)

    def _unsupported(self, claim: NumberMention) -> Finding:
        may_be_counted = claim.spelled and claim.kind == PLAIN and claim.value <= _MAX_COUNTED
        severity = Severity.WARN if may_be_counted else Severity.BLOCK
        return self._make_finding(severity, claim, f"{self._draft_text(claim)} is not in the source.")

    @cached_property
    def _scores(self) -> tuple[dict[int, Score], set[Score]]:
        """Return the scores of the draft by the start of their numbers, and all scores of the source."""
        source = extract_scores(self._source_numbers.mentions, self._case.source.text)
        return extract_scores(self._claims, self._case.draft.text), set(source.values())

    def _check_context(self, claim: NumberMention, own: Sequence[NumberMention]) -> Finding | None:
        """Return a finding where the draft hedges an exact number, or uses it about something else.

        `own` are the numbers of the source that the claim matches.
        """
        is_precise = claim.kind not in (FRACTION, MULTIPLE) and claim.value >= 1000 * claim.step
        if claim.hedge and is_precise and not any(mention.hedge for mention in own):
            hedge, number = self._hedge(claim), self._draft_text(claim)
            message = f'"{hedge}" is before {number}, but the source gives that number as exact.'
            return self._make_finding(Severity.WARN, claim, message, own[0])
        if claim.kind in (ORDINAL, FRACTION, MULTIPLE) or (claim.kind == PLAIN and claim.bare):
            return None
        context = self._draft_contexts.context_of(claim)
        own_contexts = [self._source_contexts.context_of(mention) for mention in own]
        if is_unambiguous(context, own_contexts, self._weigh):
            return None
        others = self._source_contexts.alternatives(claim, context, own)
        other_contexts = [self._source_contexts.context_of(mention) for mention in others]
        index = better_context(context, own_contexts, other_contexts, self._weigh)
        if index is None:
            alternatives = list(zip(others, other_contexts, strict=True))
            index = find_swapped(context, own_contexts, alternatives, self._draft_heads)
        if index is None:
            return None
        other = others[index]
        message = (
            f"The source has {self._draft_text(claim)} for something else; for this it has "
            f"{self._case.source.text[other.start : other.end]}."
        )
        return self._make_finding(Severity.WARN, claim, message, other, own[0], kind=CONTEXT_KIND)

    def _hedge(self, claim: NumberMention) -> str:
        """Return the hedge as the draft writes it."""
        before = self._case.draft.text[max(0, claim.start - 30) : claim.start].split()
        hedges = self._lexicon.hedges
        return next((word for word in reversed(before) if word.casefold() in hedges), claim.hedge)

    def _subject_test(self, claim: NumberMention) -> Callable[[NumberMention], bool]:
        """Return the predicate that a number of the source shares context words with the claim."""
        context = self._draft_contexts.context_of(claim)
        if claim.kind == PLAIN:
            return lambda mention: bool(context.following & self._source_contexts.context_of(mention).near)
        return lambda mention: bool(context.near & self._source_contexts.context_of(mention).near)

    def _note_derivation(self, claim: NumberMention, derivation: Derivation) -> Finding:
        texts = [self._case.source.text[operand.start : operand.end] for operand in derivation.operands]
        formula = derivation.formula.format(*texts)
        message = f"{self._draft_text(claim)} is calculated from the source: {formula}."
        return self._make_finding(Severity.NOTE, claim, message, *derivation.operands)

    def _is_counted_by_writer(self, claim: NumberMention) -> bool:
        """Tell whether the writer counted what the source lists: "two reasons"."""
        _, last = self._case.draft.between(claim.start, claim.end)
        following = self._case.draft.folded[last : last + 2]
        return claim.value < 10 and any(word in self._lexicon.counted for word in following)

    def _make_finding(
        self,
        severity: Severity,
        claim: NumberMention,
        message: str,
        *evidence: NumberMention,
        kind: str = KIND,
    ) -> Finding:
        return Finding(
            kind=kind,
            severity=severity,
            message=message,
            span=(claim.start, claim.end),
            evidence=tuple((mention.start, mention.end) for mention in evidence),
        )


def _without_dates(text: str, language: str) -> list[NumberMention]:
    """Return the numbers of a text outside its dates. Years stay: differences are derived from them."""
    spans = iter(date_spans(text, language))
    start, end = next(spans, (len(text), len(text)))
    mentions = []
    for mention in extract_numbers(text, language):
        while end <= mention.start:
            start, end = next(spans, (len(text), len(text) + 1))
        if mention.kind == YEAR or mention.end <= start:
            mentions.append(mention)
    return mentions


def _is_trivial(claim: NumberMention) -> bool:
    """Tell whether a number is no claim that can be checked: "one of them"."""
    return claim.value in (0, 1) and claim.kind == PLAIN and claim.spelled
