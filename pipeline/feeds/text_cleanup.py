"""Repairs mojibake, removes invisible characters and normalizes white space."""

import re

from ftfy import fix_encoding
from ftfy.badness import is_bad

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed; DEL; C1
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, zero width
    "\ud800-\udfff\ufffe\uffff"  # surrogates and noncharacters
    "\U000e0000-\U000e0fff"  # tags: prompt injection that only a model reads
    "]"
)
# Persian, Indic scripts and emoji need joiners; between Latin letters they only hide text.
_JOINERS = re.compile("(?<![\u0600-\U0010ffff])[\u200c\u200d]+|(?<=[\u200c\u200d])[\u200c\u200d]+")
_SUSPECTS = re.compile("[^\x00-\x7f](?:[^\x00-\x7f]+|(?<=[\x80-\x9fÃÂŒœ]))")
"""Possible mojibake: each of ftfy's signs has two such characters in a row, or one of the last class."""
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")


def is_mojibake(text: str) -> bool:
    """Return whether a text may have been decoded with the wrong charset (no false negatives)."""
    if text.isascii():
        return False
    # ftfy's own search of a whole text is slow.
    spans = (match.span() for match in _SUSPECTS.finditer(text))
    return is_bad("\n".join([text[max(0, start - 2) : end + 2] for start, end in spans]))


def fix_mojibake(text: str) -> str:
    """Return the text with mojibake repaired, line by line, so that one bad line changes no other."""
    if not is_mojibake(text):
        return text
    return "\n".join(line if line.isascii() else fix_encoding(line) for line in text.split("\n"))


def strip_invisible(text: str) -> str:
    """Return the text without control, zero-width, bidi and tag characters, with line feeds as line ends."""
    if text.isascii() and text.isprintable():
        return text
    return _JOINERS.sub("", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))


def is_clean(text: str) -> bool:
    """Return True only if `strip_invisible` would change nothing; False may be wrong. A fast check."""
    # str.isprintable() accepts variation selectors, which can hide bytes.
    return text.replace("\n", "").isprintable() and b"\xf3\xa0" not in text.encode()


def collapse_spaces(text: str) -> str:
    """Return the text with one space for each run of tabs, line ends and (non-breaking) spaces."""
    for space in "\t\n\r\xa0":
        text = text.replace(space, " ")
    while "  " in text:  # halves each run
        text = text.replace("  ", " ")
    return text


def normalize_space(text: str) -> str:
    """Return visible text with single spaces within lines and single blank lines. Linear time."""
    lines: list[str] = []
    for line in strip_invisible(text).split("\n"):
        words = " ".join(line.split())
        if words == "-" or (not words and (not lines or not lines[-1])):
            continue  # a list item without text, or another blank line
        lines.append(words)
    return "\n".join(lines).strip()


def clean_plain_text(text: str) -> str:
    """Return plain text (no markup) with mojibake repaired and white space normalized."""
    return normalize_space(fix_mojibake(text))


def one_line(text: str, max_chars: int = 300) -> str:
    """Return text as one line of at most `max_chars` characters, cut at a word with `…`."""
    return shorten(" ".join(strip_invisible(fix_mojibake(text)).split()), max_chars)


def shorten(line: str, max_chars: int) -> str:
    """Return a line of at most `max_chars` characters, cut at a word, or within a longer one, with `…`."""
    if len(line) <= max_chars:
        return line
    head = line[:max_chars]
    words = head.rpartition(" ")[0].rstrip(" ,;:.-–—")
    return (words or head[:-1]) + "…"
