"""Kind `overlap`: words in a row that stand in the source as they do here, and are not quoted from it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.checks.copying import Run, copied_runs
from pipeline.checks.quotes import quotes
from pipeline.checks.reading import Reading
from pipeline.models import Checks, Finding, Severity

KIND = "overlap"
_GRAM = 8
"""Words in a row that are seldom met by chance."""
_NAMES = 0.6
"""Part of a run in names and figures from which on it cannot be said otherwise."""
_QUOTED = 2
"""Words between quotation marks that are a quotation."""
_MOST = 50


class Copied(NamedTuple):
    """How much of a draft stands word for word in its source, outside of quotations."""

    longest: int
    """Words of the longest run."""
    share: float
    """Part of the words in runs of eight or more."""
    density: float
    """Mean length of the run that a word stands in (Grusky, Naaman and Artzi 2018), runs of one included."""


def check_overlap(
    draft: Reading, source: Reading, limits: Checks, said: Iterable[tuple[int, int]] = ()
) -> list[Finding]:
    """Return findings about copied runs; `said` are places of the draft besides, which need not differ.

    Where too much of the whole is copied, one finding says so, and its shorter runs are warned of as well.
    """
    told = _told(draft, said)
    runs = [run for run in _runs(draft, source, told, _GRAM) if not _is_named(draft, run)]
    share = _share(runs, told)
    copied = _covered(runs)
    too_much = share >= limits.overlap_block_share and copied >= limits.overlap_block_words
    least = _GRAM if too_much else limits.overlap_warn_words
    found = [_finding(draft, source, run, limits) for run in runs if run.length >= least][:_MOST]
    if too_much:
        message = f"{share:.0%} of the text stands word for word in the source: write it anew."
        found.insert(0, Finding(kind=KIND, severity=Severity.BLOCK, message=message))
    return found


def copied(draft: Reading, source: Reading, said: Iterable[tuple[int, int]] = ()) -> Copied:
    """Return how much of a draft is copied: names and figures that cannot be said otherwise included."""
    told = _told(draft, said)
    runs = _runs(draft, source, told, 1)
    long = [run for run in runs if run.length >= _GRAM]
    lengths, behind = 0, 0
    for run in sorted(runs, key=lambda run: (run.start, -run.length)):
        own = run.start + run.length - max(behind, run.start)
        lengths += max(0, own) ** 2
        behind = max(behind, run.start + run.length)
    words = max(1, sum(told))
    return Copied(max((run.length for run in runs), default=0), _share(long, told), lengths / words)


def _told(draft: Reading, said: Iterable[tuple[int, int]]) -> list[bool]:
    """Return of each word whether it is the writer's own: neither quoted nor what a link is called."""
    told = [True] * len(draft.words)
    quoted = [draft.between(quote.start, quote.end) for quote in quotes(draft.text)]
    known = [draft.between(*place) for place in said]
    for first, behind in (*(one for one in quoted if one[1] - one[0] >= _QUOTED), *known):
        told[first:behind] = [False] * (behind - first)
    return told


def _runs(draft: Reading, source: Reading, told: Sequence[bool], least: int) -> list[Run]:
    # What is quoted is a word of its own each, which no source has.
    words = [word if own else at for at, (word, own) in enumerate(zip(draft.folded, told, strict=True))]
    return copied_runs(words, source.folded, least)


def _is_named(draft: Reading, run: Run) -> bool:
    """Tell whether a run is little else than names, titles and figures."""
    words = [draft.words[at].text for at in range(run.start, run.start + run.length)]
    return sum(not word[0].islower() for word in words) >= _NAMES * run.length


def _covered(runs: Iterable[Run]) -> int:
    """Return how many words stand in runs, which come in their order and may overlap."""
    count = behind = 0
    for run in runs:
        count += max(0, run.start + run.length - max(behind, run.start))
        behind = max(behind, run.start + run.length)
    return count


def _share(runs: Iterable[Run], told: Sequence[bool]) -> float:
    return _covered(runs) / max(1, sum(told))


def _finding(draft: Reading, source: Reading, run: Run, limits: Checks) -> Finding:
    words = draft.words[run.start : run.start + run.length]
    theirs = source.words[run.source : run.source + run.length]
    severity = Severity.BLOCK if run.length >= limits.overlap_block_words else Severity.WARN
    return Finding(
        kind=KIND,
        severity=severity,
        message=f"These {run.length} words stand so in the source: say it in your own words, or quote it.",
        span=(words[0].start, words[-1].end),
        evidence=((theirs[0].start, theirs[-1].end),),
    )
