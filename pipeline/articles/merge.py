"""Three-way merge of texts by sentence: what two editors changed in different sentences is one text. Pure.

Changes of one sentence, or two insertions at one place, are a conflict, unless they are equal.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.articles.sentence_diff import Change, changes, tokens, trimmed


class Conflict(NamedTuple):
    """A place that both sides changed, in different ways."""

    base: str
    mine: str
    theirs: str
    place: int
    """Offset in the base text."""
    field: str = "body"
    """The field of the article that it is in."""

    @property
    def key(self) -> str:
        """What names this conflict in a form: the same texts at the same place have the same key."""
        parts = (self.field, str(self.place), self.base, self.mine, self.theirs)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


class Merged(NamedTuple):
    """A merge: text and conflicts in their order."""

    pieces: tuple[str | Conflict, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The places that somebody has to decide on."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Conflict))

    @property
    def text(self) -> str | None:
        """The merged text; None while there are conflicts."""
        if self.conflicts:
            return None
        text = ""
        for piece in self.pieces:
            text = _behind(text, str(piece))
        return text

    def settled(self, choices: Mapping[str, str]) -> "Merged":
        """Return the merge with the text that was chosen in the place of each conflict, by its key."""
        return Merged(
            tuple(
                choices.get(piece.key, piece) if isinstance(piece, Conflict) else piece
                for piece in self.pieces
            )
        )


def merge(base: str, mine: str, theirs: str) -> Merged:
    """Merge two texts that were written from `base`."""
    for one_side, other in ((mine, theirs), (theirs, mine)):
        if one_side in (base, other):
            return Merged((other,))
    old, sides = tokens(base), (tokens(mine), tokens(theirs))
    changed = tuple(changes(old, side) for side in sides)
    offsets = [0]
    for token in old:
        offsets.append(offsets[-1] + len(token))
    pieces: list[str | Conflict] = []
    done = 0
    for start, end, groups in _regions(*changed):
        pieces.extend(old[done:start])
        own_part, other_part = (
            _rendered(old, side, group, start, end) for side, group in zip(sides, groups, strict=True)
        )
        pieces.extend(_decided("".join(old[start:end]), own_part, other_part, offsets[start]))
        done = end
    return Merged(_joined((*pieces, *old[done:])))


def two_way(mine: str, theirs: str) -> Merged:
    """Return two texts whose common base is not known: every difference is a conflict."""
    old, new = tokens(theirs), tokens(mine)
    pieces: list[str | Conflict] = []
    done = place = 0
    for change in changes(old, new):
        same = "".join(old[done : change.start])
        place += len(same)
        own, other = "".join(new[change.new_start : change.new_end]), "".join(old[change.start : change.end])
        pieces.extend((same, Conflict("", own, other, place)))
        done, place = change.end, place + len(other)
    return Merged(_joined((*pieces, *old[done:])))


_Groups = tuple[list[Change], list[Change]]


def _regions(mine: Sequence[Change], theirs: Sequence[Change]) -> Iterator[tuple[int, int, _Groups]]:
    """Yield the ranges of the base that were changed, each with the changes of both sides in it.

    Changes that overlap are in one range; those that only touch are not. Insertions at one place are.
    """
    every = sorted([(change, 0) for change in mine] + [(change, 1) for change in theirs], key=_by_place)
    start = end = -1
    groups: _Groups = ([], [])
    for change, side in every:
        same_place = change.start == change.end == start == end
        if not (change.start < end or same_place):
            if start >= 0:
                yield start, end, groups
            start, end, groups = change.start, change.end, ([], [])
        end = max(end, change.end)
        groups[side].append(change)
    if start >= 0:
        yield start, end, groups


def _by_place(changed: tuple[Change, int]) -> tuple[int, int]:
    return changed[0].start, changed[0].end


def _rendered(
    old: Sequence[str], new: Sequence[str], group: Sequence[Change], start: int, end: int
) -> list[str]:
    """Return the tokens old[start:end] with one side's changes."""
    result: list[str] = []
    for change in group:
        result.extend(old[start : change.start])
        result.extend(new[change.new_start : change.new_end])
        start = change.end
    result.extend(old[start:end])
    return result


def _decided(base: str, mine: list[str], theirs: list[str], place: int) -> Iterator[str | Conflict]:
    """Yield the merged text of a region; a conflict without the tokens with which both begin and end."""
    texts = {"".join(mine), "".join(theirs)} - {base}
    if len({" ".join(text.split()) for text in texts}) < 2:
        # White space alone is no question: the longer is kept, whichever side it is on.
        yield max(texts, key=lambda text: (len(text), text), default=base)
        return
    start, end, new_start, new_end = trimmed(mine, theirs, Change(0, len(mine), 0, len(theirs)))
    own, other = "".join(mine[start:end]), "".join(theirs[new_start:new_end])
    both_added_the_same = not base and not (own and other)
    yield "".join(mine[:start])
    yield own + other if both_added_the_same else Conflict(base, own, other, place)
    yield "".join(mine[end:])


def _behind(text: str, piece: str) -> str:
    """Return a text with a piece after it: words that stand side by side in neither text are kept apart.

    The last line of a text may have no end; a sentence of the other text begins a new one then.
    """
    if text and piece and piece[0].isalnum() and (text[-1].isalnum() or _ends_sentence(text[-1], piece)):
        return f"{text}\n{piece}"
    return text + piece


def _ends_sentence(char: str, following: str) -> bool:
    """Whether a sentence ends, and what follows is of a script with spaces (those up to U+2E80)."""
    return char in ".!?…" and following[0] < "\u2e80"


def _joined(pieces: Sequence[str | Conflict]) -> tuple[str | Conflict, ...]:
    """Return pieces without empty ones, texts in a row as one."""
    result: list[str | Conflict] = []
    for piece in pieces:
        if isinstance(piece, str) and result and isinstance(result[-1], str):
            result[-1] = _behind(result[-1], piece)
        elif piece != "":
            result.append(piece)
    return tuple(result)
