"""What a feed says of one item, cleaned but not yet told apart from the others."""

from typing import Literal

from pydantic import AwareDatetime

from pipeline.models import Record


class Entry(Record):
    """One element of a feed; links are absolute http(s), texts are plain."""

    guid: str = ""
    link: str | None = None
    title: str = ""
    text: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    image: str | None = None
    media: Literal["audio", "video"] | None = None
    language: str | None = None
    summary: str = ""
    categories: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to read and nowhere to go."""
        return not (self.title or self.text or self.link)


def distinct(values: list[str]) -> tuple[str, ...]:
    """Return the non-empty values in order, each once, at most 50 of them."""
    return tuple(value for value in dict.fromkeys(values) if value)[:50]
