"""Joins the findings of a second reader, which are of kind `sense`, with those of code. Pure."""

from collections.abc import Sequence

from pipeline.checks.runner import with_key
from pipeline.domain.reviews import Finding, Place, Severity
from pipeline.verifier.numbered_draft import NumberedDraft

KIND = "sense"
_JUDGED_KINDS = frozenset(("figure", "place", "date", "name", "pair"))
"""Kinds of code's findings that the second reader judges as well."""


def unverified(reason: str) -> Finding:
    """Return the note that no second reader verified a draft; `reason` is a clause."""
    message = f"The second reader was left out for this draft: {reason}."
    return with_key(Finding(kind=KIND, severity=Severity.NOTE, message=message), "", "")


def join_findings(
    code: Sequence[Finding], sense: Sequence[Finding], draft: NumberedDraft, passed: frozenset[int]
) -> tuple[Finding, ...]:
    """Return the findings of code and of the second reader, one for each place; every one keeps its key.

    Where both have the same words, a block of code stays and the objection goes, and a look of code goes.
    A finding with several places keeps the others. Looks of code in the sentences of `passed`, by number, are
    marked as not shared.
    """
    objected = [place for finding in sense for place in finding.places]
    blocked = [
        place
        for finding in code
        if _is_judged(finding) and finding.severity is Severity.BLOCK
        for place in finding.places
    ]
    sentences = [sentence for number in passed if (sentence := draft.sentence(number))]
    read = [(each.field, draft.span_of(each)) for each in sentences]
    joined = [each for finding in code if (each := _joined(finding, objected, read))]
    return (*joined, *(each for finding in sense if (each := _without(finding, blocked))))


_Located = tuple[Place, tuple[int, int]]


def _joined(finding: Finding, objected: Sequence[_Located], passed: Sequence[_Located]) -> Finding | None:
    """Return a finding of code, marked where the second reader judged its words; None where it goes."""
    if not _is_judged(finding):
        return finding
    if finding.severity is Severity.BLOCK:
        shared = any(_is_covered(place, objected) for place in finding.places)
        return finding.model_copy(update={"shared": True}) if shared else finding
    left = _without(finding, objected)
    if left and all(any(_shared_chars(place, each) for each in passed) for place in left.places):
        return left.model_copy(update={"shared": False})
    return left


def _without(finding: Finding, others: Sequence[_Located]) -> Finding | None:
    """Return a finding without the places that others cover; None where none is left."""
    left = [place for place in finding.places if not _is_covered(place, others)]
    return finding if len(left) == len(finding.places) else finding.with_places(left)


def _is_judged(finding: Finding) -> bool:
    return (
        finding.kind in _JUDGED_KINDS and finding.severity is not Severity.NOTE and finding.span is not None
    )


def _is_covered(place: _Located, others: Sequence[_Located]) -> bool:
    """Tell whether another place has half of a place's characters or more."""
    start, end = place[1]
    return any(2 * _shared_chars(place, other) >= end - start for other in others)


def _shared_chars(place: _Located, other: _Located) -> int:
    (field, span), (other_field, other_span) = place, other
    return max(0, min(span[1], other_span[1]) - max(span[0], other_span[0])) if field == other_field else 0
