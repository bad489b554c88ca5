"""Kind `overlap`: runs of words copied from the source without quotation (plagiarism, near-verbatim copying).

A suffix automaton finds all shared runs exactly, in time linear in both texts.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.checks.quotations.extract import extract_quotes
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import CheckLevels
from pipeline.domain.reviews import Finding, Severity


class SharedRun(NamedTuple):
    """Words in a row that a draft shares with its source; indexes of words."""

    start: int
    """Of the first word in the draft."""
    source: int
    """Of the first word in the source, at its first occurrence."""
    length: int


def shared_runs(draft: Sequence[Hashable], source: Sequence[Hashable], min_words: int) -> list[SharedRun]:
    """Return the maximal runs of at least `min_words` words that both texts have, in the draft's order.

    Runs may overlap; none is part of another one. Raises ValueError when `min_words` is less than one.
    """
    if min_words < 1:
        raise ValueError("min_words must be one word or more")
    shared_grams = _grams(draft, min_words) & _grams(source, min_words)
    if not shared_grams:
        return []
    automaton = _SuffixAutomaton()
    for start, end in _stretches(source, shared_grams, min_words):
        automaton.add(source, start, end)
    return [run for run in automaton.longest(draft) if run.length >= min_words]


def _grams(words: Sequence[Hashable], length: int) -> set[tuple[Hashable, ...]]:
    return set(zip(*(words[start:] for start in range(length)), strict=False))


def _stretches(
    words: Sequence[Hashable], shared_grams: set[tuple[Hashable, ...]], length: int
) -> Iterator[tuple[int, int]]:
    """Yield the stretches of words that shared n-grams cover; no shared run reaches beyond them."""
    begin = end = -1
    for at, gram in enumerate(zip(*(words[start:] for start in range(length)), strict=False)):
        if gram not in shared_grams:
            continue
        if at > end:
            if end > 0:
                yield begin, end
            begin = at
        end = at + length
    yield begin, end


class _SuffixAutomaton:
    """The suffix automaton of some stretches of words: accepts every run in them.

    A state is a set of runs that end at the same positions. Its link is the state of its longest suffix that
    ends at more positions. Source: Blumer et al. 1985, "The smallest automaton recognizing the subwords of
    a text".
    """

    def __init__(self) -> None:
        self._next: list[dict[Hashable, int]] = [{}]
        self._link = [-1]
        self._length = [0]
        self._end = [0]
        """Index after the last word of a state's runs, at their first occurrence."""

    def add(self, words: Sequence[Hashable], start: int, end: int) -> None:
        """Add the words from `start` to `end`; runs do not cross stretches."""
        last = 0
        for at in range(start, end):
            last = self._extend(last, words[at], at + 1)

    def _extend(self, last: int, word: Hashable, end: int) -> int:
        target = self._next[last].get(word)
        if target is not None and self._length[target] == self._length[last] + 1:
            return target
        state = -1 if target is not None else self._state({}, self._length[last] + 1, end)
        at = last
        while target is None and at >= 0:
            self._next[at][word] = state
            at = self._link[at]
            target = self._next[at].get(word) if at >= 0 else None
        if target is None:
            self._link[state] = 0
            return state
        return self._split(state, at, target, word)

    def _split(self, state: int, at: int, target: int, word: Hashable) -> int:
        """Give the runs that `state` shares with a state of longer ones a state of their own."""
        shared = target
        if self._length[target] != self._length[at] + 1:
            shared = self._state(dict(self._next[target]), self._length[at] + 1, self._end[target])
            self._link[shared] = self._link[target]
            self._link[target] = shared
            while at >= 0 and self._next[at].get(word) == target:
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
        """Yield the runs of words that cannot be extended on either side."""
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
_MIN_RUN_WORDS = 8
"""Shorter runs often occur by chance. Chosen, not measured."""
_MAX_NAME_SHARE = 0.6
"""Share of names and figures in a run from which on it is ignored. Chosen, not measured."""
_MIN_QUOTED_WORDS = 2
"""Fewer words between quotation marks are no quotation. Chosen, not measured."""
_MAX_FINDINGS = 50


class OverlapStats(NamedTuple):
    """How much of a draft is copied from its source, outside quotations."""

    longest: int
    """Words of the longest run."""
    share: float
    """Part of the words in copied runs of eight or more, 0 to 1."""
    density: float
    """Mean length of a word's run, runs of one included. Source: Grusky, Naaman and Artzi 2018."""


