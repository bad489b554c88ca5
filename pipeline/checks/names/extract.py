"""A language's words for names, turned round for looking them up.

Finds the words of a text that are names: by their capitals, or where these tell nothing, by a table.
"""

import gzip
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pipeline.checks.dates.extract import date_spans
from pipeline.checks.languages import language_table
from pipeline.checks.tokens import TokenizedText


class Lexicon(NamedTuple):
    """What a word may be where it has a capital; every word case folded."""

    nouns: bool
    """Every noun has a capital."""
    endings: tuple[str, ...]
    small: frozenset[str]
    """Words without a capital within a name."""
    titles: frozenset[str]
    common: frozenset[str]
    """Words that are no names though they have a capital."""
    frequent: frozenset[str]
    """Words that are hardly names where every word has a capital."""
    generic: frozenset[str]
    """What names are completed with: "Newcastle", "Newcastle United"."""
    plain: tuple[str, ...]
    """Endings of words that are no names."""
    plural: tuple[str, ...]
    """Endings of the plural."""
    singular: frozenset[str]
    """Verbs that no plural has before them."""
    same: Mapping[str, tuple[str, ...]]
    """Word → all that say the same, itself included; those of more words with spaces."""


_OFTEN = 3000
"""How often a word is met in the dictionary's texts that is common: nearly every name is met less."""


def _frequent(told: Mapping[str, Any]) -> frozenset[str]:
    """Return a language's frequent words; from the data of pyspellchecker, without its corrections."""
    if "dictionary" not in told:
        return frozenset()
    packed = resources.files("spellchecker").joinpath(f"resources/{told['dictionary']}.json.gz").read_bytes()
    counts: dict[str, int] = json.loads(gzip.decompress(packed))
    return frozenset(word for word, count in counts.items() if count >= _OFTEN).difference(
        told["first-names"].split()
    )


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon | None:
    """Return a language's words; None where there is no table."""
    told = language_table(language, "names")
    if told is None:
        return None
    same: dict[str, tuple[str, ...]] = {}
    for group in told["same"]:
        for word in group:
            same[word] = (*same.get(word, ()), *group)
    return Lexicon(
        nouns=told["nouns-capitalised"],
        endings=tuple(told["ending"]),
        small=frozenset(told["small"]),
        titles=frozenset(told["titles"].split()),
        common=frozenset(told["common"].split()),
        frequent=_frequent(told) - same.keys(),
        generic=frozenset(told["generic"].split()),
        plain=tuple(told["plain"]),
        plural=tuple(told["plural"]),
        singular=frozenset(told["singular"]),
        same=same,
    )


_PART = re.compile(r"(?<![^\W_])[^\W\d_][^\W_]*(?:['’.&][^\W_]+)*\.?|\d+[^\W\d_]{3,}\w*")
_OPENS = re.compile(r"[.!?:;•\"“”‘'«»()\[\]\n*>#|–—-]\s*[\"“”‘'«(\[*]*$")
_LINE = re.compile(r"[^\n]+")
_LEAST = 4
"""Words of a line from which on its capitals may be those of a headline."""
_MOST = 8
"""Words of a name, at most."""
_SHORT = 3
"""Letters of an abbreviation that is one though it spells a common word: US, IT, WHO."""
_HEADLINE = 0.75
"""Share of a line's long words that have capitals in a headline."""


class NamePart(NamedTuple):
    """One word of a name."""

    text: str
    start: int
    end: int
    opens: bool
    """It stands where any word has a capital."""
    following: str = ""
    """The word behind it, case folded."""

    @property
    def folded(self) -> str:
        """Return it as it is compared: case folded, without the dot of an abbreviation."""
        return self.text.casefold().replace("’", "'").rstrip(".")

    @property
    def capitals(self) -> bool:
        """Tell whether it has none but capitals, at least two."""
        letters = [char for char in self.text if char.isalpha()]
        return len(letters) > 1 and all(char.isupper() for char in letters)


