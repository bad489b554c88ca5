"""Word lists of languages, searched as they are packed: a set of so many words would need 100 MB."""

import gzip
import re
from bisect import bisect_right
from functools import lru_cache
from importlib import resources

_BLOCK_BYTES = 1024
"""Bytes of the list that one lookup searches. Chosen, not measured."""
_ENTRY = re.compile(rb'"([^"\n]+)": (\d{4,})')
"""A word and its count of at least 1,000: the packed list is JSON, an entry a line, sorted by word."""
_EMPTY = b"{\n}"


class WordList:
    """The words of one language: `word in word_list` tells whether a case-folded word is one of them."""

    def __init__(self, entries: bytes = _EMPTY) -> None:
        """Take the JSON object word → count, as bytes, an entry a line, sorted by word."""
        self._entries = entries
        self._starts = [0]
        self._first_words = [b""]
        for at in range(_BLOCK_BYTES, len(entries), _BLOCK_BYTES):
            start = entries.find(b'\n"', at)
            if start > self._starts[-1]:
                self._starts.append(start)
                self._first_words.append(entries[start + 2 : entries.find(b'"', start + 2)])

    def __bool__(self) -> bool:
        """Tell whether there are any words."""
        return len(self._entries) > len(_EMPTY)

    def __contains__(self, word: str) -> bool:
        """Tell whether a case-folded word is in the list, also if the list spells its "ss" as "ß"."""
        if self._has(word.encode()):
            return True
        at = word.find("ss")
        return at > 0 and self._has(f"{word[:at]}ß{word[at + 2 :]}".encode())

    def _has(self, word: bytes) -> bool:
        block = bisect_right(self._first_words, word)
        start = self._starts[block - 1]
        end = self._starts[block] if block < len(self._starts) else len(self._entries)
        return self._entries.find(b'\n"%b":' % word, start, end) >= 0

    def frequent(self, minimum: int) -> frozenset[str]:
        """Return the words with a count of at least `minimum`, which is 1,000 or more."""
        entries = _ENTRY.findall(self._entries)
        return frozenset(word.decode() for word, count in entries if int(count) >= minimum)


@lru_cache(maxsize=4)
def word_list(language: str) -> WordList:
    """Return the word list of a language. Source: pyspellchecker."""
    packed = resources.files("spellchecker").joinpath(f"resources/{language}.json.gz").read_bytes()
    return WordList(gzip.decompress(packed))
