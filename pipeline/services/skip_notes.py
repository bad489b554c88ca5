"""Says in a line a cause why items are not drafted. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from pipeline.domain.text import url_host
from pipeline.domain.withdrawals import notice_cause
from pipeline.storage import SourceNotice

_NOTICES = 5
"""Published articles that a report names. Chosen, not measured."""
_PAGE = "; its page: "
SAME_PAGE = "its page is that of"
"""Begins the reason why an item is merged whose page is drafted already; a title follows."""


def skip_notes(skipped: Iterable[tuple[str, str]], done: str = "skipped") -> list[str]:
    """Return a note a cause; `skipped` are pairs of an item's title and the reason why it is not drafted."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for title, reason in skipped:
        groups[skip_cause(reason)].append(f"{done} {title}: {reason}")
    return [
        notes[0] if len(notes) == 1 else f"{len(notes)} {done}: {cause}" for cause, notes in groups.items()
    ]


def notice_notes(notices: Iterable[SourceNotice]) -> list[str]:
    """Return a note for each published article whose source changed or went, and one a cause for drafts."""
    every = list(notices)
    lines = [f"source of a published article {each.notice}: {each.title}" for each in every if each.published]
    counts = Counter(notice_cause(each.notice) for each in every if not each.published)
    more = [f"{len(lines) - _NOTICES} more published articles"] if len(lines) > _NOTICES else []
    return [
        *lines[:_NOTICES],
        *more,
        *(f"{n} {'source' if n == 1 else 'sources'} {notice}" for notice, n in counts.items()),
    ]


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
