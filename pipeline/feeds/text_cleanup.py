"""Repairs text that somebody damaged on its way to us, and takes out what no reader can see."""

import re

from ftfy import fix_encoding
from ftfy.badness import is_bad

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed; DEL; C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, zero width
    "\ud800-\udfff\ufffe\uffff"  # halves of characters, and none at all
    "\U000e0000-\U000e0fff"  # tags: text that only a model reads
    "]"
)
# Joiners spell Persian, Indic scripts and emoji; between Latin letters they only hide something.
_JOINERS = re.compile("(?<![\u0600-\U0010ffff])[\u200c\u200d]+|(?<=[\u200c\u200d])[\u200c\u200d]+")
_SUSPECTS = re.compile("[^\x00-\x7f](?:[^\x00-\x7f]+|(?<=[\x80-\x9fÃÂŒœ]))")
"""Where damage can be: ftfy's every sign of it has two such characters side by side, or one of the last."""
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")


def is_mojibake(text: str) -> bool:
    """Tell whether any of a text may have been decoded with the wrong charset; never wrongly no."""
    if text.isascii():
        return False
    # Few characters of most texts: ftfy's own search is slow.
    places = (found.span() for found in _SUSPECTS.finditer(text))
    return is_bad("\n".join([text[max(0, start - 2) : end + 2] for start, end in places]))


def fix_mojibake(text: str) -> str:
    """Undo text that was decoded with the wrong charset, line by line: one bad line spoils no other."""
    if not is_mojibake(text):
        return text
    return "\n".join(line if line.isascii() else fix_encoding(line) for line in text.split("\n"))


def strip_invisible(text: str) -> str:
    """Return the text without control, zero-width, bidi and tag characters; line ends become line feeds."""
    return _JOINERS.sub("", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))


def clean(text: str) -> bool:
    """Tell whether `visible` has nothing to take out; wrongly not, at times, but never wrongly."""
    # Python prints what selects a glyph's variant, and that is where one hides bytes.
    return text.replace("\n", "").isprintable() and b"\xf3\xa0" not in text.encode()


def collapsed(text: str) -> str:
    """Return the text with one space for each run of white space of the common kinds."""
    for space in "\t\n\r\xa0":
        text = text.replace(space, " ")
    while "  " in text:  # halves each run
        text = text.replace("  ", " ")
    return text


def normalize_space(text: str) -> str:
    """Collapse spaces within lines and blank lines to one; takes time in proportion to the text."""
    kept: list[str] = []
    for line in strip_invisible(text).split("\n"):
        words = " ".join(line.split())
        if words == "-" or (not words and (not kept or not kept[-1])):
            continue  # a list item without text, or another blank line
        kept.append(words)
    return "\n".join(kept).strip()


def plain(text: str) -> str:
    """Return text that is no markup, repaired and tidied."""
    return normalize_space(fix_mojibake(text))


def one_line(text: str, most: int = 300) -> str:
    """Return text as a single line of at most `most` characters, cut at a word with `…`."""
    return shorten(" ".join(strip_invisible(fix_mojibake(text)).split()), most)


def shorten(line: str, most: int) -> str:
    """Cut a line to at most `most` characters at a word, with `…`; a longer word is cut itself."""
    if len(line) <= most:
        return line
    head = line[:most]
    words = head.rpartition(" ")[0].rstrip(" ,;:.-–—")
    return (words or head[:-1]) + "…"
