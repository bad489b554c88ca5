"""Which items tell the same story: bands to find them, their words to judge them. Pure.

Candidates come from bands of a MinHash signature of the text (Broder 1997; Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3), from winnowed runs of words of its beginning, because a feed may
carry no more than that, perhaps behind a byline (Schleimer, Wilkerson and Aiken 2003), and from the title.
What is alike is then judged by shared runs of words, and by the figures in them: a report that is written to
a template every day is another report every day.
"""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

from rensa import RMinHash

from pipeline.domain.models import Item

_READ = 4000
"""Characters of a text that count."""
_LEAD = 45
"""Words of a beginning."""
_RUN, _WINDOW = 6, 8
"""Words in a run, and runs of which one is kept: 13 words in a row in common are always found."""
_ROWS, _BANDS = 3, 8
"""Numbers in a band, and bands of a signature: half of the shingles in common are found mostly."""
_ALGORITHM = str(RMinHash.ALGORITHM_VERSION)
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
"""The same, from which on a title need say little of what the other text says."""
_SHORT, _BLURB = 80, 25
"""Words below which a text is short, and below which it may be the same for many stories."""
_BLURB_TITLED = 0.8
"""Part of the shorter title's words that the longer one must have where the text is a blurb."""
_FITS = 0.5
"""Part of a title's telling words that the other title or, for each of the two, the other text must have."""
_FIGURES, _SHORT_FIGURES = 0.6, 0.85
"""Part of the shorter text's figures that the longer one must have."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d.,:/]*\d|\d")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_BOILERPLATE = re.compile(
    r"(?:https?://|www\.)[!-~]+"
    r"|\A.{0,60}?\([^)\n]{1,30}\).{0,50}? [-–—] "
    r"|the post .{0,300} appeared first on .{0,100}"
    r"|(?:continue reading|read more|read the full (?:story|article)).{0,100}"
    r"|(?:source|originally published (?:at|on)):? .{0,100}$"
    r"|this (?:article|story) (?:was )?(?:first )?(?:appeared|published) .{0,100}",
    re.IGNORECASE,
)
_DAYS = """january february march april may june july august september october november december jan feb mar
apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"""
_MONTHS = frozenset(_DAYS.split())
_PARTS = re.compile(
    r"\b(?:part|episode|ep|vol|volume|issue|chapter|day|week|round|game|teil|folge|parte|partie)\W{0,3}"
    r"(\d+|[ivxlc]+|one|two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)


def signature_bands(title: str, text: str) -> tuple[int, ...]:
    """Return the bands of an item's signature, signed 64-bit numbers; none of what is too short to compare.

    Two items that share one may tell the same story. Each carries the number of the algorithm, so that none
    equals one that another release of it has kept.
    """
    words = _words(text)
    found: list[int] = []
    if len(words) >= _SHORTEST:
        found += _signature(words)
        found += _winnowing_hashes(words[:_LEAD])
    titled = _words(title)
    if len(titled) >= _TITLE_WORDS:
        found.append(_band(3, titled))
    return tuple(dict.fromkeys(found))


def is_near_duplicate(one: Item, other: Item) -> bool:
    """Tell whether two items tell the same story in near enough the same words.

    One may be the other's beginning, or a version of it with a few figures changed. Reports written to one
    template, parts of a series, and what is more than a week apart are different stories.
    """
    if abs(one.published_at - other.published_at) > NEAR or _series(one.title, other.title):
        return False
    first, second = _words(one.text), _words(other.text)
    least = min(_length(first), _length(second))
    if least < _SHORTEST or not _numbers_agree(first, second, short=least < _SHORT):
        return False
    shared = _contained(first, second)
    if _same_title(one.title, other.title):
        return shared >= _SAME_TITLED
    if shared < (_SAME_SHORT if least < _SHORT else _SAME):
        return False
    overlap, fit = _title_overlap(one.title, other.title), _title_supported_by_text(one, other)
    if least < _BLURB:
        return shared >= _VERBATIM and (overlap >= _BLURB_TITLED or fit >= _FITS)
    if shared >= _VERBATIM:
        return overlap > 0 or fit > 0
    return max(overlap, fit) >= _FITS and not _titles_contradict(one.title, other.title)


def is_same_item(one: Item, other: Item) -> bool:
    """Tell whether an item of a feed came back under another guid: the same link, or title and text."""
    if one.canonical and one.canonical == other.canonical:
        return True
    return _same_title(one.title, other.title) and is_near_duplicate(one, other)


def _signature(words: Sequence[str]) -> list[int]:
    sketch = RMinHash(num_perm=_ROWS * _BANDS, seed=1)
    sketch.update([" ".join(shingle) for shingle in _shingles(words)])
    digest = sketch.digest()
    rows = (digest[start : start + _ROWS] for start in range(0, len(digest), _ROWS))
    return [_band(1, (str(number), *map(str, row))) for number, row in enumerate(rows)]


def _winnowing_hashes(words: Sequence[str]) -> list[int]:
    """Return bands of the run with the least checksum in each window: the same wherever those words stand."""
    runs = [" ".join(words[start : start + _RUN]) for start in range(len(words) - _RUN + 1)]
    marked = [(zlib.crc32(run.encode("utf-8", "replace")), run) for run in runs]
    kept = {min(marked[start : start + _WINDOW]) for start in range(max(1, len(marked) - _WINDOW + 1))}
    return [_band(2, (run,)) for _, run in sorted(kept)]


def _band(kind: int, parts: Sequence[str]) -> int:
    name = "\0".join((_ALGORITHM, str(kind), *parts)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=512)
def _words(text: str) -> tuple[str, ...]:
    """Return a text's words and figures, casefolded; each character is one where words are not spaced."""
    plain = _BOILERPLATE.sub(" ", text[:_READ]).casefold()
    spaced = _UNSPACED.sub(lambda found: f" {found[0]} ", plain)
    return tuple(_WORD.findall(spaced))


