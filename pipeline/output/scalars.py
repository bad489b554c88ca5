r"""How one piece of text is written in YAML: plain, quoted or as a block.

The style is js-yaml 3.14's (`lib/js-yaml/dumper.js`, `chooseScalarStyle`) with `lineWidth: -1`. It is left
only where a reader would see another value: what any of PyYAML, js-yaml 3 and 4, yaml 2, Hugo's Go yaml or
Ruby's psych takes for a number, date, boolean or null is quoted, and text whose line ends might be lost is
written in one line with `\n`.
"""

import re
from typing import Literal

Style = Literal["", "'", '"', "|"]
"""Plain, single quotes, double quotes, literal block: PyYAML's signs for them."""

_INDICATORS = frozenset("-?:,[]{}#&*!|=>'\"%@`")
_NEVER_PLAIN = re.compile(r"[,\[\]{}:]|[ \t]#")
_ESCAPED = re.compile("[^ -~\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""What js-yaml does not print as it is: controls, NBSP, LS, PS, BOM, all beyond the basic plane."""

_ESCAPES = {
    "\0": r"\0", "\a": r"\a", "\b": r"\b", "\t": r"\t", "\n": r"\n", "\v": r"\v", "\f": r"\f",
    "\r": r"\r", "\x1b": r"\e", '"': r"\"", "\\": r"\\", "\x85": r"\N", "\xa0": r"\_",
    "\u2028": r"\L", "\u2029": r"\P",
}  # fmt: skip

_AMBIGUOUS = re.compile(
    r"""
      ~ | <<                                                 # null, merge
    | null | true | false | yes | no | on | off | y | n      # in any case: psych ignores it
    | [-+]?[0-9.][0-9_.]*(?:e[-+]?[0-9_]*)?                  # decimal, octal, 08, 1_000, 1e3
    | [-+]?0x[0-9a-f_]* | [-+]?0o[0-7_]* | [-+]?0b[01_]*
    | [-+]?\.(?:inf|nan) | [-+]?(?:inf|infinity|nan)         # the bare words: strconv.ParseFloat in Go
    | -?[0-9]{4}-[0-9]{1,2}(?:-[0-9]{1,2})?(?:[Tt\s].*)?     # date and time
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII | re.DOTALL,
)
_UNSAFE_BLOCK = re.compile(r"\A[ \n]|\n\Z|^[ ]+$", re.MULTILINE)
"""Lines that need an indentation indicator, or that a fence cut off too early would change."""


def clean(text: str) -> str:
    """Return text that UTF-8 can hold: surrogate pairs joined, lone surrogates replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def choose_style(text: str, *, block: bool = True) -> Style:
    """Return the style to write `text` in; `block` says whether a literal block may stand here."""
    if "\n" in text:
        escaped = _ESCAPED.search(text.replace("\n", ""))
        return '"' if escaped or not block or _UNSAFE_BLOCK.search(text) else "|"
    if _ESCAPED.search(text):
        return '"'
    return "" if _is_plain(text) else "'"


def _is_plain(text: str) -> bool:
    return (
        text != ""
        and text[0] not in _INDICATORS
        and text == text.strip(" ")
        and not text.endswith("---")  # Zola takes that for the end of the front matter
        and not _NEVER_PLAIN.search(text)
        and not _AMBIGUOUS.fullmatch(text)
    )


def single_quoted(text: str) -> str:
    """Return `text` between single quotes; it holds no line end and nothing to be escaped."""
    return "'" + text.replace("'", "''") + "'"


def double_quoted(text: str) -> str:
    """Return `text` between double quotes, with js-yaml's escapes."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if not _ESCAPED.match(char):
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
