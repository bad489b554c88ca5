"""Cover images that an editor may choose."""

from typing import Any, NamedTuple

from fastapi import APIRouter

from desk.office import Seen
from pipeline.settings import Settings

router = APIRouter()
IMAGE_HOSTS: tuple[str, ...] = ()
_KEYS = ("raw", "full", "regular", "small", "thumb", "small_s3")


class Offer(NamedTuple):
    """A choice in the form."""

    value: str
    label: str


def offered(settings: Settings, seen: Seen) -> list[Offer]:
    """Return the choices beside leaving the cover as it is."""
    del settings
    return [Offer("none", "No cover")]


def chosen(seen: Seen, choice: str) -> dict[str, Any] | None:
    """Return the cover that a choice means: `{}` for none, None for as it is."""
    del seen
    return {} if choice == "none" else None
