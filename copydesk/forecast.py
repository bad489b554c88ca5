"""What becomes of the items of a feed in a first run, and what keeps the others from being drafted."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from copydesk.console import pluralize
from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, Item
from pipeline.feeds.pages.fetch import PageFetcher, merge_page_text, needs_page, source_gap
from pipeline.feeds.select import ExistingItems, is_age, select_items
from pipeline.services.namesakes import separate_links
from pipeline.services.work_queue import PAGES_PER_DRAFT

Outcome = Literal["drafted", "page", "waits", "skipped", "merged"]
_TRIALS = 2
"""Pages of a feed that are fetched to learn whether they have the text. Chosen, not measured."""
_MAX_ASKED = 200
"""Items whose own page is compared with the rules of its site. Chosen, not measured."""
_TRIALS_S = 30.0
"""Seconds for all questions about the pages of a feed. Chosen, not measured."""
_MAX_CAUSES = 4
"""Causes that one line names. Chosen, not measured."""
_SHORT = "too short"


class Row(FrozenModel):
    """One item and its outcome in a first run."""

    published_at: AwareDatetime
    dated: bool
    characters: int
    """Length of the feed's text."""
    title: str
    fate: Outcome
    why: str = ""
    cause: str = ""
    """Why its page cannot help, in words that fit all items of a feed."""
    requested: bool = False
    """A run asks for its page, in vain."""


def item_outcomes(feed: FeedConfig, items: Sequence[Item], now: datetime) -> tuple[Row, ...]:
    """Return the outcome of each item in a first run, in the feed's order."""
    items = separate_links(items, {}, {})
    chosen = select_items(feed, items, ExistingItems(), now)
    reasons = {skip.item.guid: skip.reason for skip in chosen.skipped}
    merged = {merge.item.guid for merge in chosen.merged}
    rows = []
    for item in items:
        if item.guid in reasons:
            rows.append(_row(item, "skipped", reasons[item.guid]))
        elif item.guid in merged:
            rows.append(_row(item, "merged", "duplicate of another item of this feed"))
        else:
            rows.append(_row(item, *_text_outcome(feed, item)))
    return _limited(feed, items, rows)


