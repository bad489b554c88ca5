"""A language's words for names, turned round for looking them up."""

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

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
        frequent=_frequent(told) - same.keys(),
        generic=frozenset(told["generic"].split()),
        plain=tuple(told["plain"]),
        plural=tuple(told["plural"]),
        singular=frozenset(told["singular"]),
        same=same,
    )
