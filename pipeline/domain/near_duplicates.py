"""Near-duplicate detection (deduplication): MinHash bands find candidates, shared words decide. Pure.

Candidates share a band of a MinHash signature of the text (Broder 1997; Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3), or a winnowed run of words of its beginning, because a feed may have
only that, perhaps behind a byline (Schleimer, Wilkerson and Aiken 2003), or the title.
Two candidates are then compared by shared shingles of three words and by their numbers: a report that is
written to a template every day is a different report every day.

Thresholds: chosen so that they tell the pairs of tests/pipeline/domain/near_duplicate_pairs.py apart.
"""

import hashlib
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache

from rensa import RMinHash

from pipeline.domain.models import Item
from pipeline.domain.text import UNSPACED

_MAX_CHARS = 4000
"""Characters of a text that are compared."""
_LEAD_WORDS = 45
"""Words of a text's beginning."""
_RUN_WORDS, _WINDOW_RUNS = 6, 8
"""Words in a run, and runs in a window of which one is selected: 13 common words in a row always match."""
_ROWS, _BANDS = 3, 8
"""Hashes in a band, and bands of a signature: texts that share half of their shingles mostly match."""
_ALGORITHM = str(RMinHash.ALGORITHM_VERSION)
_MIN_WORDS = 12
"""Words that a text must have to be compared; a headline has fewer."""
_MIN_TITLE_WORDS = 5
MAX_GAP = timedelta(days=7)
"""Items published farther apart are no near-duplicates."""
_MIN_SHARED, _MIN_SHARED_SHORT = 0.5, 0.6
"""Share of the shorter text's shingles that the longer text must have; the second for short texts."""
_MIN_SHARED_SAME_TITLE = 0.3
"""The same share, where the titles are equal."""
_VERBATIM_SHARED = 0.9
"""The share from which on the titles need to have little in common."""
_SHORT_WORDS, _BLURB_WORDS = 80, 25
"""Words below which a text is short, and below which it may be a notice that many items share."""
_MIN_BLURB_TITLE_OVERLAP = 0.8
"""Share of the shorter title's words that the longer title must have, where the text is a blurb."""
_MIN_TITLE_SUPPORT = 0.5
"""Share of a title's informative words that the other title or the other text must have."""
_MIN_NUMBERS_SHARED, _MIN_NUMBERS_SHARED_SHORT = 0.6, 0.85
"""Share of the shorter text's numbers that the longer text must have; the second for short texts."""

