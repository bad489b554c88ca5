"""How far the review of a draft has come: the sections shown to the editor, and what is missing. Pure."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from desk.views import DraftPage
from pipeline.articles.review_sections import ReviewSection, review_sections, unshown

FIRST = "Title and description"
"""Name of the first section, which has no heading."""
_SIGNATURE_CHARS = 16


class SectionState(NamedTuple):
    """Whether a section was shown to an editor."""

    number: int
    heading: str
    """Empty for the first one."""
    words: int
    """Words of its sentences that were not shown yet."""
    sentences: tuple[str, ...]
    """Their hashes, and those of the other sentences."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.heading or FIRST

    @property
    def is_shown(self) -> bool:
        """Whether nothing of it is left to be shown."""
        return self.words == 0


class ReviewState(NamedTuple):
    """The state of a review, for one editor and one text."""

    sections: tuple[SectionState, ...]
    words_per_s: float
    """Words that count as shown in a second on screen; 0: at once."""
    opened: str = ""
    """When the page was opened, signed."""

    @property
    def shown(self) -> int:
        """Number of sections that were shown."""
        return sum(section.is_shown for section in self.sections)

    @property
    def is_full(self) -> bool:
        """Whether every section was shown."""
        return self.shown == len(self.sections)

    def state(self, number: int) -> SectionState | None:
        """Return the state of the section with a number; None where there is none."""
        return self.sections[number] if 0 <= number < len(self.sections) else None

    def is_ready(self, page: DraftPage) -> bool:
        """Whether `a` approves."""
        return self.is_full and not page.blocks and not page.error

    def missing(self, page: DraftPage) -> str:
        """Return what is missing before `a` approves, for the editor; empty if nothing is."""
        if page.error:
            return "The file cannot be read."
        left = [section.name for section in self.sections if not section.is_shown]
        parts = [f"{page.blocks} must {'is' if page.blocks == 1 else 'are'} open"] if page.blocks else []
        parts += [f"not shown yet: {', '.join(left)}"] if left else []
        return "; ".join(parts)

    def left(self, page: DraftPage) -> str:
        """Return what is missing, in the fewest words, for the button."""
        if page.error:
            return "cannot be read"
        unseen = len(self.sections) - self.shown
        parts = [f"{page.blocks} must"] if page.blocks else []
        parts += [f"{unseen} {'section' if unseen == 1 else 'sections'} to show"] if unseen else []
        return " · ".join(parts)


def review_state(
    metadata: dict[str, Any], body: str, shown: Collection[str], words_per_s: float, opened: str = ""
) -> ReviewState:
    """Return the state of a review; `shown` are the hashes of the sentences that the editor was shown."""
    sections = review_sections(metadata, body)
    states = (_state(number, section, shown) for number, section in enumerate(sections))
    return ReviewState(tuple(states), words_per_s, opened)


def _state(number: int, section: ReviewSection, shown: Collection[str]) -> SectionState:
    return SectionState(number, section.heading, unshown(section, shown), section.sentences)


def sign_opened(secret: bytes, moment: datetime, about: Sequence[str]) -> str:
    """Return a moment with a signature over it and `about`: draft, text, editor."""
    at = f"{moment.timestamp():.3f}"
    return f"{at}.{_signature(secret, at, about)}"


def opened_at(secret: bytes, signed: str, about: Sequence[str]) -> float | None:
    """Return the moment of `sign_opened` in seconds since 1970; None if it was not signed so."""
    at, _, signature = signed.rpartition(".")
    expected = _signature(secret, at, about).encode()
    return float(at) if hmac.compare_digest(signature.encode("utf-8", "replace"), expected) else None


def _signature(secret: bytes, at: str, about: Sequence[str]) -> str:
    message = "\0".join((at, *about)).encode("utf-8", "replace")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:_SIGNATURE_CHARS]
