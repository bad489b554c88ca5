"""What becomes of findings once every check has spoken: each place told once, as hard as a beat wants it."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from pipeline.checks.opinion import KIND as OPINION
from pipeline.checks.overlap import KIND as OVERLAP
from pipeline.models import Checks, Finding, Severity

_CLAIM, _LAST = 2, 4
_RANKS = {"brief": 0, "injection": 0, "form": 1, OPINION: 3, OVERLAP: 3}
"""Which kinds tell more of a place than others; what traces claims stands between."""


def once(findings: list[Finding]) -> list[Finding]:
    """Return findings without those that another kind tells better of the same place.

    What is no article is no claim either, and what is invented is new in an opinion, too.
    """
    taken: dict[int, list[tuple[int, int]]] = {rank: [] for rank in range(_LAST)}
    for one in findings:
        hard = one.severity is Severity.BLOCK or (one.severity is Severity.WARN and _rank(one) == _CLAIM)
        if one.span and hard:
            for rank in range(_rank(one) + 1, _LAST):
                taken[rank].append(one.span)
    merged = {rank: _merged(spans) for rank, spans in taken.items()}
    return [one for one in findings if one.kind == OVERLAP or not _is_told(one, merged[_rank(one)])]


def _rank(finding: Finding) -> int:
    return _RANKS.get(finding.kind, _CLAIM)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what spans cover, in order and without overlaps."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _is_told(finding: Finding, others: Sequence[tuple[int, int]]) -> bool:
    """Tell whether others are about half of a finding's words or more."""
    if finding.span is None:
        return False
    start, end = finding.span
    near = others[max(0, bisect_right(others, (start, end)) - 1) : bisect_right(others, (end, end))]
    return any(2 * (min(end, behind) - max(start, begin)) >= end - start for begin, behind in near)


def judged(findings: Iterable[Finding], checks: Checks) -> list[Finding]:
    """Return findings as severe as the settings of a beat will have their kinds."""
    found = []
    for finding in findings:
        level = getattr(checks, finding.kind, None)
        if level is None or (level != "off" and finding.severity is Severity.NOTE):
            found.append(finding)
        elif level != "off":
            found.append(finding.model_copy(update={"severity": Severity(level)}))
    return found