def _length(words: Sequence[str]) -> float:
    """Return how many words a text has; two characters make about one where words are not spaced.

    Nothing asks how long a text is that is long anyway.
    """
    if len(words) >= 2 * _SHORT:
        return len(words)
    return len(words) - sum(map(bool, map(_UNSPACED.match, words))) / 2


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
    if _without_numbers(first) == _without_numbers(second) and len(_without_numbers(first)) >= 2:
        return True
    parts = set(_PARTS.findall(one.casefold())), set(_PARTS.findall(other.casefold()))
    return all(parts) and parts[0] != parts[1]


def _without_numbers(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word[0].isdigit() and word not in _MONTHS]


def _titles_contradict(one: str, other: str) -> bool:
    """Tell whether two titles have figures, and none in common."""
    first, second = set(_numbers(_words(one))), set(_numbers(_words(other)))
    return bool(first and second and not first & second)


def _title_supported_by_text(one: Item, other: Item) -> float:
    """Return which part of each one's telling title words the other's text has, the smaller of the two.

    Another headline over the same report says what the report says; one over a channel's notice does not.
    """
    found = [1.0]
    for title, text in ((one.title, other.text), (other.title, one.text)):
        if telling := set(filter(_is_informative, _words(title))):
            found.append(len(telling.intersection(_words(text))) / len(telling))
    return min(found)


def _title_overlap(one: str, other: str) -> float:
    """Return which part of the shorter title's telling words the longer one has."""
    first, second = set(filter(_is_informative, _words(one))), set(filter(_is_informative, _words(other)))
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _is_informative(word: str) -> bool:
    return word[0].isdigit() or len(word) > 3 or bool(_UNSPACED.match(word))


def _numbers_agree(first: Sequence[str], second: Sequence[str], *, short: bool) -> bool:
    """Tell whether the longer text has the shorter one's figures: a template's words come with others."""
    one, other = _numbers(first), _numbers(second)
    least = min(one.total(), other.total())
    return (one & other).total() >= (_SHORT_FIGURES if short else _FIGURES) * least


def _numbers(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())