_MAX_SHARED_OTHER = 0.15
"""Share of the shorter text's shingles below which two texts are of different stories. A text that was
rewritten keeps its quotations. Chosen, not measured."""
_MIN_REDATED = timedelta(hours=1)
"""Publication times that differ by less are of one item. Chosen, not measured."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d[\d.,:/]*\d|\d")
_PLACE = r"\A.{0,60}?\([^)\n]{1,30}\).{0,50}? [-–—] "
"""The place and the agency before the first sentence."""
_BOILERPLATE = re.compile(
    rf"(?:https?://|www\.)[!-~]+|{_PLACE}"
    r"|the post .{0,300} appeared first on .{0,100}"
    r"|(?:continue reading|read more|read the full (?:story|article)).{0,100}"
    r"|(?:source|originally published (?:at|on)):? .{0,100}$"
    r"|this (?:article|story) (?:was )?(?:first )?(?:appeared|published) .{0,100}",
    re.IGNORECASE,
)
_BOILERPLATE_HINTS = (
    "://", "www.", "the post ", "continue reading", "read more", "read the full ", "source", "originally pub",
    "this article ", "this story ",
)  # fmt: skip
"""What a casefolded text has where `_BOILERPLATE` may match behind its beginning: a fast check."""
_MAX_PLACE_CHARS = 150
"""Characters of a text's beginning that may name its place and agency, with the dash behind them."""
_CALENDAR_TEXT = """january february march april may june july august september october november december
jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday"""
_CALENDAR_WORDS = frozenset(_CALENDAR_TEXT.split())
_SERIES_PART = re.compile(
    r"\b(?:part|episode|ep|vol|volume|issue|chapter|day|week|round|game|teil|folge|parte|partie)\W{0,3}"
    r"(\d+|[ivxlc]+|one|two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)


def signature_bands(title: str, text: str) -> tuple[int, ...]:
    """Return the bands of an item's signature, signed 64-bit integers; none where it is too short.

    Two items that share a band are candidates. The hash of a band includes the version of the MinHash
    algorithm, so a band never equals one that was stored by another version.
    """
    words = _words(text)
    bands: list[int] = []
    if len(words) >= _MIN_WORDS:
        bands += _signature(words)
        bands += _winnowing_hashes(words[:_LEAD_WORDS])
    titled = _words(title)
    if len(titled) >= _MIN_TITLE_WORDS:
        bands.append(_band(3, titled))
    return tuple(dict.fromkeys(bands))


def is_near_duplicate(item: Item, other: Item) -> bool:
    """Tell whether two items have nearly the same text.

    One may be the beginning of the other, or a version of it with a few changed numbers. Reports written to
    one template, parts of a series, and items more than a week apart are no near-duplicates. Symmetric.
    """
    if abs(item.published_at - other.published_at) > MAX_GAP or _is_same_series(item.title, other.title):
        return False
    first, second = _words(item.text), _words(other.text)
    shorter_length = min(_length(first), _length(second))
    if shorter_length < _MIN_WORDS or not _numbers_agree(first, second, short=shorter_length < _SHORT_WORDS):
        return False
    shared = _containment(first, second)
    if _same_title(item.title, other.title):
        return shared >= _MIN_SHARED_SAME_TITLE
    if shared < (_MIN_SHARED_SHORT if shorter_length < _SHORT_WORDS else _MIN_SHARED):
        return False
    overlap, fit = _title_overlap(item.title, other.title), _title_supported_by_text(item, other)
    if shorter_length < _BLURB_WORDS:
        return shared >= _VERBATIM_SHARED and (
            overlap >= _MIN_BLURB_TITLE_OVERLAP or fit >= _MIN_TITLE_SUPPORT
        )
    if shared >= _VERBATIM_SHARED:
        return overlap > 0 or fit > 0
    return max(overlap, fit) >= _MIN_TITLE_SUPPORT and not _titles_contradict(item.title, other.title)


def is_same_item(item: Item, other: Item) -> bool:
    """Tell whether two items of a feed are one item with two guids: the same link, or title and text."""
    if item.canonical and item.canonical == other.canonical:
        return True
    return _same_title(item.title, other.title) and is_near_duplicate(item, other)


def is_same_page(item: Item, other: Item) -> bool:
    """Tell whether two items are one page under links that differ in their query: the same title and text."""
    if not (item.canonical and other.canonical and item.text):
        return False
    pages = [each.canonical.partition("?")[0] for each in (item, other) if each.canonical]
    return pages[0] == pages[1] and (item.title, item.text) == (other.title, other.text)


def is_same_report(item: Item, other: Item) -> bool:
    """Tell whether two items whose pages declare one URL are one story, as some sites declare one for all."""
    return _same_title(item.title, other.title) or is_near_duplicate(item, other)


def is_different_item(stored: Item, item: Item) -> bool:
    """Tell whether an item of a feed is another story than the stored one that has its guid.

    A guid alone is no proof: some feeds number the places of their list, or have one guid for everything. It
    takes another title, another text, and another link or, at the same link, another date; under the title
    of a column, both. Both items have the texts of their feed, not those of their pages; a text that is not
    known is empty.
    """
    moved = stored.canonical != item.canonical
    if _words(stored.title) == _words(item.title):
        return moved and _is_redated(stored, item) and has_other_text(stored, item)
    shared = _best_containment(stored, item, summaries=not moved)
    if shared is not None and shared >= _MAX_SHARED_OTHER:
        return False
    if min(len(_words(stored.text)), len(_words(item.text))) < _MIN_WORDS:
        return moved and not _title_overlap(stored.title, item.title)
    unlinked = stored.canonical is None and item.canonical is None  # no page of their own says that it is one
    return moved or _is_redated(stored, item) or (unlinked and not _title_overlap(stored.title, item.title))


def has_other_text(item: Item, other: Item) -> bool:
    """Tell whether both items have a text, and these have next to nothing in common."""
    first, second = _words(item.text), _words(other.text)
    long_enough = min(len(first), len(second)) >= _MIN_WORDS
    return long_enough and _containment(first, second) < _MAX_SHARED_OTHER


def _is_redated(stored: Item, item: Item) -> bool:
    return stored.dated and item.dated and abs(stored.published_at - item.published_at) >= _MIN_REDATED


def _best_containment(stored: Item, item: Item, *, summaries: bool) -> float | None:
    """Return the greatest containment of a text of one item in a text of the other; None without any.

    At one link the summaries count, too: a feed may send the full text or the teaser only.
    """
    texts = ((each.text, each.summary) if summaries else (each.text,) for each in (stored, item))
    first, second = (
        [words for words in map(_words, each) if len(words) >= _MIN_TITLE_WORDS] for each in texts
    )
    return max((_containment(*pair) for pair in itertools.product(first, second)), default=None)


def _signature(words: Sequence[str]) -> list[int]:
    sketch = RMinHash(num_perm=_ROWS * _BANDS, seed=1)
    sketch.update(list({f"{first} {second} {third}" for first, second, third in _runs_of_three(words)}))
    digest = sketch.digest()
    rows = (digest[start : start + _ROWS] for start in range(0, len(digest), _ROWS))
    return [_band(1, (str(number), *map(str, row))) for number, row in enumerate(rows)]


def _winnowing_hashes(words: Sequence[str]) -> list[int]:
    """Return a band of the run with the smallest checksum in each window, wherever the run is in the text."""
    runs = [" ".join(words[start : start + _RUN_WORDS]) for start in range(len(words) - _RUN_WORDS + 1)]
    marked = [(zlib.crc32(run.encode("utf-8", "replace")), run) for run in runs]
    selected = {
        min(marked[start : start + _WINDOW_RUNS]) for start in range(max(1, len(marked) - _WINDOW_RUNS + 1))
    }
    return [_band(2, (run,)) for _, run in sorted(selected)]


def _band(kind: int, parts: Sequence[str]) -> int:
    name = "\0".join((_ALGORITHM, str(kind), *parts)).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=512)
