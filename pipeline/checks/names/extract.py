"""Extracts named entities from a text by capitals, and by tables where capitals do not distinguish names."""

import gzip
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from pipeline.checks.dates.extract import date_spans
from pipeline.checks.language_tables import language_table
from pipeline.checks.tokens import TokenizedText


class NameLexicon(NamedTuple):
    """Meanings of capitalised words in one language, read from `names.toml`; every word case folded."""

    nouns_capitalised: bool
    """Every noun is capitalised, as in German."""
    endings: tuple[str, ...]
    small: frozenset[str]
    """Words within a name that have no capital: "of", "von"."""
    titles: frozenset[str]
    common: frozenset[str]
    """Capitalised words that are no names."""
    frequent: frozenset[str]
    """Words that are hardly names at the start of a sentence."""
    generic: frozenset[str]
    """Words that complete a name: "United" in "Newcastle United"."""
    plain: tuple[str, ...]
    """Endings of words that are hardly names."""
    plural: tuple[str, ...]
    """Plural endings."""
    singular: frozenset[str]
    """Verbs in the singular: no plural precedes them."""
    synonyms: Mapping[str, tuple[str, ...]]
    """Word or phrase → all its synonyms, itself included."""


_MIN_FREQUENCY = 3000
"""Count from which on a word of the dictionary is common; nearly every name has a lower one. Source:
the word counts of pyspellchecker."""


def _frequent_words(table: Mapping[str, Any]) -> frozenset[str]:
    """Return a language's frequent words without first names. Source: the word counts of pyspellchecker."""
    if "dictionary" not in table:
        return frozenset()
    packed = resources.files("spellchecker").joinpath(f"resources/{table['dictionary']}.json.gz").read_bytes()
    counts: dict[str, int] = json.loads(gzip.decompress(packed))
    frequent = frozenset(word for word, count in counts.items() if count >= _MIN_FREQUENCY)
    return frequent.difference(table["first-names"].split())


@lru_cache(maxsize=32)
def name_lexicon(language: str) -> NameLexicon | None:
    """Return a language's vocabulary for names; None where the language has no table."""
    table = language_table(language, "names")
    if table is None:
        return None
    synonyms: dict[str, tuple[str, ...]] = {}
    for group in table["same"]:
        for word in group:
            synonyms[word] = (*synonyms.get(word, ()), *group)
    return NameLexicon(
        nouns_capitalised=table["nouns-capitalised"],
        endings=tuple(table["ending"]),
        small=frozenset(table["small"]),
        titles=frozenset(table["titles"].split()),
        common=frozenset(table["common"].split()),
        frequent=_frequent_words(table) - synonyms.keys(),
        generic=frozenset(table["generic"].split()),
        plain=tuple(table["plain"]),
        plural=tuple(table["plural"]),
        singular=frozenset(table["singular"]),
        synonyms=synonyms,
    )


_PART = re.compile(r"(?<![^\W_])[^\W\d_][^\W_]*(?:['’.&][^\W_]+)*\.?|\d+[^\W\d_]{3,}\w*")
_OPENS = re.compile(r"[.!?:;•\"“”‘'«»()\[\]\n*>#|–—-]\s*[\"“”‘'«(\[*]*$")
_LINE = re.compile(r"[^\n]+")
_MIN_HEADLINE_WORDS = 4
"""Long words from which on a line is judged by the share of its capitals. Chosen, not measured."""
_MAX_NAME_WORDS = 8
"""Maximum number of words of a name. Chosen, not measured."""
_MAX_ACRONYM = 3
"""Letters up to which capitals are an acronym even if they spell a common word: US, IT, WHO. Chosen, not
measured."""
_HEADLINE_SHARE = 0.75
"""Share of capitalised long words that makes a line a headline. Chosen, not measured."""


class NamePart(NamedTuple):
    """One word of a name."""

    text: str
    start: int
    end: int
    is_sentence_start: bool
    """It begins a sentence, a quotation or a line, where every word has a capital."""
    following: str = ""
    """The next word, case folded."""

    @property
    def folded(self) -> str:
        """Return the form that is compared: case folded, without the dot of an abbreviation."""
        return self.text.casefold().replace("’", "'").rstrip(".")

    @property
    def is_all_capitals(self) -> bool:
        """Tell whether it consists of capitals, at least two."""
        letters = [char for char in self.text if char.isalpha()]
        return len(letters) > 1 and all(char.isupper() for char in letters)


