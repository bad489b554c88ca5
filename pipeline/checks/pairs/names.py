"""The names of a draft and a source, with the words beside them."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from pipeline.checks.pairs.align import Sentence, index_source
from pipeline.checks.pairs.lexicon import PairLexicon, pair_lexicon
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.tokens import TokenizedText


class Run(NamedTuple):
    """A name in a sentence: a half-open range of word indexes."""

    first: int
    behind: int


class SourceNames(NamedTuple):
    """The words beside the names of a source."""

    following: Mapping[str, tuple[Run, ...]]
    """Stem → the names right before it."""
    preceding: Mapping[str, tuple[Run, ...]]
    """Stem and preposition → the names after them: "sided with" in "sided with the Senate"."""
    sentences: Mapping[int, tuple[Run, ...]]
    """First word of a sentence → its names."""
    words: frozenset[str]
    """The words of all names."""
    surnames: Mapping[str, str]
    """First word of names of two words → the other, where it is always the same one."""
    forenames: Mapping[str, str]
    """Second word of them → the first."""
    wholes: frozenset[frozenset[str]]
    """The words of each name of several words."""


def names_of(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> tuple[Run, ...]:
    """Return the names of a sentence: runs of capitalised words that no text has in lower case."""
    if not lexicon.has_names:
        return ()
    cache = _known_names(text, lexicon)
    names = cache.get(sentence.first)
    if names is None:
        names = cache[sentence.first] = _names(text, sentence, lexicon)
    return names


@lru_cache(maxsize=8)
def _known_names(text: TokenizedText, lexicon: PairLexicon) -> dict[int, tuple[Run, ...]]:
    """Return a store of first word of a sentence → its names, empty at first."""
    return {}


def _names(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> tuple[Run, ...]:
    lower = _lower_words(text)
    runs: list[Run] = []
    for at in within(marks_of(text, lexicon).capitals, sentence.first, sentence.behind):
        word = text.words[at].text
        if text.folded[at].removesuffix("'s") in lexicon.times or (
            at == sentence.first and word.casefold() in lower
        ):
            continue
        if runs and runs[-1].behind == at and text.text[text.words[at - 1].end : text.words[at].start] == " ":
            runs[-1] = Run(runs[-1].first, at + 1)
        else:
            runs.append(Run(at, at + 1))
    return tuple(runs)


@lru_cache(maxsize=8)
def _lower_words(text: TokenizedText) -> frozenset[str]:
    words = set(map(itemgetter(0), text.words))
    return frozenset(word for word in words if word[0].islower())


def parts_of(text: TokenizedText, run: Run) -> frozenset[str]:
    """Return the folded words of a name without the possessive."""
    return frozenset(word.removesuffix("'s") for word in text.folded[run.first : run.behind])


def run_text(text: TokenizedText, run: Run) -> str:
    """Return a name on one line."""
    return " ".join(text.text[text.words[run.first].start : text.words[run.behind - 1].end].split())


def stem_after(text: TokenizedText, stems: tuple[str, ...], run: Run, sentence: Sentence) -> int | None:
    """Return the word right after a name: "column" in "Tribune column"."""
    at = run.behind
    if at >= sentence.behind or not stems[at].isalpha() or not text.words[at].text[0].islower():
        return None
    gap = text.text[text.words[at - 1].end : text.words[at].start]
    return at if gap in (" ", "-") else None


def stem_before(
    text: TokenizedText, stems: tuple[str, ...], run: Run, sentence: Sentence, lexicon: PairLexicon
) -> int | None:
    """Return the word that a preposition joins to a name: "sided" in "sided with the Senate"."""
    joint = run.first - 1
    if joint > sentence.first and text.folded[joint] in lexicon.articles:
        joint -= 1
    at = joint - 1
    if at < sentence.first or text.folded[joint] not in lexicon.joints or not stems[at].isalpha():
        return None
    gap = text.text[text.words[at].end : text.words[run.first].start]
    return at if text.words[at].text[0].islower() and gap.replace(" ", "").isalpha() else None


@lru_cache(maxsize=4)
def source_names(source: TokenizedText, language: str) -> SourceNames:
    """Return the names of a source; the body, the title and the description of a draft share them."""
    lexicon, index = pair_lexicon(language), index_source(source, language)
    following: dict[str, list[Run]] = {}
    preceding: dict[str, list[Run]] = {}
    in_sentence: dict[int, tuple[Run, ...]] = {}
    words: set[str] = set()
    if lexicon is None:
        return SourceNames({}, {}, {}, frozenset(), {}, {}, frozenset())
    for sentence in index.sentences:
        runs = in_sentence[sentence.first] = names_of(source, sentence, lexicon)
        for run in runs:
            words |= parts_of(source, run)
            after, before = (
                stem_after(source, index.stems, run, sentence),
                stem_before(source, index.stems, run, sentence, lexicon),
            )
            if after is not None:
                following.setdefault(index.stems[after], []).append(run)
            if before is not None:
                preceding.setdefault(f"{index.stems[before]} {source.folded[before + 1]}", []).append(run)
    sides = [{stem: tuple(runs) for stem, runs in each.items()} for each in (following, preceding)]
    surnames, forenames = _full_names(source, in_sentence)
    several = (run for runs in in_sentence.values() for run in runs if run.behind - run.first > 1)
    wholes = frozenset(parts_of(source, run) for run in several)
    return SourceNames(sides[0], sides[1], in_sentence, frozenset(words), surnames, forenames, wholes)


def _full_names(
    source: TokenizedText, in_sentence: Mapping[int, tuple[Run, ...]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return surname by forename and forename by surname, of names of two words without a third."""
    lower = _lower_words(source)
    surnames: dict[str, set[str]] = {}
    forenames: dict[str, set[str]] = {}
    for run in (run for runs in in_sentence.values() for run in runs):
        pair = [word.removesuffix("'s") for word in source.folded[run.first : run.behind]]
        for first, last in pairwise(pair):
            known_words = len(pair) != 2 or first in lower or last in lower or not (first + last).isalpha()
            surnames.setdefault(first, set()).add("" if known_words else last)
            forenames.setdefault(last, set()).add("" if known_words else first)
    tables = [
        {name: min(others) for name, others in each.items() if len(others) == 1 and "" not in others}
        for each in (surnames, forenames)
    ]
    return tables[0], tables[1]
