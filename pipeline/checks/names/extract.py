"""Extracts named entities from a text by capitals, and by tables where capitals do not distinguish names."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.checks.dates.extract import date_spans
from pipeline.checks.names.lexicon import NameLexicon
from pipeline.checks.names.nouns import name_parts_among_nouns
from pipeline.checks.names.parts import NamePart, capitalised_words, runs
from pipeline.checks.tokens import TokenizedText

_LINE = re.compile(r"[^\n]+")
_HEADING = re.compile(r"#| {1,6}[^\W_]")
"""A heading, with its marks or with the spaces that `DraftDocument.text` has for them."""
_MIN_HEADLINE_WORDS = 4
"""Long words from which on a line is judged by the share of its capitals. Chosen, not measured."""
_MAX_ACRONYM = 3
"""Letters up to which capitals are an acronym even if they spell a common word: US, IT, WHO. Chosen, not
measured."""
_AFTER_ALL = 1 << 62
_HEADLINE_SHARE = 0.75
"""Share of capitalised long words that makes a line a headline. Chosen, not measured."""


class Name(NamedTuple):
    """One name of a text."""

    parts: list[NamePart]
    """Its words in order, without titles and common words."""
    run: list[NamePart]
    """All capitalised words that stand together with it."""


def extract_names(tokenized: TokenizedText, language: str, lexicon: NameLexicon) -> list[Name]:
    """Return the names of a text in order.

    A word that begins a sentence counts only if it is uncommon or another name follows. In a headline, where
    every word has a capital, only acronyms count. Weekdays and months are no names.
    """
    dates = date_spans(tokenized.text, language)
    names: list[Name] = []
    for line in _LINE.finditer(tokenized.text):
        parts = list(capitalised_words(line[0], line.start()))
        headline = _is_headline(line[0])
        for run in runs(parts, tokenized.text, lexicon.small):
            for words in _without_dates(run, dates):
                name = _name_parts(words, lexicon, headline=headline)
                names += [Name(name, words)] if name else []
    return names


def _is_headline(line: str) -> bool:
    words: list[str] = re.findall(r"[^\W\d_]{4,}", line)
    if line.rstrip().rstrip("\"'”’)").endswith((".", "!", "?", ":")) and not _HEADING.match(line):
        return False
    if len(words) < _MIN_HEADLINE_WORDS:
        return len(words) > 1 and all(word[0].isupper() for word in words)
    return sum(word[0].isupper() for word in words) >= _HEADLINE_SHARE * len(words)


def _without_dates(run: list[NamePart], dates: list[tuple[int, int]]) -> Iterator[list[NamePart]]:
    """Yield what is left of a run between its dates; a month behind a name may be one: Theresa May."""
    words: list[NamePart] = []
    for part in run:
        behind_name = bool(words) and not words[-1].is_sentence_start
        if _is_within(part, dates, alone=behind_name):
            if words:
                yield words
            words = []
        else:
            words.append(part if words or not part.joined else part._replace(joined=""))
    if words:
        yield words


def _is_within(part: NamePart, dates: list[tuple[int, int]], *, alone: bool) -> bool:
    """Tell whether a word is within a date; `alone`: not if the word is all of it."""
    end = part.end - (2 if part.text.endswith(("'s", "’s")) else 0)
    at = bisect_right(dates, (part.start, _AFTER_ALL)) - 1
    if at < 0 or dates[at][1] < end:
        return False
    return not (alone and dates[at] == (part.start, end))


def _name_parts(run: list[NamePart], lexicon: NameLexicon, *, headline: bool) -> list[NamePart]:
    """Return the words of a run that are a name."""
    if lexicon.nouns_capitalised:
        return name_parts_among_nouns(run, lexicon)
    if headline:
        return [part for part in run if part.is_all_capitals and part.folded not in lexicon.common]
    first = run[0]
    ambiguous = first.is_sentence_start and not first.is_all_capitals
    if ambiguous and _is_likely_no_name(first, lexicon, is_single=len(run) == 1):
        run = run[1:]
    elif ambiguous and (_is_role(first, lexicon) if len(run) > 1 else _is_perhaps_a_word(first, lexicon)):
        run = [first._replace(certain=False), *run[1:]]
    parts = [part for part in run if _is_short_acronym(part, lexicon) or _is_distinctive(part, lexicon)]
    if all(part.folded in lexicon.generic for part in parts):
        return [] if lexicon.words else [part._replace(certain=False) for part in parts]
    if (
        len(parts) == 1
        and parts[0].folded in lexicon.words
        and parts[0].folded in lexicon.frequent - lexicon.places
    ):
        return [parts[0]._replace(certain=False)]
    return parts


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
    if lexicon.words and (is_single or word in lexicon.words):
        return word not in lexicon.first_names and word not in lexicon.places
    return word.endswith((*lexicon.plain, *lexicon.plural) if is_single else lexicon.plain)


def _is_perhaps_a_word(part: NamePart, lexicon: NameLexicon) -> bool:
    """Tell whether a word that begins a sentence may have its capital from there alone; no name follows it.

    Before a verb in the singular a noun without an article is a name, unless it says what a person does.
    """
    word = part.folded
    vocabularies = (lexicon.first_names, lexicon.places, lexicon.cities, lexicon.synonyms)
    if word not in lexicon.dictionary or any(word in vocabulary for vocabulary in vocabularies):
        return False
    return part.following not in lexicon.singular or _is_role(part, lexicon)


def _is_role(part: NamePart, lexicon: NameLexicon) -> bool:
    """Tell whether a word before a name may say what the person does: Blogger Jane Roe."""
    word = part.folded
    if not lexicon.roles or not word.endswith(lexicon.roles) or word in lexicon.first_names:
        return False
    return word in lexicon.dictionary and f"{word}s" in lexicon.dictionary


def _is_short_acronym(part: NamePart, lexicon: NameLexicon) -> bool:
    is_short = part.is_all_capitals and len(part.text) <= _MAX_ACRONYM
    return is_short and part.folded not in lexicon.plain_acronyms


def _is_distinctive(part: NamePart, lexicon: NameLexicon) -> bool:
    return part.folded not in lexicon.titles and part.folded not in lexicon.common and len(part.folded) > 1
