"""Which sentences of one text became which of another. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

Pair = tuple[int | None, int | None]
"""A sentence of the first text and its counterpart in the second; None where there is none."""

_MIN_ALIKE = 0.4
"""Least share of common words of two sentences at one place that are one, changed. Chosen, not measured."""
_MIN_MOVED = 0.6
"""The same of two sentences at different places. Chosen, not measured."""
_MAX_PAIRS = 10_000
"""Most pairs of one changed passage that are compared by words; more count as removed and added. Chosen."""
_MAX_TEXTS = 4_000_000
"""Product of the numbers of sentences up to which the same ones are looked for. Chosen, not measured."""


def changed_sentences(before: Sequence[str], after: Sequence[str]) -> list[Pair]:
    """Return the sentences that differ between two texts, in the order of the second.

    A sentence that only stands elsewhere is no change. What was removed comes before what is in its place.
    """
    differ = [
        (old, new)
        for old, new in aligned(before, after)
        if old is None or new is None or before[old] != after[new]
    ]
    return _pair_rest(before, after, differ)


def aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[Pair]:
    """Yield the places in `old` and `new` of the same or a similar text; None where there is none. Pure.

    The order is that of both; what is gone comes before what is new in its place.
    """
    head, tail = _common_ends(old, new)
    behind, new_behind = len(old) - tail, len(new) - tail
    yield from ((place, place) for place in range(head))
    yield from _aligned(old, new, (head, behind), (head, new_behind))
    yield from zip(range(behind, len(old)), range(new_behind, len(new)), strict=True)


def _common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return with how many equal sentences both texts begin, and with how many others they end."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    rest = shorter - head
    return head, next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)


def _aligned(
    old: Sequence[str], new: Sequence[str], here: tuple[int, int], there: tuple[int, int]
) -> Iterator[Pair]:
    if (here[1] - here[0]) * (there[1] - there[0]) > _MAX_TEXTS:
        yield from ((place, None) for place in range(*here))
        yield from ((None, place) for place in range(*there))
        return
    matcher = SequenceMatcher(a=old[slice(*here)], b=new[slice(*there)], autojunk=False)
    for tag, *places in matcher.get_opcodes():
        start, end = places[0] + here[0], places[1] + here[0]
        new_start, new_end = places[2] + there[0], places[3] + there[0]
        if tag == "equal":
            yield from zip(range(start, end), range(new_start, new_end), strict=True)
        else:
            done, new_done = start, new_start
            for at, new_at in [*_similar(old, new, (start, end), (new_start, new_end)), (end, new_end)]:
                yield from ((place, None) for place in range(done, at))
                yield from ((None, place) for place in range(new_done, new_at))
                if at < end:
                    yield at, new_at
                done, new_done = at + 1, new_at + 1


def _similar(
    old: Sequence[str], new: Sequence[str], here: tuple[int, int], there: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the pairs of similar texts of two passages, in order, that are most similar together."""
    before = [_words(text) for text in old[slice(*here)]]
    after = [_words(text) for text in new[slice(*there)]]
    if len(before) * len(after) > _MAX_PAIRS:
        return []
    # best[i][j]: the similarity of the best pairs of the first i and the first j texts.
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    alike = [[_likeness(each, other) for other in after] for each in before]
    for i, row in enumerate(alike):
        for j, value in enumerate(row):
            paired = best[i][j] + value if value >= _MIN_ALIKE else 0.0
            best[i + 1][j + 1] = max(best[i][j + 1], best[i + 1][j], paired)
    pairs, i, j = [], len(before), len(after)
    while i and j:
        if best[i][j] == best[i - 1][j]:
            i -= 1
        elif best[i][j] == best[i][j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((here[0] + i, there[0] + j))
    return pairs[::-1]


def _pair_rest(before: Sequence[str], after: Sequence[str], changes: list[Pair]) -> list[Pair]:
    """Return changes in which a removed and an added sentence that are alike are one, or none if equal."""
    removed = [old for old, new in changes if old is not None and new is None]
    added = [new for old, new in changes if new is not None and old is None]
    if not removed or not added or len(removed) * len(added) > _MAX_PAIRS:
        return changes
    words = {old: _words(before[old]) for old in removed}
    others = {new: _words(after[new]) for new in added}
    scores = sorted(
        (-score, old, new)
        for old in removed
        for new in added
        if (score := _likeness(words[old], others[new])) >= _MIN_MOVED
    )
    pairs: dict[int, int] = {}
    for _, old, new in scores:
        if old not in pairs and new not in pairs.values():
            pairs[old] = new
    came_from = {new: old for old, new in pairs.items()}
    joined = [
        (came_from.get(new) if old is None and new is not None else old, new)
        for old, new in changes
        if new is not None or old not in pairs
    ]
    return [(old, new) for old, new in joined if old is None or new is None or before[old] != after[new]]


def _words(sentence: str) -> Counter[str]:
    return Counter(sentence.casefold().split())


def _likeness(first: Counter[str], second: Counter[str]) -> float:
    """Return the part of two texts' words that both have (Dice's coefficient)."""
    return 2 * (first & second).total() / max(1, first.total() + second.total())
