"""Runs of words that two texts share: all of them, exactly, in time that grows with the texts alone.

Kind `overlap`: words in a row that stand in the source as they do here, and are not quoted from it.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.checks.quotations.extract import extract_quotes
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import CheckLevels
from pipeline.domain.reviews import Finding, Severity


class SharedRun(NamedTuple):
    """Words that stand in a draft as they do in its source; numbers of words."""

    start: int
    """Of the first word in the draft."""
    source: int
    """Of the first word in the source, where it stands first."""
    length: int


def shared_runs(draft: Sequence[Hashable], source: Sequence[Hashable], least: int) -> list[SharedRun]:
    """Return the longest runs of at least `least` words that stand in both, in the draft's order.

    None of them lies within another one; they may overlap.
    """
    if least < 1:
        raise ValueError("a run has one word at least")
    shared = _grams(draft, least) & _grams(source, least)
    if not shared:
        return []
    automaton = _SuffixAutomaton()
    for start, end in _stretches(source, shared, least):
        automaton.add(source, start, end)
    return [run for run in automaton.longest(draft) if run.length >= least]


def _grams(words: Sequence[Hashable], length: int) -> set[tuple[Hashable, ...]]:
    return set(zip(*(words[start:] for start in range(length)), strict=False))


def _stretches(
    words: Sequence[Hashable], shared: set[tuple[Hashable, ...]], length: int
) -> Iterator[tuple[int, int]]:
    """Yield the stretches of words that shared runs cover: nothing else can be a part of one."""
    begin = end = -1
    for at, gram in enumerate(zip(*(words[start:] for start in range(length)), strict=False)):
        if gram not in shared:
            continue
        if at > end:
            if end > 0:
                yield begin, end
            begin = at
        end = at + length
    yield begin, end


class _SuffixAutomaton:
    """The suffix automaton of some stretches of words (Blumer et al. 1985): knows every run in them.

    A state stands for runs that end at the same places; its link is the state of its longest suffix that
    ends at more of them.
    """

    def __init__(self) -> None:
        self._next: list[dict[Hashable, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        self._end = [0]
        """Number behind the last word of a state's runs, where they stand first."""

    def add(self, words: Sequence[Hashable], start: int, end: int) -> None:
        """Add a stretch; no run goes on from an earlier one."""
        last = 0
        for at in range(start, end):
            last = self._extend(last, words[at], at + 1)

    def _extend(self, last: int, word: Hashable, end: int) -> int:
        known = self._next[last].get(word)
        if known is not None and self._length[known] == self._length[last] + 1:
            return known
        state = -1 if known is not None else self._state({}, self._length[last] + 1, end)
        at = last
        while known is None and at >= 0:
            self._next[at][word] = state
            at = self._link[at]
            known = self._next[at].get(word) if at >= 0 else None
        if known is None:
            self._link[state] = 0
            return state
        return self._split(state, at, known, word)

    def _split(self, state: int, at: int, known: int, word: Hashable) -> int:
        """Give the runs that `state` shares with a state of longer ones a state of their own."""
        shared = known
        if self._length[known] != self._length[at] + 1:
            shared = self._state(dict(self._next[known]), self._length[at] + 1, self._end[known])
            self._link[shared] = self._link[known]
            self._link[known] = shared
            while at >= 0 and self._next[at].get(word) == known:
                self._next[at][word] = shared
                at = self._link[at]
        if state < 0:
            return shared
        self._link[state] = shared
        return state

    def _state(self, following: dict[Hashable, int], length: int, end: int) -> int:
        self._next.append(following)
        self._length.append(length)
        self._end.append(end)
        self._link.append(-1)
        return len(self._next) - 1

    def longest(self, words: Sequence[Hashable]) -> Iterator[SharedRun]:
        """Yield each run of words that can be made longer on neither side."""
        state = length = 0
        for at, word in enumerate(words):
            before = state, length
            while state and word not in self._next[state]:
                state = self._link[state]
                length = self._length[state]
            if word in self._next[state]:
                state, length = self._next[state][word], length + 1
            else:
                state = length = 0
            if before[1] and length != before[1] + 1:
                yield self._run(before, at)
        if length:
            yield self._run((state, length), len(words))

    def _run(self, match: tuple[int, int], end: int) -> SharedRun:
        state, length = match
        return SharedRun(end - length, self._end[state] - length, length)


KIND = "overlap"
_GRAM = 8
"""Words in a row that are seldom met by chance."""
_NAMES = 0.6
"""Part of a run in names and figures from which on it cannot be said otherwise."""
_QUOTED = 2
"""Words between quotation marks that are a quotation."""
_MOST = 50


class CopiedRun(NamedTuple):
    """How much of a draft stands word for word in its source, outside of quotations."""

    longest: int
    """Words of the longest run."""
    share: float
    """Part of the words in runs of eight or more."""
    density: float
    """Mean length of the run that a word stands in (Grusky, Naaman and Artzi 2018), runs of one included."""


def check_overlap(
    draft: TokenizedText, source: TokenizedText, limits: CheckLevels, said: Iterable[tuple[int, int]] = ()
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


def copied(draft: TokenizedText, source: TokenizedText, said: Iterable[tuple[int, int]] = ()) -> CopiedRun:
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
    return CopiedRun(max((run.length for run in runs), default=0), _share(long, told), lengths / words)


def _told(draft: TokenizedText, said: Iterable[tuple[int, int]]) -> list[bool]:
    """Return of each word whether it is the writer's own: neither quoted nor what a link is called."""
    told = [True] * len(draft.words)
    quoted = [draft.between(quote.start, quote.end) for quote in extract_quotes(draft.text)]
    known = [draft.between(*place) for place in said]
    for first, behind in (*(one for one in quoted if one[1] - one[0] >= _QUOTED), *known):
        told[first:behind] = [False] * (behind - first)
    return told


def _runs(draft: TokenizedText, source: TokenizedText, told: Sequence[bool], least: int) -> list[SharedRun]:
    # What is quoted is a word of its own each, which no source has.
    words = [word if own else at for at, (word, own) in enumerate(zip(draft.folded, told, strict=True))]
    return shared_runs(words, source.folded, least)


def _is_named(draft: TokenizedText, run: SharedRun) -> bool:
    """Tell whether a run is little else than names, titles and figures."""
    words = [draft.words[at].text for at in range(run.start, run.start + run.length)]
    return sum(not word[0].islower() for word in words) >= _NAMES * run.length


def _covered(runs: Iterable[SharedRun]) -> int:
    """Return how many words stand in runs, which come in their order and may overlap."""
    count = behind = 0
    for run in runs:
        count += max(0, run.start + run.length - max(behind, run.start))
        behind = max(behind, run.start + run.length)
    return count


def _share(runs: Iterable[SharedRun], told: Sequence[bool]) -> float:
    return _covered(runs) / max(1, sum(told))


def _finding(draft: TokenizedText, source: TokenizedText, run: SharedRun, limits: CheckLevels) -> Finding:
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
