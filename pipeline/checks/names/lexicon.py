"""A language's words for names, turned round for looking them up."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.tables import table


class Lexicon(NamedTuple):
    """What a word may be where it has a capital; every word case folded."""

    nouns: bool
    """Every noun has a capital."""
    endings: tuple[str, ...]
    small: frozenset[str]
    """Words without a capital within a name."""
    titles: frozenset[str]
    common: frozenset[str]
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


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon | None:
    """Return a language's words; None where there is no table."""
    told = table(language, "names")
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
        generic=frozenset(told["generic"].split()),
        plain=tuple(told["plain"]),
        plural=tuple(told["plural"]),
        singular=frozenset(told["singular"]),
        same=same,
    )
