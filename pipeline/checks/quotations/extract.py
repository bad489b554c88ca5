"""Finds what a text quotes: between quotation marks of any kind, and in blockquotes.

Every mark is looked at once, whatever stands between: straight ones open and close by what stands beside
them, single ones may be apostrophes, and marks may stand apart from their words.

Who says a quotation, as far as the words beside it tell by a name.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.languages import language_table


class Quote(NamedTuple):
    """What stands between two quotation marks, half-open; or a blockquote."""

    start: int
    end: int
    block: bool = False


_BLOCK = re.compile(r"(?:^[ \t]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_SIGNED = re.compile(r"\n[ \t]{0,3}>[ \t]*(?:[–—]|--)[^\n]*+\s*+\Z")
"""The last line of a blockquote that says whose words they are."""
_MARK = re.compile(r"[\"“”„‟«»‹›「」『』'‘’‚]|\n[ \t\r]*\n")
_CLOSED_BY = {
    '"': '"”', "“": '”"', "„": "“”\"", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›",
    "「": "」", "『": "』",
}  # fmt: skip
_SINGLE = "'‘‚"
_AFTER_SINGLE = re.compile(r"[‘’'](?![^\W_])")
_LONGEST_SINGLE = 600
_OPENS_BEHIND = ' \t\n\r\u00a0\u202f([{—–-/"“„«:'
_DECADE = re.compile(r"\d\ds\b")


@lru_cache(maxsize=8)
def extract_quotes(text: str) -> tuple[Quote, ...]:
    """Return what a text quotes, in its order; what is quoted within a quotation is part of that."""
    found: list[Quote] = []
    done = 0
    for block in _BLOCK.finditer(text):
        found += _marked(text, done, block.start())
        signed = _SIGNED.search(block[0])
        found.append(Quote(block.start(), block.start() + signed.start() if signed else block.end(), True))
        done = block.end()
    return (*found, *_marked(text, done, len(text)))


def _marked(text: str, start: int, end: int) -> Iterator[Quote]:
    opened, sign, done = -1, "", start
    for found in _MARK.finditer(text, start, end):
        at, mark = found.start(), found[0]
        if at < done:
            continue
        if len(mark) > 1:
            # A quotation of several paragraphs opens each of them and closes the last one.
            if opened >= 0 and text[found.end() : found.end() + 1] == sign:
                yield Quote(opened, at)
            opened = -1
        elif mark in _SINGLE and opened < 0:
            close = _single(text, at, end)
            if close > 0:
                yield Quote(at + 1, close)
                done = close + 1
        elif opened >= 0 and mark in _CLOSED_BY[sign]:
            yield Quote(opened, at)
            opened = at + 1 if _reopens(text, at, mark) else -1
        elif mark in _CLOSED_BY and _opens(text, at, mark):
            opened, sign = at + 1, mark


def _opens(text: str, at: int, mark: str) -> bool:
    """Tell whether a mark opens a quotation where none is open."""
    before, behind = text[at - 1 : at] or " ", text[at + 1 : at + 2] or " "
    if mark in '"”':
        # Behind a letter or a figure it closes, or means inches.
        apart = before.isspace() and behind == " "
        return not before.isalnum() and (apart or not behind.isspace()) and (mark == '"' or behind.isalnum())
    return True


def _reopens(text: str, at: int, mark: str) -> bool:
    """Tell whether a straight mark opens anew although the last one was never closed.

    So the paragraphs of one quotation begin where they stand in one line.
    """
    before, behind = text[at - 1 : at], text[at + 1 : at + 2] or " "
    return mark == '"' and (before.isspace() or before in "([") and behind.isalnum()


def _single(text: str, at: int, end: int) -> int:
    """Return where a quotation in single marks closes; 0 where the mark is an apostrophe."""
    before = text[at - 1 : at] or " "
    behind = text[at + 1 : at + 2]
    if before not in _OPENS_BEHIND or not (behind.isalnum() or behind in "[…"):
        return 0
    if text[at] == "'" and _DECADE.match(text, at + 1):
        return 0
    stop = min(end, at + _LONGEST_SINGLE)
    line = text.find("\n\n", at, stop)
    for found in _AFTER_SINGLE.finditer(text, at + 1, line if line > 0 else stop):
        if not text[found.start() - 1].isspace():
            return found.start()
    return 0


_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_STOP = re.compile(r"[.!?…](?=[\s\"“”„«»]|\Z)|\n|[\"“”„«»;]")
_INITIAL = re.compile(r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Gov|Rep))\Z")
_AROUND = 160
"""Characters beside a quotation in which its speaker is looked for."""
_EARLY = 6
"""Words between a quotation and the verb, and between the verb and the name, at the most."""


class Attribution(NamedTuple):
    """A language's words for who speaks; every word case folded."""

    verbs: frozenset[str]
    unnamed: frozenset[str]
    """Small words, which may be capitalised."""
    titles: frozenset[str]
    between: frozenset[str]
    """Words between two names that have nothing to do with each other."""


