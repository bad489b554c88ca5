"""The description (alt text) of a cover image: it says what the picture shows, so it is no headline. Pure.

Source: https://www.w3.org/WAI/tutorials/images/decision-tree/
"""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any
from unicodedata import normalize

from pipeline.domain.text import UNSPACED

MAX_ALT_CHARS = 500
"""Most characters of a description. Chosen, not measured."""
_WORD = re.compile(r"[^\W_]+")
_MAX_WORDS = 80
_MIN_SHARE = 0.8
"""Share of the longer text's words, in order, from which on two texts say the same. Chosen, not measured."""
_MIN_CONTAINED = 5
"""Words from which on a text that is a part of the other says the same. Chosen, not measured."""
_CREDIT = re.compile(
    r"(?:photo(?:graph)?|image|picture|illustration|credit|source|foto|bild|quelle|imagen|fuente|cr[ée]dit(?:o|os|s)?)"
    r"(?:\s(?:credits?|by|von|de))?\s*[:/©|].*|[©(].{0,80}",
    re.IGNORECASE | re.DOTALL,
)
"""A line that names whose picture it is, and does not say what it shows."""


def alt_of(metadata: Mapping[str, Any]) -> str:
    """Return the description of the cover in front matter; empty without one."""
    cover = metadata.get("coverImage")
    alt = cover.get("alt") if isinstance(cover, dict) else None
    return alt if isinstance(alt, str) else ""


def has_cover(metadata: Mapping[str, Any]) -> bool:
    """Tell whether front matter has a cover image."""
    cover = metadata.get("coverImage")
    return isinstance(cover, dict) and any(key not in ("credit", "alt") for key in cover)


def is_headline(alt: str, *titles: str) -> bool:
    """Tell whether a description has the words of one of the titles, or nearly."""
    words = _words(alt)
    return bool(words) and any(_is_same(words, _words(title)) for title in titles)


def describes(alt: str, *titles: str) -> bool:
    """Tell whether a publisher's text can be a description: no headline, no file's name, no credit."""
    several_words = len(_words(alt)) > 1 and " " in alt.strip()
    return (
        (several_words or bool(UNSPACED.search(alt)))
        and len(alt) <= MAX_ALT_CHARS
        and not _CREDIT.fullmatch(alt.strip())
        and not is_headline(alt, *titles)
    )


def _is_same(words: list[str], title: list[str]) -> bool:
    if not title:
        return False
    blocks = SequenceMatcher(None, words, title, autojunk=False).get_matching_blocks()
    common = sum(block.size for block in blocks)
    shorter, longer = sorted((len(words), len(title)))
    return common >= _MIN_SHARE * longer or (shorter >= _MIN_CONTAINED and common == shorter)


def _words(text: str) -> list[str]:
    return _WORD.findall(normalize("NFC", text).casefold())[:_MAX_WORDS]
