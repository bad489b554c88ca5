"""Runs of words that two texts share: all of them, exactly, in time that grows with the texts alone."""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """Words that stand in a draft as they do in its source; numbers of words."""

    start: int
    """Of the first word in the draft."""
    source: int
    """Of the first word in the source, where it stands first."""
    length: int


def copied_runs(draft: Sequence[Hashable], source: Sequence[Hashable], least: int) -> list[Run]:
    """Return the longest runs of at least `least` words that stand in both, in the draft's order.

    None of them lies within another one; they may overlap.
    """
    if least < 1:
        raise ValueError("a run has one word at least")
    shared = _grams(draft, least) & _grams(source, least)
    if not shared:
        return []
    automaton = _Automaton()
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


class _Automaton:
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

    def longest(self, words: Sequence[Hashable]) -> Iterator[Run]:
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

    def _run(self, match: tuple[int, int], end: int) -> Run:
        state, length = match
        return Run(end - length, self._end[state] - length, length)
