"""Capitalised words of a text, and runs of them with nothing but small words between."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from unicodedata import normalize

_MARK = "\u0300-\u036f"
"""Combining accents: a decomposed text has them after their letters."""
_REST = rf"[^\W\d_](?:[^\W_]++|[{_MARK}]++)*+(?:['’.&](?:[^\W_]++|[{_MARK}]++)++)*+\.?"
_NUMBERED = r"(?<!\d)\d++[^\W\d_]{3,}\w*"
NAME_WORD = re.compile(rf"(?<![^\W_]){_REST}|{_NUMBERED}")
"""A word that may be one of a name, with the signs inside it: AT&T, U.S., O'Brien, 4chan."""
_PLAIN_WORD = rf"[a-z]++(?![^\W_]|['’&{_MARK}]|\.[^\W_])"
_NAME_WORD_WITH_CAPITAL = re.compile(rf"(?<![^\W_])(?!{_PLAIN_WORD}){_REST}|{_NUMBERED}")
"""The same without plain words in lower case, which most words are."""
_OPENS = frozenset(".!?…¡¿:;•\"“”‘'«»()[]\n*>#|–—-")
"""What is before the first word of a sentence, quotation or line."""
_LETTERS = re.compile(r"[^\W\d_]+")
UNIT = re.compile(
    r"\d*(?:[kMGTPE]i?(?:B(?:ytes?|it|yte/s)?|bit|bps|b)|[kMGT]?Wh?p?|[kMGT]Hz|Hz|m?Ah|[kM]VA?|[kMGh]Pa|[kMG]J|kN|Nm|kB|KB|TWh|TEU"
    r"|[nµμm](?:Ah|Wh|A|V|W|F|H|T|L|Gy|Sv)|MBit|GBit|Mio|Mrd|PS|HP|RPM|FPS|DPI|BTU|MP|Mpx|V|A|W|J|K|C|F|GT|Mt|Gt|kt|dB)"
)
"""A unit of measurement, also with its number: GB, kWh. Source: the prefixes of the SI."""
_QUANTITY = re.compile(r"(?:[\d½]|(?<!\w)(?:per|pro|je|por)|[/×x])[ \u00a0\u202f-]?$")
"""What stands before a unit: a number, or what the unit counts by."""
_MAX_NAME_WORDS = 8
"""Maximum number of words of a name. Chosen, not measured."""
_BEFORE = 16
"""Characters read before and behind a word. Chosen, not measured."""


class NamePart(NamedTuple):
    """One word of a name."""

    text: str
    start: int
    end: int
    is_sentence_start: bool
    """It begins a sentence, a quotation or a line, where every word has a capital."""
    following: str = ""
    """The next word, case folded."""
    preceding: str = ""
    """The word before, case folded."""
    joined: str = ""
    """What is between the word before it in the same name and it: a space, a hyphen or small words."""
    certain: bool = True
    """Surely a word of a name."""

    @property
    def folded(self) -> str:
        """Return the form that is compared: case folded, composed, without the dot of an abbreviation."""
        folded = self.text.casefold()
        if not folded.isascii():
            folded = normalize("NFC", folded).replace("’", "'")
        return folded.rstrip(".")

    @property
    def is_all_capitals(self) -> bool:
        """Tell whether it consists of capitals, at least two."""
        return self.text.isupper() and sum(char.isalpha() for char in self.text) > 1


def capitalised_words(line: str, offset: int) -> Iterator[NamePart]:
    """Yield the words of a line that have a capital; `offset` is where the line begins."""
    indent = len(line) - len(line.lstrip())
    for match in _NAME_WORD_WITH_CAPITAL.finditer(line):
        text = match[0]
        if text.islower() or (not text[0].isupper() and text.casefold() == text):
            continue
        before = line[max(0, match.start() - _BEFORE) : match.start()]
        if line[match.end() : match.end() + 1] != "$" and not _is_unit(text, before):
            is_sentence_start = match.start() <= indent or before.rstrip()[-1:] in _OPENS
            if "." not in text[:-1]:
                text = text.rstrip(".")
            start = offset + match.start()
            following = next(iter(line[match.end() : match.end() + _BEFORE].casefold().split()), "")
            yield NamePart(text, start, start + len(text), is_sentence_start, following, _word_before(before))


def _word_before(before: str) -> str:
    """Return the last word of a text, case folded, if only a space follows it and only letters are in it."""
    if not before.endswith((" ", "\u00a0")) or before[-2:-1].isspace():
        return ""
    word = before.split()[-1:]
    return word[0].casefold() if word and _LETTERS.fullmatch(word[0]) else ""


def _is_unit(text: str, before: str) -> bool:
    """Tell whether a word is a unit: by its spelling alone (kWh), or behind a number (128 GB)."""
    if not UNIT.fullmatch(text.rstrip(".")):
        return False
    return not text[0].isupper() or bool(_QUANTITY.search(before))


def runs(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[list[NamePart]]:
    """Yield runs of words with only a space, a hyphen or small words between them."""
    run: list[NamePart] = []
    for part in parts:
        between = text[run[-1].end : part.start] if run else ""
        joined = between in (" ", "-", " - ", "\u00a0") or small.issuperset(between.split())
        if len(run) == _MAX_NAME_WORDS or (run and not joined):
            yield run
            run = []
        run.append(part._replace(joined=between) if run else part)
    if run:
        yield run