def extract_names(reading: TokenizedText, language: str, words: Lexicon) -> list[list[NamePart]]:
    """Return the names of a text, each as its words in their order.

    A word that opens a sentence counts only if it is no common one, or another name follows; in a headline,
    where every word has a capital, none does but abbreviations.
    """
    dates = date_spans(reading.text, language)
    found: list[list[NamePart]] = []
    for line in _LINE.finditer(reading.text):
        parts = list(_parts(line[0], line.start()))
        headline = _is_headline(line[0])
        for name in _runs(parts, reading.text, words.small):
            kept = _kept(name, words, headline=headline)
            found += [kept] if kept and not _within(kept, dates) else []
    return found


def _parts(line: str, offset: int) -> Iterator[NamePart]:
    indent = len(line) - len(line.lstrip())
    for found in _PART.finditer(line):
        if any(char.isupper() for char in found[0]):
            before = line[max(0, found.start() - 12) : found.start()]
            opens = found.start() <= indent or bool(_OPENS.search(before))
            text = found[0] if "." in found[0][:-1] else found[0].rstrip(".")
            start = offset + found.start()
            following = line[found.end() : found.end() + 12].split()
            yield NamePart(
                text, start, start + len(text), opens, following[0].casefold() if following else ""
            )


def _is_headline(line: str) -> bool:
    words: list[str] = re.findall(r"[^\W\d_]{4,}", line)
    if line.rstrip().rstrip("\"'”’)").endswith((".", "!", "?", ":")) and not line.startswith("#"):
        return False
    if len(words) < _LEAST:
        return len(words) > 1 and all(word[0].isupper() for word in words)
    return sum(word[0].isupper() for word in words) >= _HEADLINE * len(words)


def _runs(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[list[NamePart]]:
    """Yield words that nothing but a space, a hyphen or a small word divides."""
    run: list[NamePart] = []
    for part in parts:
        between = text[run[-1].end : part.start] if run else ""
        if len(run) == _MOST or (
            run and between not in (" ", "-", " - ", "\u00a0") and not small.issuperset(between.split())
        ):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _kept(name: list[NamePart], words: Lexicon, *, headline: bool) -> list[NamePart]:
    """Return what of a run of capitals is a name."""
    if headline:
        return [part for part in name if part.capitals and part.folded not in words.common]
    if words.nouns:
        return _kept_among_nouns(name, words)
    first = name[0]
    if first.opens and not first.capitals and _is_plain(first, words, alone=len(name) == 1):
        name = name[1:]
    return [part for part in name if (part.capitals and len(part.text) <= _SHORT) or _tells(part, words)]


def _is_plain(part: NamePart, words: Lexicon, *, alone: bool) -> bool:
    """Tell whether a word at the head of a sentence is likely no name; `alone`: no other name follows it."""
    word = part.folded
    owner = next((word.removesuffix(ending) for ending in ("'s", "'") if word.endswith(ending)), "")
    if any(each in known for each in (word, owner) for known in (words.common, words.titles, words.frequent)):
        return True
    if owner or any(char.isupper() for char in part.text[1:]) or word in words.same:
        return False
    if alone and part.following in words.singular:
        return False
    return word.endswith((*words.plain, *words.plural) if alone else words.plain)


def _tells(part: NamePart, words: Lexicon) -> bool:
    return part.folded not in words.titles and part.folded not in words.common and len(part.folded) > 1


def _kept_among_nouns(name: list[NamePart], words: Lexicon) -> list[NamePart]:
    """Return a name where nouns have capitals too: of two words, or one that a table or its capitals tell."""
    if name[0].opens and not name[0].capitals:
        name = name[1:]
    titled = any(part.folded in words.titles for part in name)
    plain = [part for part in name if _tells(part, words)]
    if titled or len(plain) > 1:
        return plain
    return [part for part in plain if part.capitals or part.folded in words.same]


def _within(name: list[NamePart], dates: list[tuple[int, int]]) -> bool:
    at = bisect_right(dates, (name[0].start, name[-1].end)) - 1
    return at >= 0 and dates[at][0] <= name[0].start and name[-1].end <= dates[at][1]