def _limited(feed: FeedConfig, items: Sequence[Item], rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows with those left for later runs: over the limit of drafts, or of pages, newest first."""
    limit = min(feed.max_items, feed.max_items_per_day or feed.max_items)
    drafts, pages = limit, PAGES_PER_DRAFT * limit
    limited = list(rows)
    for number in sorted(range(len(rows)), key=lambda number: items[number].published_at, reverse=True):
        if rows[number].fate in ("drafted", "page"):
            if drafts <= 0 or pages <= 0:
                why = f"more than {pluralize(limit, 'item')} in one run"
                limited[number] = rows[number].model_copy(update={"fate": "waits", "why": why})
            drafts -= 1
        pages -= rows[number].fate == "page" or rows[number].requested
    return tuple(limited)


def _text_outcome(feed: FeedConfig, item: Item) -> tuple[Outcome, str]:
    """Return the outcome of a selected item from its text, with the reason."""
    reason = source_gap(item, feed)
    if needs_page(item, feed):
        excerpt = "its feed has excerpts only" if item.excerpt else None
        return "page", reason or excerpt or f"use: {feed.use}, full_text: {feed.full_text}"
    return ("skipped", reason) if reason else ("drafted", "")


def _row(item: Item, fate: Outcome, why: str) -> Row:
    return Row(
        published_at=item.published_at,
        dated=item.dated,
        characters=len(item.text),
        title=item.title,
        fate=fate,
        why=why,
    )


async def ask_pages(
    pages: PageFetcher, feed: FeedConfig, items: Sequence[Item], rows: Sequence[Row]
) -> tuple[Row, ...]:
    """Return the rows with what is known of their pages: whether they may be fetched, and have the text.

    Each page's site is asked for its rules, and the newest pages are fetched: if none of them can be used,
    none of the others is expected to. `rows` are those of `items`.
    """
    wanting = [number for number, item in enumerate(items) if _wants_page(rows[number], item, feed)]
    wanting.sort(key=lambda number: items[number].published_at, reverse=True)
    updated = [
        row if row.fate != "waits" else _row(item, *_text_outcome(feed, item))
        for row, item in zip(rows, items, strict=True)
    ]
    allowed, failures = list[int](), list[FeedError | None]()
    with contextlib.suppress(TimeoutError):  # what is known by then counts
        async with asyncio.timeout(_TRIALS_S):
            errors = await _forbidden_each(pages, feed, [items[number] for number in wanting])
            for number, error in zip(wanting, errors, strict=True):
                if error and _needs_it(error, items[number], feed):
                    updated[number] = _refused(updated[number], items[number], error)
                elif error:
                    updated[number] = _row(items[number], "drafted", "")
            allowed += (number for number, error in zip(wanting, errors, strict=True) if error is None)
            for number in allowed[: _trials(feed)]:
                failures.append(await _failure(pages, feed, items[number]))
    for place, number in enumerate(allowed if failures and all(failures) else ()):
        if failure := failures[min(place, len(failures) - 1)]:
            updated[number] = _refused(updated[number], items[number], failure)
    return _limited(feed, items, updated)


def _trials(feed: FeedConfig) -> int:
    """Return how many pages of a feed are fetched: one, if the delay after it takes all the time."""
    return _TRIALS if feed.page_delay < _TRIALS_S else 1


def _wants_page(row: Row, item: Item, feed: FeedConfig) -> bool:
    return row.fate == "page" or (row.fate == "waits" and needs_page(item, feed))


async def _forbidden_each(
    pages: PageFetcher, feed: FeedConfig, items: Sequence[Item]
) -> list[FeedError | None]:
    """Return why each item's page may not be fetched, None if it may.

    Beyond the first ones, the items of a folder have one answer: each is compared with many rules.
    """
    errors = await asyncio.gather(*(_forbidden(pages, feed, item) for item in items[:_MAX_ASKED]))
    answers = {_folder(item): error for item, error in zip(items, errors, strict=False)}
    for item in items[_MAX_ASKED:]:
        if _folder(item) not in answers:
            answers[_folder(item)] = await _forbidden(pages, feed, item)
        errors.append(answers[_folder(item)])
    return errors


def _folder(item: Item) -> str:
    return (item.link or "").partition("?")[0].rpartition("/")[0]


async def _forbidden(pages: PageFetcher, feed: FeedConfig, item: Item) -> FeedError | None:
    try:
        await pages.require_allowed(item.link or "", feed.key)
    except FeedError as error:
        return error
    return None


async def _failure(pages: PageFetcher, feed: FeedConfig, item: Item) -> FeedError | None:
    """Return why an item's page does not give it a text that can be drafted, None if it does."""
    try:
        page = await pages.page(item.link or "", feed.selector, feed=feed.key, delay_s=feed.page_delay)
        merged = merge_page_text(item, page, feed)
    except FeedError as error:
        return error if _needs_it(error, item, feed) else None
    reason = source_gap(merged, feed)
    return FeedError(f"{item.link} has no more of it ({reason})", kind="thin") if reason else None


def _needs_it(error: FeedError, item: Item, feed: FeedConfig) -> bool:
    """Return whether an item is not drafted without its page: its text is not complete, or reserved there."""
    return error.kind == "reserved" or source_gap(item, feed) is not None


def _refused(row: Row, item: Item, error: FeedError) -> Row:
    url, _, description = error.message.partition(" ")
    if error.kind == "thin":
        description = "has no more of it"
    cause = f"a page that {description}" if "://" in url else f"a page that cannot be had ({error.message})"
    if error.kind == "robots":
        cause = "pages refused by robots.txt"
    why = f"{row.why}; its page: {error.message}" if row.fate == "page" else f"its page: {error.message}"
    requested = error.kind not in ("robots", "reserved")
    return row.model_copy(update={"fate": "skipped", "why": why, "cause": cause, "requested": requested})


def forecast(rows: Sequence[Row]) -> str:
    """Return in one line how many items a first run and its successors can draft, and what keeps the rest."""
    if not rows:
        return "no items"
    rest = Counter(_cause(row) for row in rows if row.fate in ("skipped", "merged"))
    count, waiting = len(rows) - rest.total(), sum(row.fate == "waits" for row in rows)
    total = pluralize(len(rows), "item")
    some = f"{count} of {total} can be drafted" + (f", {waiting} of them in later runs" if waiting else "")
    if not rest:
        return some
    if len(rest) == 1:
        [cause] = rest
        described = _described(rows, cause)
        quantity = "all " if not count else "the others "
        if described.startswith("texts") or rest.total() == 1:
            quantity = ""
        return f"{some}: {quantity}{described}"
    causes = [
        f"{number} {'with ' if (text := _described(rows, cause)).startswith('texts') else ''}{text}"
        for cause, number in rest.most_common(_MAX_CAUSES)
    ]
    return f"{some}: {'; '.join(causes)}" + ("; …" if len(rest) > _MAX_CAUSES else "")


def _cause(row: Row) -> str:
    if row.fate == "merged":
        return "repeated"
    if is_age(row.why):
        return "older than " + row.why.partition("more than ")[2].removesuffix(" ago")
    if row.cause:
        return row.cause
    kind = row.why.partition(":")[0]
    return {"thin source": _SHORT, "cut source": "cut off", "reserved by its publisher": row.why}.get(
        kind, kind
    )


def _described(rows: Sequence[Row], cause: str) -> str:
    """Return a cause, with the lengths of the texts where they are part of it."""
    affected = [row for row in rows if row.fate in ("skipped", "merged") and _cause(row) == cause]
    lengths = [row.characters for row in affected]
    span = f"{min(lengths):,}" + (f"–{max(lengths):,}" if max(lengths) > min(lengths) else "")
    texts = f"texts of {span} characters"
    if cause == _SHORT:
        return f"{cause} ({texts})"
    return f"{texts}, {cause}" if any(row.cause for row in affected) else cause
