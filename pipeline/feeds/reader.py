"""The version of the reader: of all rules that make an item's title and text from what a feed sends.

A rule that changes a title or text of any feed is a new version, and asks for it (`if reader >= 2`), so that
the earlier versions still read as they did: see docs/decisions/0015-reader-version.md.
"""

READER = 2
"""The version that reads now. From 2 on: markup that carries meaning (meaning.py)."""
FIRST_READER = 1
"""The version that makes guids of texts, for ever: external ids are made of guids."""


def can_read(version: int) -> bool:
    """Tell whether the rules of a version are here; those of a later Copydesk are not."""
    return FIRST_READER <= version <= READER
