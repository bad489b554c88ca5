"""Who says a quotation, as far as the words beside it tell by a name."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.quotes import Quote
from pipeline.checks.tables import table

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_STOP = re.compile(r"[.!?…](?=[\s\"“”„«»]|\Z)|\n|[\"“”„«»;]")
_INITIAL = re.compile(r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Gov|Rep))\Z")
_AROUND = 160
"""Characters beside a quotation in which its speaker is looked for."""
_EARLY = 6
"""Words between a quotation and the verb, and between the verb and the name, at the most."""


class Speech(NamedTuple):
    """A language's words for who speaks; every word case folded."""

    verbs: frozenset[str]
    unnamed: frozenset[str]
    """Small words, which may be capitalised."""
    titles: frozenset[str]
    between: frozenset[str]
    """Words between two names that have nothing to do with each other."""


@lru_cache(maxsize=32)
def speech(language: str) -> Speech | None:
    """Return a language's words for who speaks; None where there is no table."""
    told = table(language, "quotations")
    if told is None:
        return None
    return Speech(*(frozenset(told[name].split()) for name in Speech._fields))


def speaker(text: str, quote: Quote, words: Speech) -> tuple[str, ...]:
    """Return the words of the name that a quotation is attributed to; none where no name is told."""
    inner = text[quote.start : quote.end].rstrip()
    behind = text[quote.end + 1 : quote.end + 2]
    if inner.endswith(".") and behind != ",":
        return _before(text, quote, words) or _behind(text, quote, words, verb_first=True)
    if inner.endswith((",", "?", "!")) or behind == ",":
        return _behind(text, quote, words) or _before(text, quote, words)
    return _before(text, quote, words) or _behind(text, quote, words, verb_first=True)


def _behind(text: str, quote: Quote, words: Speech, *, verb_first: bool = False) -> tuple[str, ...]:
    start = quote.end + 1
    told = list(_WORD.finditer(text, start, _stop(text, start)))
    verb = next((at for at, word in enumerate(told[:_EARLY]) if _folded(word) in words.verbs), None)
    if verb is None or (verb_first and verb > 0):
        return ()
    return _name(text, told[:verb], words) or _name(text, told[verb + 1 : verb + _EARLY + 3], words)


def _before(text: str, quote: Quote, words: Speech) -> tuple[str, ...]:
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


def _name(text: str, told: Sequence[re.Match[str]], words: Speech) -> tuple[str, ...]:
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


def _names(word: re.Match[str], words: Speech) -> bool:
    folded = _folded(word)
    small = folded in words.verbs or folded in words.unnamed or folded in words.titles
    return word[0][0].isupper() and len(folded) > 1 and not small


def _folded(word: re.Match[str]) -> str:
    return re.sub(r"['’]s?\Z", "", word[0]).casefold()