@lru_cache(maxsize=32)
def attributions(language: str) -> Attribution | None:
    """Return a language's words for who speaks; None where there is no table."""
    told = language_table(language, "quotations")
    if told is None:
        return None
    return Attribution(*(frozenset(told[name].split()) for name in Attribution._fields))


def speaker_of(text: str, quote: Quote, words: Attribution) -> tuple[str, ...]:
    """Return the words of the name that a quotation is attributed to; none where no name is told."""
    inner = text[quote.start : quote.end].rstrip()
    behind = text[quote.end + 1 : quote.end + 2]
    if inner.endswith(".") and behind != ",":
        return _before(text, quote, words) or _behind(text, quote, words, verb_first=True)
    if inner.endswith((",", "?", "!")) or behind == ",":
        return _behind(text, quote, words) or _before(text, quote, words)
    return _before(text, quote, words) or _behind(text, quote, words, verb_first=True)


def _behind(text: str, quote: Quote, words: Attribution, *, verb_first: bool = False) -> tuple[str, ...]:
    start = quote.end + 1
    told = list(_WORD.finditer(text, start, _stop(text, start)))
    verb = next((at for at, word in enumerate(told[:_EARLY]) if _folded(word) in words.verbs), None)
    if verb is None or (verb_first and verb > 0):
        return ()
    return _name(text, told[:verb], words) or _name(text, told[verb + 1 : verb + _EARLY + 3], words)


def _before(text: str, quote: Quote, words: Attribution) -> tuple[str, ...]:
    end = max(0, quote.start - 1)
    start = _last_stop(text, max(0, end - _AROUND), end)
    told = list(_WORD.finditer(text, start, end))
    verbs = [at for at, word in enumerate(told) if _folded(word) in words.verbs]
    if not verbs:
        return ()
    verb = verbs[-1]
    return _name(text, told[max(0, verb - _EARLY - 2) : verb], words) or _name(text, told[verb + 1 :], words)


def _stop(text: str, start: int) -> int:
    """Return where the sentence around a quotation ends behind it."""
    stops = (found for found in _STOP.finditer(text, start, start + _AROUND) if not _shortens(text, found))
    found = next(stops, None)
    return found.start() if found else min(len(text), start + _AROUND)


def _last_stop(text: str, start: int, end: int) -> int:
    """Return where the sentence around a quotation begins in front of it."""
    stops = [found.end() for found in _STOP.finditer(text, start, end) if not _shortens(text, found)]
    return stops[-1] if stops else start


def _shortens(text: str, stop: re.Match[str]) -> bool:
    """Tell whether a full stop belongs to an initial or a title."""
    return stop[0] == "." and bool(_INITIAL.search(text[max(0, stop.start() - 4) : stop.start()]))


def _name(text: str, told: Sequence[re.Match[str]], words: Attribution) -> tuple[str, ...]:
    """Return the capitalised words among some, without those that describe: no "French president"."""
    found: list[str] = []
    run: list[str] = []
    for number, word in enumerate(told):
        if _names(word, words):
            run.append(_folded(word))
            continue
        apart = number == 0 or not text[told[number - 1].end()].isspace()
        found += run if apart or _folded(word) in words.unnamed else []
        run = []
    return tuple(dict.fromkeys((*found, *run)))


def _names(word: re.Match[str], words: Attribution) -> bool:
    folded = _folded(word)
    small = folded in words.verbs or folded in words.unnamed or folded in words.titles
    return word[0][0].isupper() and len(folded) > 1 and not small


def _folded(word: re.Match[str]) -> str:
    return re.sub(r"['’]s?\Z", "", word[0]).casefold()
