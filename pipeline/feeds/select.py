"""What an operator does not want of a feed, and the reason as it is shown to them. Pure.

Decides what becomes of a feed's items: pure, from what is known to what is to be done.

What an item is besides text, and in which language: by what its feed declares. Pure.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from pydantic import Field

from pipeline.config.regex import compile_regex
from pipeline.domain.models import FeedConfig, FrozenModel, Item, Window

# Scripts that put no spaces between words, so that a word's edge cannot be told.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")

_TOO_OLD = "too old:"


def is_age(reason: str | None) -> bool:
    """Tell whether a reason, as `objection` gave it, is the item's age and nothing else."""
    return reason is not None and reason.startswith(_TOO_OLD)


def exclusion_reason(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
    """Return why an item is not wanted, None where it is.

    Applied in this order, the first objection counting: emptiness, age, language, categories, words, regular
    expressions, length. `now` is aware UTC; without it, age is no reason. `min_chars` is not applied, as
    the item's page may still complete its text.
    """
    return (
        _emptiness(item)
        or _age(feed, item, now)
        or _language(feed, item)
        or _categories(feed, item)
        or _words(feed, item)
        or _patterns(feed, item)
        or _length(feed, item)
    )


def matches_language(language: str, wanted: str) -> bool:
    """Tell whether a language is the wanted one, `en` standing for `en-GB` as well (RFC 4647 §3.3.1)."""
    tag, prefix = (each.casefold().replace("_", "-") for each in (language, wanted))
    return tag == prefix or tag.startswith(f"{prefix}-")


def _emptiness(item: Item) -> str | None:
    return None if item.title or item.text or item.link else "empty: it has neither title, text nor link"


def _age(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
    days = feed.max_age_days
    if now is None or days is None or item.published_at >= now - timedelta(days=days):
        return None
    return f"{_TOO_OLD} published {item.published_at:%Y-%m-%d}, more than {days:g} days ago"


def _language(feed: FeedConfig, item: Item) -> str | None:
    language = item.language or feed.language
    if not feed.languages or any(matches_language(language, wanted) for wanted in feed.languages):
        return None
    return f"unwanted language: {language}"


def _categories(feed: FeedConfig, item: Item) -> str | None:
    if not (feed.include_categories or feed.exclude_categories):
        return None
    categories = {_folded(category) for category in item.categories}
    return _refusal(
        "category", feed.include_categories, feed.exclude_categories, lambda one: _folded(one) in categories
    )


def _words(feed: FeedConfig, item: Item) -> str | None:
    if not (feed.include or feed.exclude):
        return None
    text = f"{item.title}\n{item.text}".casefold()
    return _refusal("word", feed.include, feed.exclude, lambda word: _mentions(text, word))


def _patterns(feed: FeedConfig, item: Item) -> str | None:
    if not (feed.include_match or feed.exclude_match):
        return None
    text = f"{item.title}\n{item.text}".encode("utf-8", "replace")
    return _refusal(
        "pattern",
        feed.include_match,
        feed.exclude_match,
        lambda pattern: compile_regex(pattern).matches(text),
    )


def _length(feed: FeedConfig, item: Item) -> str | None:
    if feed.max_chars is None or len(item.text) <= feed.max_chars:
        return None
    return f"too long: {len(item.text):,} characters, more than {feed.max_chars:,}"


def _refusal(
    what: str, include: tuple[str, ...], exclude: tuple[str, ...], has: Callable[[str], bool]
) -> str | None:
    """Return what speaks against an item that has an excluded thing, or none of the included ones."""
    for each in exclude:
        if has(each):
            return f"excluded {what}: {each}"
    return f"no include {what}" if include and not any(map(has, include)) else None


def _folded(category: str) -> str:
    return " ".join(category.split()).casefold()


def _mentions(text: str, word: str) -> bool:
    """Tell whether a casefolded text has a word as a whole one."""
    wanted = word.strip().casefold()
    # Most words are in no text at all, which is found out twenty times faster without an expression.
    return bool(wanted) and wanted in text and _edged(wanted).search(text) is not None


@lru_cache(maxsize=4096)
def _edged(wanted: str) -> re.Pattern[str]:
    left = "" if _UNSPACED.match(wanted[0]) else r"(?<!\w)"
    right = "" if _UNSPACED.match(wanted[-1]) else r"(?!\w)"
    return re.compile(left + re.escape(wanted) + right)


_SKIPPED = "skipped"
_WAITS = "seen"
_MERGED = "merged"
_ASIDE = (_SKIPPED, "forgotten")


class ExistingItem(FrozenModel):
    """What the ledger knows of one item."""

    state: str
    content_hash: str
    reason: str | None = None
    """Why it is skipped, where that counts: in a backfill."""


class ExistingItems(FrozenModel):
    """What the ledger knows of the items at hand."""

    guids: dict[str, ExistingItem] = Field(default_factory=dict)
    """Of this feed, by guid."""
    canonicals: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Of all feeds: canonical URL → (feed key, guid) of the item that others are merged into."""
    forgotten: frozenset[str] = frozenset()
    """Canonical URLs that are never to be taken again."""


class Skip(FrozenModel):
    """An item that is not to be drafted, and why."""

    item: Item
    reason: str


class Merge(FrozenModel):
    """An item that tells a story we have already."""

    item: Item
    into: tuple[str, str]
    """Feed key and guid of the item that stays."""


ItemOutcomeKind = Literal["new", "updated", "unchanged", "outside", "beyond"] | Skip | Merge


class Selection(FrozenModel):
    """What is to become of a feed's items; each is in one place, in the feed's order."""

    new: tuple[Item, ...] = ()
    updated: tuple[Item, ...] = ()
    """Known, with another title or text than before."""
    skipped: tuple[Skip, ...] = ()
    merged: tuple[Merge, ...] = ()
    unchanged: int = 0
    outside: int = 0
    """Not what a backfill was asked for: neither taken in nor remembered."""
    beyond: int = 0
    """What it would have taken in, were it not for its limit; left alone as well."""


def select_items(
    feed: FeedConfig,
    items: Sequence[Item],
    known: ExistingItems,
    now: datetime,
    *,
    window: Window | None = None,
    most: int | None = None,
) -> Selection:
    """Sort a feed's items into new, updated, skipped, merged and unchanged ones.

    `now` is aware UTC. A `window` is a backfill's: it stands in for the feed's maximum age, also for items
    that were skipped for theirs, and whatever is not in it, or older than the `most` newest new items of it,
    is left as it is. max_items is not applied here, because it limits what is drafted in one run.
    """
    taken = dict(known.canonicals)
    for item in items:
        if item.canonical and _settled(known.guids.get(item.guid)):
            taken.setdefault(item.canonical, (feed.key, item.guid))
    left = len(items) if most is None else most
    once = {item.guid: item for item in items}  # a feed may say one twice
    became: dict[str, ItemOutcomeKind] = {}
    for item in _ordered(once.values(), window):
        fate = _asked(_fate(feed, item, known, taken, now, window), left)
        became[item.guid] = fate
        left -= fate == "new"
        if fate in ("new", "beyond") and item.canonical:
            taken[item.canonical] = (feed.key, item.guid)
    fates = [(item, became[guid]) for guid, item in once.items()]
    return Selection(
        new=tuple(item for item, fate in fates if fate == "new"),
        updated=tuple(item for item, fate in fates if fate == "updated"),
        skipped=tuple(fate for _, fate in fates if isinstance(fate, Skip)),
        merged=tuple(fate for _, fate in fates if isinstance(fate, Merge)),
        unchanged=sum(fate == "unchanged" for _, fate in fates),
        outside=sum(fate == "outside" for _, fate in fates),
        beyond=sum(fate == "beyond" for _, fate in fates),
    )


def _ordered(items: Iterable[Item], window: Window | None) -> Iterable[Item]:
    """Return items in the order in which they are taken in: a backfill, with its limit, takes the newest."""
    return items if window is None else sorted(items, key=lambda item: item.published_at, reverse=True)


def _asked(fate: ItemOutcomeKind, left: int) -> ItemOutcomeKind:
    """Return what becomes of an item where so many new ones may still be taken in."""
    if left > 0 or fate in ("updated", "unchanged"):
        return fate
    return "beyond" if fate == "new" else "outside"


def _fate(
    feed: FeedConfig,
    item: Item,
    known: ExistingItems,
    taken: dict[str, tuple[str, str]],
    now: datetime,
    window: Window | None,
) -> ItemOutcomeKind:
    if window is not None and not _within(item.published_at, window):
        return "outside"
    if item.canonical in known.forgotten:
        return "unchanged"
    before = known.guids.get(item.guid)
    if before is not None and not _reconsidered(before, item, window):
        if before.content_hash == item.content_hash or before.state in _ASIDE:
            return "unchanged"
        # A backfill takes the latest text of what waits; what has a draft is a poll's to look after.
        return "updated" if window is None or before.state == _WAITS else "outside"
    reason = exclusion_reason(feed, item, None if window else now)
    if reason:
        return Skip(item=item, reason=reason) if before is None else "unchanged"
    into = taken.get(item.canonical or "")
    if into is None or into == (feed.key, item.guid):
        return "new"
    return Merge(item=item, into=into)


def _settled(before: ExistingItem | None) -> bool:
    """Tell whether an item is known and has, or is to have, a draft of its own."""
    return before is not None and before.state not in (*_ASIDE, _MERGED)


def _reconsidered(before: ExistingItem, item: Item, window: Window | None) -> bool:
    """Tell whether to look again: at skipped items that changed, or whose age does not count any more."""
    if before.state != _SKIPPED:
        return False
    return before.content_hash != item.content_hash or (window is not None and is_age(before.reason))


def _within(moment: datetime, window: Window) -> bool:
    since, until = window
    return (since is None or moment >= since) and (until is None or moment < until)


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
