"""Leaves out of a text what its readers would not see, before a model reads it.

Text hides in characters without a shape: tags spell ASCII, runs of variation selectors carry bytes,
zero-width characters carry bits or part a word. Those that a script or an emoji is spelled with stay, one at
a place.
"""

import re
from unicodedata import category, combining

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that have no shape: the grapheme joiner, fillers of Hangul, vowels of Khmer."""
_SHAPED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters that are drawn: signs over numbers."""
_BREAKS = frozenset("\x85\u2028\u2029")
_BLANK = "\u2800"
_JOINERS = "\u200c\u200d"
_FLAG = "\U0001f3f4"
_FLAGS = re.compile(
    _FLAG + "(?:" + "|".join("".join(chr(0xE0000 + ord(char)) for char in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")) + ")"
)  # fmt: skip
"""All the flags that are spelled with tags."""
_JOINING = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]")
"""Scripts whose letters take other shapes with a joiner or without: Arabic, Indic, Khmer, Mongolian."""
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KEYCAP = frozenset("#*0123456789")
_NEWER = ((0x1F000, 0x1FAFF), (0x20000, 0x3FFFD))
"""Where new emoji and ideographs come: unassigned to this Python, but not to the reader's browser."""


def strip_hidden_text(text: str) -> str:
    """Return the text as its readers see it; takes time in proportion to the text.

    Line and paragraph separators become line feeds, a blank of Braille a space. Lone surrogates stay.
    """
    suspects = "".join(char for char in set(text) if _suspect(char))
    if not suspects:
        return text
    # Flags come first: their tags are met as a part of them, and nowhere else.
    shapeless = re.compile(f"{_FLAGS.pattern}|[{re.escape(suspects)}]+")
    return shapeless.sub(_kept, text)


def _suspect(char: str) -> bool:
    kind = category(char)
    if kind in ("Cf", "Co", "Cc"):
        return char not in _SHAPED and char not in "\n\t"
    if kind == "Cn":
        return not any(low <= ord(char) <= high for low, high in _NEWER) or ord(char) & 0xFFFE == 0xFFFE
    return char in _UNSEEN or char in _BREAKS or char == _BLANK or _selects(char)


def _selects(char: str) -> bool:
    """Tell whether a character chooses the glyph of the one before it."""
    return (
        "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
    )


def _kept(found: re.Match[str]) -> str:
    run = found[0]
    if run[0] == _FLAG:
        return run
    before = found.string[found.start() - 1 : found.start()]
    after = found.string[found.end() : found.end() + 1]
    shown = "".join("\n" if char in _BREAKS else " " for char in run if char in _BREAKS or char == _BLANK)
    return shown or _spelling(before, run, after)


def _spelling(before: str, run: str, after: str) -> str:
    """Return the one selector and the one joiner that a run begins with, where they spell something."""
    selector = run[0] if _selects(run[0]) and _selectable(before, run[0]) else ""
    joiner = run[len(selector) : len(selector) + 1]
    spelled = joiner and joiner in _JOINERS and len(run) == len(selector) + 1
    return selector + (joiner if spelled and _joinable(before, joiner, after) else "")


def _selectable(before: str, selector: str) -> bool:
    if not before:
        return False
    if selector in "\ufe0e\ufe0f":
        return category(before) in ("So", "Sm", "Po", "Pd") or before in _KEYCAP or _pictured(before)
    if "\u180b" <= selector <= "\u180f":
        return "\u1800" <= before <= "\u18af"
    return _IDEOGRAPH.match(before) is not None or category(before) == "Sm"


def _joinable(before: str, joiner: str, after: str) -> bool:
    if not before or not after:
        return False
    if joiner == "\u200d" and _pictured(before) and _pictured(after):
        return True
    # A joiner may end a word behind the sign that takes its vowel away (virama).
    return bool(_JOINING.match(before)) and (bool(_JOINING.match(after)) or combining(before) == 9)


def _pictured(char: str) -> bool:
    """Tell whether a character is an emoji, or the colour of its skin."""
    return (
        category(char) == "So" or "\U0001f000" <= char <= "\U0001faff" or char in "\u2640\u2642\u2194\u2195"
    )
