"""Finds what a text says twice: its title, and its beginning, where a template adds the text to its excerpt.

Rules of the reader from version 2 on. Pure, linear time.
"""

_MIN_LINE_CHARS = 60
"""Characters of a first line that is not repeated by chance. Chosen, not measured."""
_SENTENCE_ENDS = (".", "!", "?", "…", ":")
_MAX_LINES = 60
"""Lines of a beginning that is compared. Chosen, not measured."""


def without_doubled_beginning(text: str) -> str:
    """Return a text without its first lines where the same lines follow right after them."""
    first = text.partition("\n")[0]
    if len(first) < _MIN_LINE_CHARS or text.find(f"\n{first}\n", len(first)) < 0:
        return text
    lines = text.split("\n")
    filled = [at for at, line in enumerate(lines[: 4 * _MAX_LINES]) if line]
    written = [lines[at] for at in filled]
    size = written.index(first, 1) if first in written[1 : _MAX_LINES + 1] else 0
    if not size or written[:size] != written[size : 2 * size]:
        return text
    return "\n".join(lines[filled[size] :])


def without_title(text: str, title: str) -> str:
    """Return a text without a first line that is its title; one that is a sentence may be the text's own."""
    first, blank, rest = text.partition("\n\n")
    if not blank or not title or first.casefold() != title.casefold() or first.endswith(_SENTENCE_ENDS):
        return text
    return rest.lstrip("\n") if len(rest) > len(title) else text
