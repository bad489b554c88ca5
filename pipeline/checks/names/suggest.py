"""The name of the source that a wrong one in a draft stands for, where there is exactly one."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

from pipeline.checks.names.extract import extract_names
from pipeline.checks.names.lexicon import name_lexicon
from pipeline.checks.names.parts import NamePart
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, TokenizedText

_MAX_COMPARISONS = 20_000
"""Pairs of words compared for one draft: keeps the work linear. Chosen, not measured."""
_MIN_LETTERS = 4
"""Letters of the shortest word that has a near one. Chosen, not measured."""
_LETTERS_OF_TWO_EDITS = 7
"""Letters from which on two edits are near. Chosen, not measured."""


class SpelledNames:
    """The names of one source as they are spelled."""

    def __init__(self, source: TokenizedText, language: str) -> None:
        lexicon = name_lexicon(language)
        names = extract_names(source, language, lexicon) if lexicon else []
        self._names = [name.parts for name in names]

    @cached_property
    def after(self) -> dict[str, set[str]]:
        """Return each word of a name → the words that follow it in names."""
        return _neighbours(pair for name in self._names for pair in pairwise(name))

    @cached_property
    def before(self) -> dict[str, set[str]]:
        """Return each word of a name → the words that precede it in names."""
        return _neighbours((second, first) for name in self._names for first, second in pairwise(name))

    @cached_property
    def spellings(self) -> dict[str, dict[str, str]]:
        """Return the words by first letter: each word, case folded → as spelled."""
        spellings: dict[str, dict[str, str]] = {}
        for name in self._names:
            for part in name:
                word = _bare(part)
                spellings.setdefault(word[:1], {})[word] = _spelled(part)
        return spellings


_spelled_names = lru_cache(maxsize=PREPARED)(SpelledNames)


class NameSuggestions:
    """Looks up the names of a source for one draft, by the words beside them and by similarity."""

    def __init__(self, case: CheckInput) -> None:
        self._source = case.source
        self._names = _spelled_names(case.source, case.language)
        self._comparisons = 0

    def suggest(self, part: NamePart, name: Sequence[NamePart]) -> str:
        """Return the word of the source for one that it does not have; empty where none or several fit."""
        index = name.index(part)
        candidates: set[str] = set()
        if index:
            candidates |= self._names.after.get(_bare(name[index - 1]), set())
        if index + 1 < len(name):
            candidates |= self._names.before.get(_bare(name[index + 1]), set())
        if not candidates:
            candidates = set(self._near(_bare(part)))
        if len(candidates) != 1:
            return ""
        ending = "'s" if part.folded.endswith("'s") else ""
        return candidates.pop() + (part.text[-2:] if ending else "")

    def has_word_before(self, part: NamePart) -> bool:
        """Tell whether the source has another word of a name before this one, such as a first name."""
        return _bare(part) in self._names.before

    def evidence(self, suggestion: str) -> tuple[tuple[int, int], ...]:
        """Return the first spans of a suggested word in the source."""
        word = suggestion.casefold().replace("’", "'").removesuffix("'s")
        places = self._source.positions.get(word, ())[:MAX_EVIDENCE]
        return tuple(self._source.words[at][1:] for at in places)

    def _near(self, word: str) -> Iterator[str]:
        """Yield the words of names that begin alike, within one edit; within two if they end alike."""
        for other, spelled in self._names.spellings.get(word[:1], {}).items():
            self._comparisons += 1
            if self._comparisons > _MAX_COMPARISONS:
                return
            limit = 2 if min(len(other), len(word)) >= _LETTERS_OF_TWO_EDITS and other[-1] == word[-1] else 1
            is_long = min(len(other), len(word)) >= _MIN_LETTERS
            if is_long and abs(len(other) - len(word)) <= limit and _edits(word, other) <= limit:
                yield spelled


def _neighbours(pairs: Iterable[tuple[NamePart, NamePart]]) -> dict[str, set[str]]:
    neighbours: dict[str, set[str]] = {}
    for word, other in pairs:
        neighbours.setdefault(_bare(word), set()).add(_spelled(other))
    return neighbours


def _bare(part: NamePart) -> str:
    return part.folded.removesuffix("'s")


def _spelled(part: NamePart) -> str:
    return part.text.removesuffix("'s").removesuffix("’s")


def _edits(word: str, other: str) -> int:
    """Return the Levenshtein distance of two words of at most a few dozen letters."""
    row = list(range(len(other) + 1))
    for index, char in enumerate(word[:40], 1):
        previous, row[0] = row[0], index
        for at, letter in enumerate(other, 1):
            previous, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, previous + (char != letter))
    return row[-1]
