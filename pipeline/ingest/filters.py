"""What an operator does not want of a feed, and the reason as it is shown to them. Pure."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from pipeline.models import FeedConfig, Item
from pipeline.settings.patterns import compiled

# Scripts that put no spaces between words, so that a word's edge cannot be told.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")

_TOO_OLD = "too old:"


def is_age(reason: str | None) -> bool:
    """Tell whether a reason, as `objection` gave it, is the item's age and nothing else."""
    return reason is not None and reason.startswith(_TOO_OLD)


def objection(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
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


def speaks(language: str, wanted: str) -> bool:
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
    if not feed.languages or any(speaks(language, wanted) for wanted in feed.languages):
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
        "pattern", feed.include_match, feed.exclude_match, lambda pattern: compiled(pattern).found_in(text)
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
