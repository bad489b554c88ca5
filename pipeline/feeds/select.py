"""Selects a feed's items: applies its filters with a reason, and compares with the stored items. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from pydantic import AwareDatetime, Field

from pipeline.config.regex import compile_regex
from pipeline.domain.languages import other_language
from pipeline.domain.models import FeedConfig, FrozenModel, Item, Window
from pipeline.domain.withdrawals import may_be_back, withdrawal_notice
from pipeline.feeds.article_signs import not_an_article
from pipeline.feeds.rights.declaration import is_reserved, reserved_reason

# Scripts without spaces between words: a keyword has no word boundary there.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")

_TOO_OLD = "too old:"
_UNREAD = "unread date: {!r} may be old; items that come later are drafted"


def is_age(reason: str | None) -> bool:
    """Return whether a reason of `exclusion_reason` is the item's age."""
    return reason is not None and reason.startswith(_TOO_OLD)


def exclusion_reason(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
    """Return why the feed's filters exclude an item, None if they do not.

    The first reason in this order: emptiness, withdrawal, reservation, age, language, categories, authors,
    link, media, keywords, regular expressions, length, no article. `now` is aware UTC; without it, age is not
    checked. `min_chars` is not checked, because the item's page may have more text.
    """
    return (
        _emptiness(item)
        or withdrawal_notice(item.title)
        or (reserved_reason(item.reserved) if item.reserved else None)
        or age_reason(feed, item, now)
        or _language(feed, item)
        or _categories(feed, item)
        or _sources(feed, item)
        or _keywords(feed, item)
        or _patterns(feed, item)
        or _length(feed, item)
        or non_article_reason(feed, item)
    )


def non_article_reason(feed: FeedConfig, item: Item) -> str | None:
    """Return why an item is no article, None if it may be one, or if the feed takes everything."""
    what = not_an_article(item) if feed.only_articles else None
    return f"not an article ({what})" if what else None


def matches_language(language: str, language_range: str) -> bool:
    """Return whether a language tag matches a range: `en` matches `en-GB` (RFC 4647 section 3.3.1)."""
    tag, prefix = (each.casefold().replace("_", "-") for each in (language, language_range))
    return tag == prefix or tag.startswith(f"{prefix}-")


def _emptiness(item: Item) -> str | None:
    return None if item.title or item.text or item.link else "empty: it has neither title, text nor link"


def age_reason(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
    """Return why an item is too old for its feed, None if it is not; without `now`, age is not checked."""
    days = feed.max_age_days
    if now is None or days is None or item.published_at >= now - timedelta(days=days):
        return None
    return f"{_TOO_OLD} published {item.published_at:%Y-%m-%d}, more than {days:g} days ago"


def _language(feed: FeedConfig, item: Item) -> str | None:
    if not feed.languages:
        return None
    declared = item.language or feed.language
    language = other_language(f"{item.title}\n{item.text}", declared) or declared
    if any(matches_language(language, accepted) for accepted in feed.languages):
        return None
    return f"unwanted language: {language}"


def _categories(feed: FeedConfig, item: Item) -> str | None:
    if not (feed.include_categories or feed.exclude_categories):
        return None
    categories = {_fold(category) for category in item.categories}
    return _refusal(
        "category",
        feed.include_categories,
        feed.exclude_categories,
        lambda category: _fold(category) in categories,
    )


def _sources(feed: FeedConfig, item: Item) -> str | None:
    """Return the reason of the filters on authors, link and media."""
    written = item.author or ""  # one name may have a comma
    authors = {_fold(author) for author in (written, *written.split(","))}
    link = (item.link or "").encode("utf-8", "replace")
    return (
        _refusal("author", feed.include_authors, feed.exclude_authors, lambda name: _fold(name) in authors)
        or _refusal(
            "link", feed.include_links, feed.exclude_links, lambda each: compile_regex(each).matches(link)
        )
        or _refusal("media", (), feed.exclude_media, lambda medium: medium == item.media)
    )


def _keywords(feed: FeedConfig, item: Item) -> str | None:
    if not (feed.include or feed.exclude):
        return None
    text = f"{item.title}\n{item.text}".casefold()
    return _refusal("word", feed.include, feed.exclude, lambda keyword: _contains_keyword(text, keyword))


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
    """Return the reason if an excluded value is present, or no included one."""
    for each in exclude:
        if has(each):
            return f"excluded {what}: {each}"
    return f"no include {what}" if include and not any(map(has, include)) else None


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _contains_keyword(text: str, keyword: str) -> bool:
    """Return whether a casefolded text contains a keyword between word boundaries."""
    folded = keyword.strip().casefold()
    # Most keywords do not occur, and `in` finds that out twenty times faster than the expression.
    return bool(folded) and folded in text and _keyword_pattern(folded).search(text) is not None


@lru_cache(maxsize=4096)
def _keyword_pattern(keyword: str) -> re.Pattern[str]:
    left = "" if _UNSPACED.match(keyword[0]) else r"(?<!\w)"
    right = "" if _UNSPACED.match(keyword[-1]) else r"(?!\w)"
    return re.compile(left + re.escape(keyword) + right)


_SKIPPED = "skipped"
_QUEUED = "seen"
_WAITING = (_QUEUED, "failed")
_MERGED = "merged"
_DRAFT_STATES = ("drafted", "approved")
_NO_DRAFT_STATES = (_SKIPPED, "forgotten")


class ExistingItem(FrozenModel):
    """The stored state of one item."""

    state: str
    content_hash: str
    reason: str | None = None
    """Why it was skipped."""
    retry_at: AwareDatetime | None = None
    """When a reservation at its site is looked up again."""


class ExistingItems(FrozenModel):
    """The stored items that the items of a poll are compared with."""

    guids: dict[str, ExistingItem] = Field(default_factory=dict)
    """Items of this feed by guid."""
    canonicals: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """All feeds: canonical URL → (feed key, guid) of the item that others are merged into."""
    forgotten: frozenset[str] = frozenset()
    """Canonical URLs of erased items, which are never selected again."""
    polled: bool = False
    """The feed has stored items, of this document or of earlier ones."""


class Skip(FrozenModel):
    """An item that is not drafted, and the reason."""

    item: Item
    reason: str


class Merge(FrozenModel):
    """An item whose canonical URL another item has already."""

    item: Item
    into: tuple[str, str]
    """Feed key and guid of the other item."""


ItemOutcomeKind = Literal["new", "updated", "unchanged", "outside", "beyond"] | Skip | Merge


class Selection(FrozenModel):
    """The outcome of each of a feed's items, in the feed's order."""

    new: tuple[Item, ...] = ()
    updated: tuple[Item, ...] = ()
    """Stored items whose title or text changed."""
    skipped: tuple[Skip, ...] = ()
    merged: tuple[Merge, ...] = ()
    unchanged: int = 0
    outside: int = 0
    """Items outside a backfill's window: not stored."""
    beyond: int = 0
    """Items in a backfill's window, beyond its limit: not stored."""
    reread: tuple[Item, ...] = ()
    """Stored items of which only the reader's version differs: their texts are replaced silently."""
    present: frozenset[str] = frozenset()
    """Guids of all items of the document."""
    namesakes: tuple[Item, ...] = ()
    """Items that came with the guid of another story, and have one of their own here."""


def select_items(
    feed: FeedConfig,
    items: Sequence[Item],
    existing: ExistingItems,
    now: datetime,
    *,
    window: Window | None = None,
    limit: int | None = None,
) -> Selection:
    """Return a feed's items as new, updated, skipped, merged or unchanged (deduplication by guid and URL).

    `now` is aware UTC. `window` is that of a backfill. It replaces the feed's maximum age, also for items
    that were skipped for their age. Items outside it, and new items older than the `limit` newest ones, are
    counted but not selected. `max_items` is not applied here, because it limits the drafts of one run.
    """
    taken = dict(existing.canonicals)
    for item in items:
        if item.canonical and _has_draft(existing.guids.get(item.guid)):
            taken.setdefault(item.canonical, (feed.key, item.guid))
    left = len(items) if limit is None else limit
    unique = {item.guid: item for item in items}  # a feed may repeat an item
    outcomes: dict[str, ItemOutcomeKind] = {}
    for item in _ordered(unique.values(), window):
        outcome = _within_limit(_outcome(feed, item, existing, taken, now, window), left)
        outcomes[item.guid] = outcome
        left -= outcome == "new"
        if outcome in ("new", "beyond") and item.canonical:
            taken[item.canonical] = (feed.key, item.guid)
    pairs = [(item, outcomes[guid]) for guid, item in unique.items()]
    return Selection(
        new=tuple(item for item, fate in pairs if fate == "new"),
        updated=tuple(item for item, fate in pairs if fate == "updated"),
        skipped=tuple(fate for _, fate in pairs if isinstance(fate, Skip)),
        merged=tuple(fate for _, fate in pairs if isinstance(fate, Merge)),
        unchanged=sum(fate == "unchanged" for _, fate in pairs),
        outside=sum(fate == "outside" for _, fate in pairs),
        beyond=sum(fate == "beyond" for _, fate in pairs),
        present=frozenset(unique),
    )


def _ordered(items: Iterable[Item], window: Window | None) -> Iterable[Item]:
    """Return items in the order of selection: newest first in a backfill, because of its limit."""
    return items if window is None else sorted(items, key=lambda item: item.published_at, reverse=True)


def _within_limit(outcome: ItemOutcomeKind, left: int) -> ItemOutcomeKind:
    """Return the outcome of an item if `left` more new items may be selected."""
    if left > 0 or outcome in ("updated", "unchanged"):
        return outcome
    return "beyond" if outcome == "new" else "outside"


def _outcome(
    feed: FeedConfig,
    item: Item,
    existing: ExistingItems,
    taken: dict[str, tuple[str, str]],
    now: datetime,
    window: Window | None,
) -> ItemOutcomeKind:
    if window is not None and not _in_window(item.published_at, window):
        return "outside"
    if item.canonical in existing.forgotten:
        return "unchanged"
    stored = existing.guids.get(item.guid)
    if stored is not None and item.reserved:
        if stored.state in _WAITING:
            return Skip(item=item, reason=reserved_reason(item.reserved))
        # The text that was free when it was drafted stays; that it changed is told.
        changed = stored.state in _DRAFT_STATES and stored.content_hash != item.content_hash
        return "updated" if changed else "unchanged"
    if stored is not None and not _needs_recheck(stored, item, window, now):
        if stored.content_hash == item.content_hash or stored.state in _NO_DRAFT_STATES:
            return "unchanged"
        # A backfill updates queued items only; a poll updates items with a draft.
        return "updated" if window is None or stored.state == _QUEUED else "outside"
    reason = exclusion_reason(feed, item, None if window else now)
    if not reason and item.unread_date and not existing.polled and window is None:
        reason = _UNREAD.format(item.unread_date)  # at a first poll it may be of any year
    if reason:
        return Skip(item=item, reason=reason) if stored is None else "unchanged"
    into = taken.get(item.canonical or "")
    if into is None or into == (feed.key, item.guid):
        return "new"
    return Merge(item=item, into=into)


def _has_draft(stored: ExistingItem | None) -> bool:
    """Return whether an item is stored and has, or will have, a draft of its own."""
    return stored is not None and stored.state not in (*_NO_DRAFT_STATES, _MERGED)


def _needs_recheck(stored: ExistingItem, item: Item, window: Window | None, now: datetime) -> bool:
    """Return whether a skipped item changed, or the reason for which it was skipped may be gone.

    Such reasons are an age that no longer counts, a withdrawal of what the feed has again, and a reservation
    that the feed no longer makes; what its site or page reserved is looked up again once a day.
    """
    if stored.state != _SKIPPED:
        return False
    if is_reserved(stored.reason or ""):
        return stored.retry_at is None or stored.retry_at <= now
    changed = stored.content_hash != item.content_hash or may_be_back(stored.reason)
    return changed or (window is not None and is_age(stored.reason))


def _in_window(moment: datetime, window: Window) -> bool:
    since, until = window
    return (since is None or moment >= since) and (until is None or moment < until)
