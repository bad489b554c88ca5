"""The differences of two texts by sentence. Pure.

A text is divided into sentences and the white space between them; no sentence goes beyond its line. The cost
is bounded, whatever the texts are.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from pipeline.domain.text import ends_in_ordinal, sentences

_LINE = re.compile(r"[^\r\n]+|[\r\n]+")
_MAX_PAIRS = 40_000
"""Largest comparison left to difflib, in pairs of tokens: its worst case is cubic. Chosen: at most 0.1 s."""
_MAX_ALL_PAIRS = 2_000_000
"""Most pairs compared for one text; what is beyond counts as one change. Chosen: at most 2 s."""
_MAX_DEPTH = 4
"""How often a comparison is divided at sentences that both texts have once. Chosen, not measured."""
_MIN_LIKENESS = 0.4
"""Share of common trigrams from which a sentence counts as another one changed. Chosen, not measured."""


class Change(NamedTuple):
    """Tokens old[start:end] that became new[new_start:new_end]."""

    start: int
    end: int
    new_start: int
    new_end: int


def moved(offset: int, old: str, new: str) -> int:
    """Return where the token at an offset of the old text is in the new one."""
    before, after = tokens(old), tokens(new)
    starts = [0]
    for token in before:
        starts.append(starts[-1] + len(token))
    shift = 0
    for change in changes(before, after):
        if starts[change.end] > offset:
            break
        shift += sum(map(len, after[change.new_start : change.new_end]))
        shift -= starts[change.end] - starts[change.start]
    return min(max(offset + shift, 0), len(new))


def tokens(text: str) -> list[str]:
    """Return the sentences of a text and the white space between them: joined, they are the text."""
    parts: list[str] = []
    for line in _LINE.findall(text):
        if line.isspace():
            parts.append(line)
            continue
        for sentence in _sentences(line):
            core = sentence.rstrip()
            parts.extend(part for part in (core, sentence[len(core) :]) if part)
    return parts


def _sentences(line: str) -> Iterator[str]:
    """Yield the sentences of a line; a full stop before a small letter or after a day's number ends none."""
    held = ""
    for sentence in sentences(line):
        goes_on = held.rstrip().endswith(".") and sentence[:1].islower()
        if held and not goes_on and not ends_in_ordinal(held):
            yield held
            held = ""
        held += sentence
    yield held


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """Return the differences between two lists of tokens, in their order."""
    budget = [_MAX_ALL_PAIRS]
    return list(_changes(old, new, Change(0, len(old), 0, len(new)), budget, _MAX_DEPTH))


def _changes(
    old: Sequence[str], new: Sequence[str], window: Change, budget: list[int], depth: int
) -> Iterator[Change]:
    window = trimmed(old, new, window)
    start, end, new_start, new_end = window
    if start == end or new_start == new_end:
        if start < end or new_start < new_end:
            yield window
        return
    pairs = (end - start) * (new_end - new_start)
    if pairs <= min(_MAX_PAIRS, budget[0]):
        budget[0] -= pairs
        yield from _compared(old, new, window)
        return
    anchors = _anchors(old, new, window) if depth else []
    if not anchors:
        yield window
        return
    for place, new_place in [*anchors, (end, new_end)]:
        inner = Change(start, place, new_start, new_place)
        yield from _changes(old, new, inner, budget, depth - 1)
        start, new_start = place + 1, new_place + 1


def trimmed(old: Sequence[str], new: Sequence[str], window: Change) -> Change:
    """Return a window without the tokens that both texts begin and end with."""
    start, end, new_start, new_end = window
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    return Change(start, end, new_start, new_end)


def _anchors(old: Sequence[str], new: Sequence[str], window: Change) -> list[tuple[int, int]]:
    """Return the places of sentences that both sides of a window have once, in one order (patience diff)."""
    start, end, new_start, new_end = window
    counts, new_counts = Counter(old[start:end]), Counter(new[new_start:new_end])
    places = {token: at for at, token in enumerate(new[new_start:new_end], new_start)}
    pairs = [
        (at, places[token])
        for at, token in enumerate(old[start:end], start)
        if counts[token] == new_counts[token] == 1
    ]
    return _longest_increasing(pairs)


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs whose second numbers increase; the first ones do."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for index, (_, value) in enumerate(pairs):
        at = bisect_left(tails, value)
        before.append(last[at - 1] if at else None)
        tails[at : at + 1] = [value]
        last[at : at + 1] = [index]
    chain: list[tuple[int, int]] = []
    current = last[-1] if last else None
    while current is not None:
        chain.append(pairs[current])
        current = before[current]
    return chain[::-1]


def _compared(old: Sequence[str], new: Sequence[str], window: Change) -> Iterator[Change]:
    """Yield a window's differences as difflib finds them; white space alone aligns nothing."""
    start, end, new_start, new_end = window
    matcher = SequenceMatcher(str.isspace, old[start:end], new[new_start:new_end], autojunk=False)
    for tag, low, high, new_low, new_high in matcher.get_opcodes():
        if tag != "equal":
            change = Change(start + low, start + high, new_start + new_low, new_start + new_high)
            yield from _by_sentence(old, new, change)


def _by_sentence(old: Sequence[str], new: Sequence[str], change: Change) -> Iterator[Change]:
    """Yield a change of several sentences as one of each, where each is like the one in its place."""
    pairs = list(zip(old[change.start : change.end], new[change.new_start : change.new_end], strict=False))
    same_length = change.end - change.start == change.new_end - change.new_start
    if not same_length or len(pairs) == 1 or not all(_is_like(*pair) for pair in pairs):
        yield change
        return
    for number, (before, after) in enumerate(pairs):
        if before != after:
            at, new_at = change.start + number, change.new_start + number
            yield Change(at, at + 1, new_at, new_at + 1)


def _is_like(before: str, after: str) -> bool:
    if before.isspace() or after.isspace() or before == after:
        return before.isspace() == after.isspace()
    ours, others = _trigrams(before), _trigrams(after)
    common = (ours & others).total()
    return 2 * common >= _MIN_LIKENESS * (ours.total() + others.total())


def _trigrams(sentence: str) -> Counter[str]:
    padded = f"  {sentence} "
    return Counter(padded[at : at + 3] for at in range(len(padded) - 2))
