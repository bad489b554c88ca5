"""Word diff of two texts. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
_MAX_TOKENS = 4_000
"""Longest changed passage that is compared word by word, in tokens; a longer one is shown whole.

Source: chosen, not measured: the comparison takes quadratic time.
"""

Kind = Literal["same", "gone", "new"]


class Piece(NamedTuple):
    """A part of the text that is in both texts, or in one of them."""

    kind: Kind
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Return pieces in order: same and gone join to `before`, same and new join to `after`."""
    return _joined(_by_lines(before.splitlines(keepends=True), after.splitlines(keepends=True)))


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Piece]:
    """Yield pieces; differing lines are compared word by word."""
    for tag, start, end, new_start, new_end in SequenceMatcher(
        a=before, b=after, autojunk=False
    ).get_opcodes():
        old, new = "".join(before[start:end]), "".join(after[new_start:new_end])
        if tag == "equal":
            yield Piece("same", old)
        else:
            yield from _by_words(old, new)


def _by_words(before: str, after: str) -> Iterator[Piece]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) > _MAX_TOKENS or len(new) > _MAX_TOKENS:
        yield from (Piece("gone", before), Piece("new", after))
        return
    for _tag, start, end, new_start, new_end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if old[start:end] == new[new_start:new_end]:
            yield Piece("same", "".join(old[start:end]))
        else:
            yield Piece("gone", "".join(old[start:end]))
            yield Piece("new", "".join(new[new_start:new_end]))


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Return pieces without empty ones, with neighbours of one kind joined."""
    joined: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if joined and joined[-1].kind == piece.kind:
            joined[-1] = Piece(piece.kind, joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return joined