def _words(text: str) -> tuple[str, ...]:
    """Return the words and numbers of a text, casefolded; in scripts without spaces each character."""
    head = text[:_MAX_CHARS]
    plain = head.casefold()
    if any(hint in plain for hint in _BOILERPLATE_HINTS):
        plain = _BOILERPLATE.sub(" ", head).casefold()
    elif "(" in head[:_MAX_PLACE_CHARS] and (place := re.match(_PLACE, head)):
        plain = head[place.end() :].casefold()
    if not plain.isascii():
        plain = UNSPACED.sub(lambda match: f" {match[0]} ", plain)
    return tuple(_WORD.findall(plain))


def _length(words: Sequence[str]) -> float:
    """Return the number of words; in scripts without spaces two characters count as one word.

    The count of a long text is not corrected, since no threshold depends on it.
    """
    if len(words) >= 2 * _SHORT_WORDS:
        return len(words)
    return len(words) - sum(map(bool, map(UNSPACED.match, words))) / 2


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return set(_runs_of_three(words)) or {tuple(words)}


def _runs_of_three(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    return zip(words, words[1:], words[2:], strict=False)


def _containment(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the share of the smaller set of shingles that the other set has, from 0 to 1."""
    first_shingles, second_shingles = _shingles(first), _shingles(second)
    return len(first_shingles & second_shingles) / min(len(first_shingles), len(second_shingles))


def _same_title(title: str, other: str) -> bool:
    first, second = _words(title), _words(other)
    return len(first) >= 3 and first == second


def _is_same_series(title: str, other: str) -> bool:
    """Tell whether two titles differ only in numbers, dates or the number of a part."""
    first, second = _words(title), _words(other)
    if first == second:
        return False
    if _without_numbers(first) == _without_numbers(second) and len(_without_numbers(first)) >= 2:
        return True
    parts = set(_SERIES_PART.findall(title.casefold())), set(_SERIES_PART.findall(other.casefold()))
    return all(parts) and parts[0] != parts[1]


def _without_numbers(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word[0].isdigit() and word not in _CALENDAR_WORDS]


def _titles_contradict(title: str, other: str) -> bool:
    """Tell whether both titles have numbers, and none in common."""
    first, second = set(_numbers(_words(title))), set(_numbers(_words(other)))
    return bool(first and second and not first & second)


def _title_supported_by_text(item: Item, other: Item) -> float:
    """Return the share of each title's informative words that the other text has: the smaller of the two.

    A new headline over the same report uses words of the report; one over a channel's notice does not.
    """
    shares = [1.0]
    for title, text in ((item.title, other.text), (other.title, item.text)):
        if informative := set(filter(_is_informative, _words(title))):
            shares.append(len(informative.intersection(_words(text))) / len(informative))
    return min(shares)


def _title_overlap(title: str, other: str) -> float:
    """Return the share of the shorter title's informative words that the longer title has."""
    first, second = set(filter(_is_informative, _words(title))), set(filter(_is_informative, _words(other)))
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def _is_informative(word: str) -> bool:
    return word[0].isdigit() or len(word) > 3 or bool(UNSPACED.match(word))


def _numbers_agree(first: Sequence[str], second: Sequence[str], *, short: bool) -> bool:
    """Tell whether the longer text has enough of the shorter text's numbers."""
    first_numbers, second_numbers = _numbers(first), _numbers(second)
    smaller_total = min(first_numbers.total(), second_numbers.total())
    return (first_numbers & second_numbers).total() >= (
        _MIN_NUMBERS_SHARED_SHORT if short else _MIN_NUMBERS_SHARED
    ) * smaller_total


def _numbers(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if word[0].isdigit())
