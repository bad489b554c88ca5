"""Which sentences of one text became which of another. Pure."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

Change = tuple[int | None, int | None]
"""A sentence of the first text and its counterpart in the second; None where there is none."""

_MIN_ALIKE = 0.4
"""Least share of common words of two sentences at one place that are one, changed. Chosen, not measured."""
_MIN_MOVED = 0.6
"""The same of two sentences at different places. Chosen, not measured."""
_MAX_PAIRS = 10_000
"""Most pairs that are compared by words; beyond, sentences are paired in order. Chosen, not measured."""


def changed_sentences(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Return the sentences that differ between two texts, in the order of the second.

    A sentence that only stands elsewhere is no change. What was removed follows the change before it.
    """
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    blocks = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    changes = [
        change
        for _, start, end, low, high in blocks
        for change in _pair_block(before, after, range(start, end), range(low, high))
    ]
    return _pair_rest(before, after, changes)


def _pair_block(before: Sequence[str], after: Sequence[str], old: range, new: range) -> list[Change]:
    """Return the sentences of a changed block in pairs that keep their order and are most alike."""
    if len(old) * len(new) > _MAX_PAIRS:
        both = min(len(old), len(new))
        rest: list[Change] = [(number, None) for number in old[both:]]
        return [*zip(old[:both], new[:both], strict=True), *rest, *((None, number) for number in new[both:])]
    alike = [[_likeness(before[row], after[column], _MIN_ALIKE) for column in new] for row in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for row in reversed(range(len(old))):
        for column in reversed(range(len(new))):
            paired = alike[row][column] + best[row + 1][column + 1] if alike[row][column] else 0.0
            best[row][column] = max(best[row + 1][column], best[row][column + 1], paired)
    return _walk(alike, best, old, new)


def _walk(alike: list[list[float]], best: list[list[float]], old: range, new: range) -> list[Change]:
    changes: list[Change] = []
    row = column = 0
    while row < len(old) or column < len(new):
        here = best[row][column]
        if (
            row < len(old)
            and column < len(new)
            and alike[row][column]
            and (here == alike[row][column] + best[row + 1][column + 1])
        ):
            changes.append((old[row], new[column]))
            row, column = row + 1, column + 1
        elif row < len(old) and here == best[row + 1][column]:
            changes.append((old[row], None))
            row += 1
        else:
            changes.append((None, new[column]))
            column += 1
    return changes


def _pair_rest(before: Sequence[str], after: Sequence[str], changes: list[Change]) -> list[Change]:
    """Return changes in which a removed and an added sentence that are alike are one, or none if equal."""
    removed = [old for old, new in changes if old is not None and new is None]
    added = [new for old, new in changes if new is not None and old is None]
    if not removed or not added or len(removed) * len(added) > _MAX_PAIRS:
        return changes
    scores = sorted(
        (-score, old, new)
        for old in removed
        for new in added
        if (score := _likeness(before[old], after[new], _MIN_MOVED))
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


def _likeness(sentence: str, other: str, minimum: float) -> float:
    """Return the share of words that two sentences have in common, 0 to 1; 0 below `minimum`."""
    if sentence == other:
        return 1.0
    words, others = Counter(sentence.casefold().split()), Counter(other.casefold().split())
    total = words.total() + others.total()
    share = 2 * (words & others).total() / total if total else 0.0
    return share if share >= minimum else 0.0
