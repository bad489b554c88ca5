"""Scores a second reader over the labelled drafts. Pure."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import Finding
from pipeline.domain.text import one_line
from pipeline.verifier.evaluation.labelled_set import KINDS, LabelledDraft, LabelledText, PlantedSlip
from pipeline.verifier.readings import read_findings
from pipeline.verifier.verify import Verification


class Verified(NamedTuple):
    """What a second reader found in both texts of a labelled draft."""

    draft: LabelledDraft
    faulty: Verification
    faultless: Verification


class Count(FrozenModel):
    """How many slips were found, and how many there are."""

    detected: int = 0
    planted: int = 0


class MissedSlip(FrozenModel):
    """A slip that was not found."""

    draft: str
    kind: str
    wrong: str
    right: str


class FalseObjection(FrozenModel):
    """An objection to words of a faultless draft."""

    draft: str
    words: str
    message: str


class Scores(FrozenModel):
    """How good a second reader is."""

    drafts: int
    """Labelled drafts; each was verified twice, with its slips and without."""
    by_kind: dict[str, Count]
    by_language: dict[str, Count]
    false_objections: int
    """Shown to the editor about faultless drafts."""
    objections: int
    """Entries of all answers."""
    confirmed: int
    """Those of them that code confirmed and that are shown."""
    dropped: dict[str, int]
    """The others by reason, except those of answers that were left out."""
    dropped_fixes: dict[str, int]
    left_out: dict[str, int]
    """Verifications without a result, by reason."""
    call_seconds: float
    """Median of the answers that arrived."""
    missed: tuple[MissedSlip, ...]
    false: tuple[FalseObjection, ...]

    @property
    def total(self) -> Count:
        """Return the count of all kinds."""
        return Count(
            detected=sum(count.detected for count in self.by_kind.values()),
            planted=sum(count.planted for count in self.by_kind.values()),
        )

    @property
    def recall(self) -> float:
        """Return the share of the slips that were found."""
        return self.total.detected / max(1, self.total.planted)

    @property
    def false_per_draft(self) -> float:
        """Return the number of false objections for each faultless draft."""
        return self.false_objections / max(1, self.drafts)

    @property
    def confirmed_share(self) -> float:
        """Return the share of its objections that code confirmed."""
        return self.confirmed / max(1, self.objections)


def score(results: Sequence[Verified]) -> Scores:
    """Return the scores of a second reader. A slip is found where an objection has a part of its words."""
    missed: list[MissedSlip] = []
    by_kind = {kind: Counter[bool]() for kind in KINDS}
    by_language = {result.draft.language: Counter[bool]() for result in results}
    for draft, faulty, _ in results:
        findings = _findings(draft, draft.faulty, faulty)
        for planted in draft.slips:
            is_detected = any(_has_place(finding, planted) for finding in findings)
            by_kind[planted.slip.kind][is_detected] += 1
            by_language[draft.language][is_detected] += 1
            if not is_detected:
                missed.append(_missed(draft, planted))
    false = [each for draft, _, faultless in results for each in _false(draft, faultless)]
    verifications = [each for result in results for each in (result.faulty, result.faultless)]
    confirmations = [each.confirmation for each in verifications if not each.note]
    return Scores(
        drafts=len(results),
        by_kind={kind: _count(counter) for kind, counter in by_kind.items()},
        by_language={language: _count(counter) for language, counter in sorted(by_language.items())},
        false_objections=len(false),
        objections=sum(each.objections for each in verifications),
        confirmed=sum(len(each.confirmed) for each in confirmations),
        dropped=_summed(*(each.dropped for each in confirmations)),
        dropped_fixes=_summed(*(each.dropped_fixes for each in confirmations)),
        left_out=_summed(Counter(_reason(each) for each in verifications if each.note)),
        call_seconds=median([each.answer.seconds or 0.0 for each in verifications if each.answer] or [0.0]),
        missed=tuple(missed),
        false=tuple(false),
    )


def _findings(draft: LabelledDraft, text: LabelledText, verification: Verification) -> tuple[Finding, ...]:
    """Return what an editor would be shown of a verification of one of a draft's texts."""
    return read_findings(verification.readings, draft.numbered(text), draft.source, draft.beat.checks)[0]


def _has_place(finding: Finding, planted: PlantedSlip) -> bool:
    start, end = planted.span
    return any(field == planted.field and low < end and start < high for field, (low, high) in finding.places)


def _missed(draft: LabelledDraft, planted: PlantedSlip) -> MissedSlip:
    slip = planted.slip
    return MissedSlip(draft=draft.key, kind=slip.kind, wrong=one_line(slip.wrong), right=one_line(slip.right))


def _false(draft: LabelledDraft, verification: Verification) -> list[FalseObjection]:
    return [
        FalseObjection(
            draft=draft.key,
            words=one_line(getattr(draft.faultless, finding.field)[slice(*finding.span)]),
            message=finding.message,
        )
        for finding in _findings(draft, draft.faultless, verification)
        if finding.span
    ]


def _count(counter: Counter[bool]) -> Count:
    return Count(detected=counter[True], planted=counter.total())


def _summed(*counters: Counter[Any]) -> dict[str, int]:
    """Return the sum of counters by text, the largest first."""
    return {str(name): count for name, count in sum(counters, Counter[Any]()).most_common()}


def _reason(verification: Verification) -> str:
    """Return why a verification has no result, in words that are the same for every draft."""
    if verification.confirmation.left_out:
        return "its objections were not trusted"
    return "no answer" if verification.error else "its answer cannot be read"
