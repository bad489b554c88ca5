"""Removes invisible characters from a text before a model reads it, against hidden prompt injection.

Invisible characters can carry text: tag characters spell ASCII, variation selectors carry bytes, zero-width
characters carry bits or split a word. Those that a script or an emoji needs stay, one at each position.
"""

import re
from unicodedata import category, combining

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks without a glyph: combining grapheme joiner, Hangul fillers, Khmer inherent vowels."""
_VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Format characters with a glyph. Source: Unicode's property Prepended_Concatenation_Mark."""
_LINE_BREAKS = frozenset("\x85\u2028\u2029")
_BLANK = "\u2800"
_JOINERS = "\u200c\u200d"
_BLACK_FLAG = "\U0001f3f4"
_TAG_FLAGS = re.compile(
    _BLACK_FLAG + "(?:" + "|".join("".join(chr(0xE0000 + ord(char)) for char in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")) + ")"
)  # fmt: skip
"""The flags made of tag characters: England, Scotland, Wales. Source: https://www.unicode.org/reports/tr51/"""
_JOINING = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]")
"""Scripts in which a joiner changes the form of letters: Arabic, Indic, Khmer, Mongolian."""
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KEYCAP = frozenset("#*0123456789")
_UNASSIGNED = ((0x1F000, 0x1FAFF), (0x20000, 0x3FFFD))
"""Blocks of future emoji and ideographs: unassigned in this Python, perhaps known to the reader's browser."""


def strip_hidden_text(text: str) -> str:
    """Return the text without hidden characters, in linear time.

    Line and paragraph separators become line feeds, a Braille blank becomes a space. Lone surrogates stay.
    """
    suspects = "".join(char for char in set(text) if _may_be_hidden(char))
    if not suspects:
        return text
    # Flags first, because their tag characters are allowed only inside them.
    hidden = re.compile(f"{_TAG_FLAGS.pattern}|[{re.escape(suspects)}]+")
    return hidden.sub(_replacement, text)


def _may_be_hidden(char: str) -> bool:
    kind = category(char)
    if kind in ("Cf", "Co", "Cc"):
        return char not in _VISIBLE and char not in "\n\t"
    if kind == "Cn":
        return not any(low <= ord(char) <= high for low, high in _UNASSIGNED) or ord(char) & 0xFFFE == 0xFFFE
    return char in _INVISIBLE or char in _LINE_BREAKS or char == _BLANK or _is_selector(char)


def _is_selector(char: str) -> bool:
    """Tell whether a character chooses the glyph of the one before it."""
    return (
        "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
    )


def _replacement(match: re.Match[str]) -> str:
    run = match[0]
    if run[0] == _BLACK_FLAG:
        return run
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    blanks = (char for char in run if char in _LINE_BREAKS or char == _BLANK)
    visible = "".join(" " if char == _BLANK else "\n" for char in blanks)
    return visible or _allowed_prefix(before, run, after)


def _allowed_prefix(before: str, run: str, after: str) -> str:
    """Return the variation selector and the joiner at the start of a run, if they are allowed there."""
    selector = run[0] if _is_selector(run[0]) and _takes_selector(before, run[0]) else ""
    joiner = run[len(selector) : len(selector) + 1]
    is_single = joiner and joiner in _JOINERS and len(run) == len(selector) + 1
    return selector + (joiner if is_single and _takes_joiner(before, joiner, after) else "")


def _takes_selector(before: str, selector: str) -> bool:
    if not before:
        return False
    if selector in "\ufe0e\ufe0f":
        return category(before) in ("So", "Sm", "Po", "Pd") or before in _KEYCAP or _is_pictograph(before)
    if "\u180b" <= selector <= "\u180f":
        return "\u1800" <= before <= "\u18af"
    return _IDEOGRAPH.match(before) is not None or category(before) == "Sm"


def _takes_joiner(before: str, joiner: str, after: str) -> bool:
    if not before or not after:
        return False
    if joiner == "\u200d" and _is_pictograph(before) and _is_pictograph(after):
        return True
    # A joiner may follow a virama (combining class 9) at the end of a word.
    return bool(_JOINING.match(before)) and (bool(_JOINING.match(after)) or combining(before) == 9)


def _is_pictograph(char: str) -> bool:
    """Tell whether a character is an emoji or a skin tone modifier."""
    return (
        category(char) == "So" or "\U0001f000" <= char <= "\U0001faff" or char in "\u2640\u2642\u2194\u2195"
    )
