"""Which items tell the same story: MinHash bands to find them, their words to judge them. Pure.

Candidates come from bands of MinHash signatures (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of
Massive Datasets", chapter 3): of the beginning, because a feed may carry only that, of the whole text, and of
the title. What is alike is then judged by shared runs of words, and by the figures in them: a report that is
written to a template every day is another report every day.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

from rensa import RMinHash

from pipeline.models import Item

_READ = 4000
"""Characters of a text that count."""
_LEAD = 500
"""Characters of a beginning."""
_ROWS, _BANDS = 3, 8
"""Numbers in a band, and bands of a signature: half of the shingles in common are found mostly."""
_SHORTEST = 12
"""Words that a text must have to be compared: fewer are a headline at best."""
_TITLE_WORDS = 5
NEAR = timedelta(days=7)
"""Items farther apart tell different stories."""
_SAME, _SAME_SHORT = 0.5, 0.6
"""Part of the shorter text's shingles that the longer one must have, and where it is short."""
_SAME_TITLED = 0.3
"""The same, where the titles agree."""
_VERBATIM = 0.9
"""The same, from which on titles may have no word in common."""
_SHORT, _BLURB = 80, 25
"""Words below which a text is short, and below which it may be the same for many stories."""
_BLURB_TITLED = 0.8
"""Part of the shorter title's words that the longer one must have where the text is a blurb."""
_FIGURES, _SHORT_FIGURES = 0.6, 0.85
"""Part of the shorter text's figures that the longer one must have."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d.,:/]*\d|\d")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_BOILERPLATE = re.compile(
    r"the post .{0,300} appeared first on .{0,100}"
    r"|(?:continue reading|read more|read the full (?:story|article)).{0,100}"
    r"|(?:source|originally published (?:at|on)):? .{0,100}$"
    r"|this (?:article|story) (?:was )?(?:first )?(?:appeared|published) .{0,100}",
    re.IGNORECASE,
)
_DAYS = """january february march april may june july august september october november december jan feb mar
apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"""
_MONTHS = frozenset(_DAYS.split())
_PARTS = re.compile(
    r"\b(?:part|episode|ep|vol|volume|issue|chapter|day|week|round|game)\W{0,3}(\w{1,6})\b", re.IGNORECASE
)


def bands(title: str, text: str) -> tuple[int, ...]:
    """Return the bands of an item's signature, signed 64-bit numbers; none of what is too short to compare.

    Two items that share one may tell the same story. Each carries the number of the algorithm, so that none
    equals one that another release of it has kept.
    """
    words = _words(text)
    found: list[int] = []
    if len(words) >= _SHORTEST:
        found += _signature(words, 1)
        found += _signature(_words(text[:_LEAD]), 2)
    titled = _words(title)
    if len(titled) >= _TITLE_WORDS:
        found.append(_band(3, titled))
    return tuple(dict.fromkeys(found))


def alike(one: Item, other: Item) -> bool:
    """Tell whether two items tell the same story in near enough the same words.

    One may be the other's beginning, or a version of it with a few figures changed. Reports written to one
    template, parts of a series, and what is more than a week apart are different stories.
    """
    if abs(one.published_at - other.published_at) > NEAR or _series(one.title, other.title):
        return False
    first, second = _words(one.text), _words(other.text)
    if min(len(first), len(second)) < _SHORTEST:
        return False
    if not _figures_agree(first, second):
        return False
    shared = _contained(first, second)
    if _same_title(one.title, other.title):
        return shared >= _SAME_TITLED
    least = min(len(first), len(second))
    if least < _BLURB:
        return shared >= _VERBATIM and _overlap(one.title, other.title) >= _BLURB_TITLED
    enough = shared >= (_SAME_SHORT if least < _SHORT else _SAME)
    return enough and (shared >= _VERBATIM or _related(one.title, other.title))


def same_item(one: Item, other: Item) -> bool:
    """Tell whether an item of a feed came back under another guid: the same link, or title and text."""
    if one.canonical and one.canonical == other.canonical:
        return True
    return _same_title(one.title, other.title) and alike(one, other)


def _signature(words: Sequence[str], kind: int) -> list[int]:
    sketch = RMinHash(num_perm=_ROWS * _BANDS, seed=1)
    sketch.update([" ".join(shingle) for shingle in _shingles(words)])
    digest = sketch.digest()
    rows = (digest[start : start + _ROWS] for start in range(0, len(digest), _ROWS))
    return [_band(kind, (str(number), *map(str, row))) for number, row in enumerate(rows)]


def _band(kind: int, parts: Sequence[str]) -> int:
    name = "\0".join((str(RMinHash.ALGORITHM_VERSION), str(kind), *parts)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=512)
def _words(text: str) -> tuple[str, ...]:
    """Return a text's words and figures, casefolded; each character is one where words are not spaced."""
    plain = _BOILERPLATE.sub(" ", text[:_READ]).casefold()
    spaced = _UNSPACED.sub(lambda found: f" {found[0]} ", plain)
    return tuple(_WORD.findall(spaced))


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}


def _contained(first: Sequence[str], second: Sequence[str]) -> float:
    """Return which part of the shorter text's shingles the longer one has."""
    one, other = _shingles(first), _shingles(second)
    return len(one & other) / min(len(one), len(other))


def _same_title(one: str, other: str) -> bool:
    first, second = _words(one), _words(other)
    return len(first) >= 3 and first == second


def _series(one: str, other: str) -> bool:
    """Tell whether two titles are of one series: the same but for figures, dates or the number of a part."""
    first, second = _words(one), _words(other)
    if first == second:
        return False
    if _without_figures(first) == _without_figures(second) and len(_without_figures(first)) >= 2:
        return True
    return {part.casefold() for part in _PARTS.findall(one)} != {
        part.casefold() for part in _PARTS.findall(other)
    }


def _without_figures(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word[0].isdigit() and word not in _MONTHS]


def _related(one: str, other: str) -> bool:
    """Tell whether two titles may speak of the same: a word in common, and no figures at odds."""
    first, second = _words(one), _words(other)
    figures = set(_figures(first)), set(_figures(second))
    if all(figures) and not figures[0] & figures[1]:
        return False
    return _overlap(one, other) > 0 or not (first and second)


def _overlap(one: str, other: str) -> float:
    """Return which part of the shorter title's telling words the longer one has."""
    first, second = set(filter(_telling, _words(one))), set(filter(_telling, _words(other)))
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _telling(word: str) -> bool:
    return word[0].isdigit() or len(word) > 3 or bool(_UNSPACED.match(word))


def _figures_agree(first: Sequence[str], second: Sequence[str]) -> bool:
    """Tell whether the longer text has the shorter one's figures: a template's words come with others."""
    one, other = _figures(first), _figures(second)
    least = min(one.total(), other.total())
    short = min(len(first), len(second)) < _SHORT
    return (one & other).total() >= (_SHORT_FIGURES if short else _FIGURES) * least


def _figures(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())