def extract_names(tokenized: TokenizedText, language: str, lexicon: NameLexicon) -> list[list[NamePart]]:
    """Return the names of a text, each as its words in order.

    A word that begins a sentence counts only if it is uncommon or another name follows. In a headline, where
    every word has a capital, only acronyms count.
    """
    dates = date_spans(tokenized.text, language)
    names: list[list[NamePart]] = []
    for line in _LINE.finditer(tokenized.text):
        parts = list(_parts(line[0], line.start()))
        headline = _is_headline(line[0])
        for run in _runs(parts, tokenized.text, lexicon.small):
            name = _name_parts(run, lexicon, headline=headline)
            names += [name] if name and not _within(name, dates) else []
    return names


def _parts(line: str, offset: int) -> Iterator[NamePart]:
    indent = len(line) - len(line.lstrip())
    for match in _PART.finditer(line):
        if any(char.isupper() for char in match[0]):
            before = line[max(0, match.start() - 12) : match.start()]
            is_sentence_start = match.start() <= indent or bool(_OPENS.search(before))
            text = match[0] if "." in match[0][:-1] else match[0].rstrip(".")
            start = offset + match.start()
            following = next(iter(line[match.end() : match.end() + 12].casefold().split()), "")
            yield NamePart(text, start, start + len(text), is_sentence_start, following)


def _is_headline(line: str) -> bool:
    words: list[str] = re.findall(r"[^\W\d_]{4,}", line)
    if line.rstrip().rstrip("\"'”’)").endswith((".", "!", "?", ":")) and not line.startswith("#"):
        return False
    if len(words) < _MIN_HEADLINE_WORDS:
        return len(words) > 1 and all(word[0].isupper() for word in words)
    return sum(word[0].isupper() for word in words) >= _HEADLINE_SHARE * len(words)


def _runs(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[list[NamePart]]:
    """Yield runs of words with only a space, a hyphen or small words between them."""
    run: list[NamePart] = []
    for part in parts:
        between = text[run[-1].end : part.start] if run else ""
        joined = between in (" ", "-", " - ", "\u00a0") or small.issuperset(between.split())
        if len(run) == _MAX_NAME_WORDS or (run and not joined):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _name_parts(run: list[NamePart], lexicon: NameLexicon, *, headline: bool) -> list[NamePart]:
    """Return the words of a run that are a name."""
    if headline:
        return [part for part in run if part.is_all_capitals and part.folded not in lexicon.common]
    if lexicon.nouns_capitalised:
        return _name_parts_among_nouns(run, lexicon)
    first = run[0]
    ambiguous = first.is_sentence_start and not first.is_all_capitals
    if ambiguous and _is_likely_no_name(first, lexicon, is_single=len(run) == 1):
        run = run[1:]
    acronyms = {part for part in run if part.is_all_capitals and len(part.text) <= _MAX_ACRONYM}
    return [part for part in run if part in acronyms or _is_distinctive(part, lexicon)]


def _is_likely_no_name(part: NamePart, lexicon: NameLexicon, *, is_single: bool) -> bool:
    """Tell whether a word at the start of a sentence is likely no name; `is_single`: no name follows it."""
    word = part.folded
    owner = next((word.removesuffix(ending) for ending in ("'s", "'") if word.endswith(ending)), "")
    vocabularies = (lexicon.common, lexicon.titles, lexicon.frequent)
    if any(form in vocabulary for form in (word, owner) for vocabulary in vocabularies):
        return True
    if owner or any(char.isupper() for char in part.text[1:]) or word in lexicon.synonyms:
        return False
    if is_single and part.following in lexicon.singular:
        return False
    return word.endswith((*lexicon.plain, *lexicon.plural) if is_single else lexicon.plain)


def _is_distinctive(part: NamePart, lexicon: NameLexicon) -> bool:
    return part.folded not in lexicon.titles and part.folded not in lexicon.common and len(part.folded) > 1


def _name_parts_among_nouns(run: list[NamePart], lexicon: NameLexicon) -> list[NamePart]:
    """Return a name where nouns are capitalised: two words, one after a title, an acronym or a known name."""
    if run[0].is_sentence_start and not run[0].is_all_capitals:
        run = run[1:]
    has_title = any(part.folded in lexicon.titles for part in run)
    parts = [part for part in run if _is_distinctive(part, lexicon)]
    if has_title or len(parts) > 1:
        return parts
    return [part for part in parts if part.is_all_capitals or part.folded in lexicon.synonyms]


def _within(name: list[NamePart], dates: list[tuple[int, int]]) -> bool:
    at = bisect_right(dates, (name[0].start, name[-1].end)) - 1
    return at >= 0 and dates[at][0] <= name[0].start and name[-1].end <= dates[at][1]
