"""Reasons why items are not drafted, without what differs from item to item. Pure."""

import re
from typing import Literal

from pipeline.domain.text import url_host
from pipeline.domain.withdrawals import notice_cause

_PAGE = "; its page: "
_PLACE = re.compile(r":? \(?line \d+ column \d+(?: \(char \d+\))?")
"""A place in JSON, as Python's `json` writes it."""
SAME_PAGE = "its page is that of"
"""Begins the reason why an item is merged whose page is drafted already; a title follows."""
CauseKind = Literal["failed", "waits"]
"""Why an item has no draft: its last attempt failed, or it waits for a time."""
NO_REASON = "stored by an earlier version, which kept no reason"
MAX_TITLES = 5
"""Titles shown for a reason: the latest. Chosen, not measured."""


def skip_cause(reason: str) -> str:
    """Return a reason without what differs from item to item: figures, dates, paths of pages."""
    text, _, page = reason.partition(_PAGE)
    kind = text.partition(":")[0]
    if kind in ("thin source", "cut source", "too long", "unread date"):
        text = kind
    elif text.startswith(SAME_PAGE):
        text = f"{SAME_PAGE} another item"
    elif kind == "withdrawn":
        text = notice_cause(text)
    elif kind == "too old":
        text = f"{kind}: {text.partition(', ')[2]}"
    return _at_host(text) + (f"{_PAGE}{_at_host(page)}" if page else "")


def _at_host(text: str) -> str:
    """Return a text that begins with a URL with its host instead."""
    url, _, rest = text.partition(" ")
    return f"{url_host(url)} {rest}" if "://" in url else text


def wait_cause(reason: str) -> str:
    """Return why an item waits: what is wrong with its page's host, without its own text's length."""
    _, _, page = reason.partition(_PAGE)
    return _at_host(page) if page else skip_cause(reason)


def failure_cause(reason: str) -> str:
    """Return why a model's answer could not be had, without places in the answer."""
    return skip_cause(_PLACE.sub("", reason))
