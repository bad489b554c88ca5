"""Where a draft is kept, below the output folder."""

from datetime import UTC, datetime

from slugify import slugify

from pipeline.output.scalars import clean

_SLUG_LENGTH = 60
_READ_LENGTH = 400
"""Characters of a title that are looked at: a hostile one may be as long as its feed."""


def draft_path(title: str, published_at: datetime, external_id: str) -> str:
    """Return `drafts/YYYY/MM/<slug>-<short id>.md`, by the aware `published_at` in UTC.

    The slug is an ASCII transliteration of at most 60 characters, cut at a word where there is one, `item`
    if nothing is left; the short id is the first 8 of `external_id`.
    """
    day = published_at.astimezone(UTC)
    return f"drafts/{day.year:04d}/{day.month:02d}/{_slug(title)}-{external_id[:8]}.md"


def _slug(title: str) -> str:
    # Entities were decoded when the item was cleaned; doing it again fails on `&#9999999999;`.
    slug = slugify(
        clean(title[:_READ_LENGTH]),
        entities=False,
        decimal=False,
        hexadecimal=False,
        max_length=_SLUG_LENGTH,
        word_boundary=True,
        save_order=True,
    )
    return slug or "item"