def check_overlap(
    draft: TokenizedText, source: TokenizedText, limits: CheckLevels, exempt: Iterable[tuple[int, int]] = ()
) -> list[Finding]:
    """Return findings about copied runs; `exempt` are spans of the draft that may equal the source.

    If too large a share of the draft is copied, one finding without a span blocks, and shorter runs warn.
    """
    own = _own_words(draft, exempt)
    runs = _copied_runs(draft, source, own, _MIN_RUN_WORDS)
    runs = [run for run in runs if not _is_mostly_names(draft, run)]
    share = _share(runs, own)
    copied_words = _count_words(runs)
    too_much = share >= limits.overlap_block_share and copied_words >= limits.overlap_block_words
    min_words = _MIN_RUN_WORDS if too_much else limits.overlap_warn_words
    long = [run for run in runs if run.length >= min_words][:_MAX_FINDINGS]
    findings = [_finding(draft, source, run, limits) for run in long]
    if too_much:
        # The finding's key depends on the message.
        message = f"{share:.0%} of the text stands word for word in the source: write it anew."
        findings.insert(0, Finding(kind=KIND, severity=Severity.BLOCK, message=message))
    return findings


def overlap_stats(
    draft: TokenizedText, source: TokenizedText, exempt: Iterable[tuple[int, int]] = ()
) -> OverlapStats:
    """Return how much of a draft is copied, names and figures included."""
    own = _own_words(draft, exempt)
    runs = _copied_runs(draft, source, own, 1)
    long = [run for run in runs if run.length >= _MIN_RUN_WORDS]
    lengths, behind = 0, 0
    for run in sorted(runs, key=lambda run: (run.start, -run.length)):
        new = run.start + run.length - max(behind, run.start)
        lengths += max(0, new) ** 2
        behind = max(behind, run.start + run.length)
    words = max(1, sum(own))
    return OverlapStats(max((run.length for run in runs), default=0), _share(long, own), lengths / words)


def _own_words(draft: TokenizedText, exempt: Iterable[tuple[int, int]]) -> list[bool]:
    """Return for each word whether it is the writer's own: neither quoted nor in an `exempt` span."""
    own = [True] * len(draft.words)
    quoted = (draft.between(quote.start, quote.end) for quote in extract_quotes(draft.text))
    quotations = (place for place in quoted if place[1] - place[0] >= _MIN_QUOTED_WORDS)
    for first, behind in (*quotations, *(draft.between(*place) for place in exempt)):
        own[first:behind] = [False] * (behind - first)
    return own


def _copied_runs(
    draft: TokenizedText, source: TokenizedText, own: Sequence[bool], min_words: int
) -> list[SharedRun]:
    # A quoted word is replaced by its index, which equals no word of a source.
    words = [word if is_own else at for at, (word, is_own) in enumerate(zip(draft.folded, own, strict=True))]
    return shared_runs(words, source.folded, min_words)


def _is_mostly_names(draft: TokenizedText, run: SharedRun) -> bool:
    """Tell whether a run is mostly names, titles and figures."""
    words = [draft.words[at].text for at in range(run.start, run.start + run.length)]
    return sum(not word[0].islower() for word in words) >= _MAX_NAME_SHARE * run.length


def _count_words(runs: Iterable[SharedRun]) -> int:
    """Return how many words are in runs, which are in order and may overlap."""
    count = behind = 0
    for run in runs:
        count += max(0, run.start + run.length - max(behind, run.start))
        behind = max(behind, run.start + run.length)
    return count


def _share(runs: Iterable[SharedRun], own: Sequence[bool]) -> float:
    return _count_words(runs) / max(1, sum(own))


def _finding(draft: TokenizedText, source: TokenizedText, run: SharedRun, limits: CheckLevels) -> Finding:
    words = draft.words[run.start : run.start + run.length]
    theirs = source.words[run.source : run.source + run.length]
    severity = Severity.BLOCK if run.length >= limits.overlap_block_words else Severity.WARN
    return Finding(
        kind=KIND,
        severity=severity,
        message=f"These {run.length} words are copied from the source: use your own words, or quote them.",
        span=(words[0].start, words[-1].end),
        evidence=((theirs[0].start, theirs[-1].end),),
    )
