"""What one poll of a feed brought, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.domain.models import FrozenModel, Item, PollState
from pipeline.domain.near_duplicates import signature_bands
from pipeline.storage.notices import SourceNotice
from pipeline.storage.source_updates import Policy
from pipeline.storage.stored_keys import Arrival


class PollResult(NamedTuple):
    """What one poll brought."""

    new: Sequence[Item]
    updated: Sequence[Item]
    skipped: Sequence[tuple[Item, str]]
    """Items with the reasons why they are not drafted."""
    merged: Sequence[tuple[Item, tuple[str, str]]]
    """Duplicates with the (feed key, guid) of the item that they repeat."""
    state: PollState
    """Stored in the same transaction."""
    reread: Sequence[Item] = ()
    """Stored items of which only the reader's version differs."""
    present: frozenset[str] = frozenset()
    """Guids of the document: an item that is there itself is not updated from its duplicates."""
    namesakes: Sequence[Item] = ()
    """Items that came with the guid of another story, and have one of their own here."""
    deleted: Sequence[str] = ()
    """Guids of items that the feed says are deleted."""
    complete_since: datetime | None = None
    """The document has all of the feed's items that are newer than this; None: nobody can tell."""
    urls: frozenset[str] = frozenset()
    """Canonical URLs of the document."""


class AdmissionResult(FrozenModel):
    """The number of a poll's items by outcome; updates are changed texts and new notices."""

    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0
    reserved: int = 0
    """Skipped items that waited for their drafts before."""
    notices: tuple[SourceNotice, ...] = ()


class PollRecord(NamedTuple):
    """One poll of a feed, to be admitted."""

    feed_key: str
    arrivals: Sequence[Arrival]
    """The new items of the result, with their bands."""
    result: PollResult
    policy: Policy


def poll_record(feed_key: str, result: PollResult, policy: Policy) -> PollRecord:
    """Return a poll with the bands of its new items, computed outside of any transaction."""
    arrivals = [(item, signature_bands(item.title, item.text)) for item in result.new]
    return PollRecord(feed_key, arrivals, result, policy)
