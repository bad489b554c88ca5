"""What an item is besides text, and in which language: by what its feed declares. Pure."""

import re
from collections.abc import Iterable
from typing import Literal

Media = Literal["audio", "video"]

_ENDINGS: dict[str, Media] = {
    "mp3": "audio", "m4a": "audio", "aac": "audio", "ogg": "audio", "oga": "audio", "opus": "audio",
    "wav": "audio", "flac": "audio", "mp4": "video", "m4v": "video", "mov": "video", "webm": "video",
    "mkv": "video", "avi": "video",
}  # fmt: skip
_ENDING = re.compile(r"\.([a-z0-9]{2,4})(?:[?#]|\Z)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


def media_of(files: Iterable[tuple[str, str]]) -> Media | None:
    """Return what the first audio or video file is among an item's, each its type (or medium) and its URL.

    An item that comes with one counts as that, whatever text stands beside it: an episode's notes are no
    story. Where the type says nothing, the name's ending does.
    """
    for declared, url in files:
        kind = declared.lower().partition("/")[0]
        ending = (
            _ENDING.search(url) if kind not in ("audio", "video") and kind in ("", "application") else None
        )
        if kind == "audio" or (ending and _ENDINGS.get(ending[1].lower()) == "audio"):
            return "audio"
        if kind == "video" or (ending and _ENDINGS.get(ending[1].lower()) == "video"):
            return "video"
    return None


def language_of(*declared: str) -> str | None:
    """Return the first language that is one, in lower case: `en-gb` (RFC 5646); None where none is."""
    for written in declared:
        tag = written.strip().lower().replace("_", "-")
        if _LANGUAGE.fullmatch(tag):
            return tag
    return None
