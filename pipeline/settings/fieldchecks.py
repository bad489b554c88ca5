"""What a feed's type cannot tell of its own fields: patterns, languages, limits. Pure."""

import re
from collections.abc import Iterator

from cssselect import HTMLTranslator, SelectorError

from pipeline.models import FeedConfig
from pipeline.settings.patterns import compiled
from pipeline.settings.problems import shown
from pipeline.settings.schedules import JITTER_ADVICE, SCHEDULE_ADVICE, is_jitter, is_schedule
from pipeline.settings.yamlnodes import Loc

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
OLDEST_DAYS = 36_500
LONGEST_POLL = 10_080
"""Minutes: a week."""
POLL_ADVICE = "write the shortest and the longest wait in minutes, such as `poll_minutes: [10, 120]`"

Mistake = tuple[Loc, str]
"""The field, within its feed, and what to write instead."""


def mistakes(feed: FeedConfig) -> Iterator[Mistake]:
    """Yield the mistakes in a feed's limits, filters and full-text settings."""
    yield from _limits(feed)
    yield from _languages(feed)
    yield from _patterns(feed)
    if not is_schedule(feed.schedule):
        yield ("schedule",), f"schedule {shown(feed.schedule)} is no time to poll; {SCHEDULE_ADVICE}"
    if not is_jitter(feed.jitter):
        yield ("jitter",), f"jitter {shown(feed.jitter)} is no span of time; {JITTER_ADVICE}"
    yield from _contradictions(feed)
    yield from _selector(feed)
    if feed.use == "link" and feed.full_text == "never":
        yield (
            ("full_text",),
            "use: link with full_text: never leaves no text to write from; change one of the two",
        )


def _limits(feed: FeedConfig) -> Iterator[Mistake]:
    if feed.max_age_days is not None and feed.max_age_days > OLDEST_DAYS:
        yield (
            ("max_age_days",),
            f"max_age_days is too large; write {OLDEST_DAYS} or less, or null for no limit",
        )
    if feed.max_chars is not None and feed.max_chars < feed.min_chars:
        text = f"max_chars {feed.max_chars} is below min_chars {feed.min_chars}; raise it or lower min_chars"
        yield ("max_chars",), text
    shortest, longest = feed.poll_minutes
    if not 0 <= shortest <= longest <= LONGEST_POLL:  # true of nan as well
        what = f"poll_minutes [{shortest:g}, {longest:g}] is no span between 0 and {LONGEST_POLL}"
        yield ("poll_minutes",), f"{what}; {POLL_ADVICE}"


def _languages(feed: FeedConfig) -> Iterator[Mistake]:
    codes: list[tuple[Loc, str]] = [(("language",), feed.language)]
    codes += [(("languages", index), code) for index, code in enumerate(feed.languages)]
    for field, code in codes:
        if not LANGUAGE.fullmatch(code):
            yield field, f"{field[0]} {shown(code)} is no language code; write one such as en or pt-BR"


def _patterns(feed: FeedConfig) -> Iterator[Mistake]:
    for name, patterns in (("include_match", feed.include_match), ("exclude_match", feed.exclude_match)):
        for index, pattern in enumerate(patterns):
            try:
                compiled(pattern)
            except ValueError as error:
                yield (name, index), f"{name} {shown(pattern)} {error}"


def _contradictions(feed: FeedConfig) -> Iterator[Mistake]:
    pairs = (
        ("include", feed.include, "exclude", feed.exclude),
        ("include_match", feed.include_match, "exclude_match", feed.exclude_match),
        ("include_categories", feed.include_categories, "exclude_categories", feed.exclude_categories),
    )
    for wanted_name, wanted, name, unwanted in pairs:
        both = {_same(each, name) for each in wanted}
        for index, each in enumerate(unwanted):
            if _same(each, name) in both:
                yield (
                    (name, index),
                    f"{name} has {shown(each)}, and so has {wanted_name}; keep one of the two",
                )


def _same(entry: str, name: str) -> str:
    """Return what two spellings of one entry share; a pattern has one spelling only."""
    return entry if name.endswith("_match") else " ".join(entry.split()).casefold()


def _selector(feed: FeedConfig) -> Iterator[Mistake]:
    if feed.selector is None:
        return
    try:
        HTMLTranslator().css_to_xpath(feed.selector)
    except (SelectorError, RecursionError) as error:
        why = " ".join(str(error).split())[:60] if isinstance(error, SelectorError) else "nested too deeply"
        text = f'selector {shown(feed.selector)} is no CSS selector ({why}); write one such as "div.article"'
        yield ("selector",), text
