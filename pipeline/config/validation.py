"""Validates feeds.yaml: one entry as a record, rules of beats and feeds, rules between entries. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from cssselect import HTMLTranslator, SelectorError
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.regex import compile_regex
from pipeline.config.time_syntax import JITTER_ADVICE, SCHEDULE_ADVICE, is_jitter, is_schedule
from pipeline.config.yaml_source import ConfigProblem, Loc, YamlDocument, did_you_mean, quoted, suggestion
from pipeline.domain.feed_access import HIDDEN
from pipeline.domain.models import Beat, CheckLevels, FeedConfig, FrozenModel
from pipeline.domain.urls import normalize_feed_url

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_AGE_DAYS = 36_500
"""Chosen, not measured."""
MAX_POLL_MINUTES = 10_080
"""A week. Chosen, not measured."""
MAX_PAGE_DELAY_S = 600
"""Chosen, not measured."""
POLL_ADVICE = "write the shortest and the longest wait in minutes, such as `poll_minutes: [10, 120]`"

Mistake = tuple[Loc, str]
"""A field within its feed, and what to write instead."""


def check_feed_fields(feed: FeedConfig) -> Iterator[Mistake]:
    """Yield the mistakes in a feed's limits, filters and full-text settings."""
    yield from _limits(feed)
    yield from _languages(feed)
    yield from _patterns(feed)
    if not is_schedule(feed.schedule):
        yield ("schedule",), f"schedule {quoted(feed.schedule)} is no time to poll; {SCHEDULE_ADVICE}"
    if not is_jitter(feed.jitter):
        yield ("jitter",), f"jitter {quoted(feed.jitter)} is no span of time; {JITTER_ADVICE}"
    yield from _conflicting_filters(feed)
    yield from _selector(feed)
    if feed.use == "link" and feed.full_text == "never":
        yield (
            ("full_text",),
            "use: link with full_text: never leaves no text to write from; change one of the two",
        )


def _limits(feed: FeedConfig) -> Iterator[Mistake]:
    if feed.max_age_days is not None and feed.max_age_days > MAX_AGE_DAYS:
        yield (
            ("max_age_days",),
            f"max_age_days is too large; write {MAX_AGE_DAYS} or less, or null for no limit",
        )
    if feed.max_chars is not None and feed.max_chars < feed.min_chars:
        text = f"max_chars {feed.max_chars} is below min_chars {feed.min_chars}; raise it or lower min_chars"
        yield ("max_chars",), text
    if not 0 <= feed.page_delay <= MAX_PAGE_DELAY_S:  # also true of nan
        what = f"page_delay {feed.page_delay:g} is not between 0 and {MAX_PAGE_DELAY_S} seconds"
        yield ("page_delay",), f"{what}; write the seconds between two pages of one host, such as 1"
    shortest, longest = feed.poll_minutes
    if not 0 <= shortest <= longest <= MAX_POLL_MINUTES:  # also true of nan
        what = f"poll_minutes [{shortest:g}, {longest:g}] is no span between 0 and {MAX_POLL_MINUTES}"
        yield ("poll_minutes",), f"{what}; {POLL_ADVICE}"


def _languages(feed: FeedConfig) -> Iterator[Mistake]:
    codes: list[tuple[Loc, str]] = [(("language",), feed.language)]
    codes += [(("languages", index), code) for index, code in enumerate(feed.languages)]
    for field, code in codes:
        if not LANGUAGE.fullmatch(code):
            yield field, f"{field[0]} {quoted(code)} is no language code; write one such as en or pt-BR"


_PATTERN_FIELDS = ("include_match", "exclude_match", "include_links", "exclude_links")
"""Fields of regular expressions."""


def _patterns(feed: FeedConfig) -> Iterator[Mistake]:
    for name in _PATTERN_FIELDS:
        patterns: tuple[str, ...] = getattr(feed, name)
        for index, pattern in enumerate(patterns):
            try:
                compile_regex(pattern)
            except ValueError as error:
                yield (name, index), f"{name} {quoted(pattern)} {error}"


def _conflicting_filters(feed: FeedConfig) -> Iterator[Mistake]:
    pairs = (
        ("include", feed.include, "exclude", feed.exclude),
        ("include_match", feed.include_match, "exclude_match", feed.exclude_match),
        ("include_authors", feed.include_authors, "exclude_authors", feed.exclude_authors),
        ("include_links", feed.include_links, "exclude_links", feed.exclude_links),
        ("include_categories", feed.include_categories, "exclude_categories", feed.exclude_categories),
    )
    for included_name, included, excluded_name, excluded in pairs:
        both = {_normalized(each, excluded_name) for each in included}
        for index, each in enumerate(excluded):
            if _normalized(each, excluded_name) in both:
                yield (
                    (excluded_name, index),
                    f"{excluded_name} has {quoted(each)}, and so has {included_name}; keep one of the two",
                )


def _normalized(text: str, name: str) -> str:
    """Return a key that is equal for two spellings of one entry; a pattern has only one spelling."""
    return text if name in _PATTERN_FIELDS else " ".join(text.split()).casefold()


def _selector(feed: FeedConfig) -> Iterator[Mistake]:
    if feed.selector is None:
        return
    try:
        HTMLTranslator().css_to_xpath(feed.selector)
    except (SelectorError, RecursionError) as error:
        why = " ".join(str(error).split())[:60] if isinstance(error, SelectorError) else "nested too deeply"
        text = f'selector {quoted(feed.selector)} is no CSS selector ({why}); write one such as "div.article"'
        yield ("selector",), text


KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PROMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MULTILINE_FIELDS = {"tone"}
"""Fields that may have several lines."""


def locate(document: YamlDocument, loc: Loc, field: Loc) -> int:
    """Return the line of a record's field: its own, or where `defaults` has it, or the record's."""
    inherited: Loc = ("defaults", *field)
    own = (*loc, field[0]) in document.lines if field else True
    return document.line((*loc, *field) if own or inherited not in document.lines else inherited)


def check_beat(beat: Beat, loc: Loc, document: YamlDocument) -> Iterator[ConfigProblem]:
    """Yield the mistakes of one beat."""
    yield from string_fields(beat, loc, document)
    if beat.key != loc[-1]:
        text = f"key does not belong in a beat, whose key is {loc[-1]} already; remove the line"
        yield ConfigProblem(locate(document, loc, ("key",)), text)
    if not PROMPT.fullmatch(beat.prompt):
        text = f"prompt {quoted(beat.prompt)} is no template's name; write `article` for prompts/article.md"
        yield ConfigProblem(locate(document, loc, ("prompt",)), text)
    if beat.checks.overlap_block_words < beat.checks.overlap_warn_words:
        text = f"checks.overlap_block_words is less than overlap_warn_words, {beat.checks.overlap_warn_words}"
        line = locate(document, loc, ("checks", "overlap_block_words"))
        yield ConfigProblem(line, f"{text}; write that or more")
    for index, term in enumerate(beat.vocabulary):
        if term != term.upper():
            text = f"{quoted(term)} is not in capitals; write {term.upper()}"
            yield ConfigProblem(locate(document, loc, ("vocabulary", index)), text)


def check_feed(feed: FeedConfig, loc: Loc, document: YamlDocument) -> Iterator[ConfigProblem]:
    """Yield the mistakes within one feed."""
    yield from string_fields(feed, loc, document)
    if normalize_feed_url(feed.url) is None:
        text = f"url {quoted(feed.url)} is no http(s) URL; write one such as https://example.org/feed.xml"
        if "@" in feed.url:
            text = f"url {HIDDEN} is no http(s) URL; a login does not belong in it: write it under access"
        yield ConfigProblem(locate(document, loc, ("url",)), text)
    for field, text in check_feed_fields(feed):
        yield ConfigProblem(locate(document, loc, field), text)
    for index, key in enumerate(feed.previous_keys):
        if not KEY.fullmatch(key):
            text = f"{quoted(key)} cannot have been a feed's key; write the key as it was"
            yield ConfigProblem(locate(document, loc, ("previous_keys", index)), text)


def check_all(
    feeds: Sequence[FeedConfig], beats: Mapping[str, Beat], document: YamlDocument
) -> Iterator[ConfigProblem]:
    """Yield the mistakes between feeds, and between feeds and beats; `feeds` are in the file's order."""
    names: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for index, feed in enumerate(feeds):
        loc: Loc = ("feeds", index)
        yield from _check_beat_reference(feed, beats, loc, document)
        yield from _check_keys(feed, names, loc, document)
        other = addresses.setdefault(normalize_feed_url(feed.url) or feed.url, feed.key)
        if other != feed.key:
            text = (
                f"url is already subscribed to as {other}; remove one of the two, "
                f"or to rename {other} write `previous_keys: [{other}]` in {feed.key} and drop the old entry"
            )
            yield ConfigProblem(locate(document, loc, ("url",)), text)


def _check_beat_reference(
    feed: FeedConfig, beats: Mapping[str, Beat], loc: Loc, document: YamlDocument
) -> Iterator[ConfigProblem]:
    beat = beats.get(feed.beat)
    if beat is None:
        text = f"beat {quoted(feed.beat)} is not under beats; {did_you_mean(feed.beat, beats)}"
        yield ConfigProblem(locate(document, loc, ("beat",)), text)
    elif beat.vocabulary and feed.category not in beat.vocabulary:
        hint = did_you_mean(feed.category, beat.vocabulary)
        text = f"category {quoted(feed.category)} is not in the vocabulary of beat {beat.key}; {hint}"
        yield ConfigProblem(locate(document, loc, ("category",)), text)


def _check_keys(
    feed: FeedConfig, names: dict[str, str], loc: Loc, document: YamlDocument
) -> Iterator[ConfigProblem]:
    """Yield a mistake for each present or previous key that an earlier feed has; add this feed's keys."""
    if feed.key in names:
        taken = names[feed.key]
        how = "is written twice" if taken == feed.key else f"is a previous key of {taken}"
        yield ConfigProblem(
            locate(document, loc, ("key",)), f"key {feed.key} {how}; give this feed a key of its own"
        )
    for index, key in enumerate(feed.previous_keys):
        if key in names:
            text = f"previous key {key} belongs to feed {names[key]}; keep it in one of the two"
            yield ConfigProblem(locate(document, loc, ("previous_keys", index)), text)
    for key in (feed.key, *feed.previous_keys):
        names.setdefault(key, feed.key)


def string_fields(record: FrozenModel, loc: Loc, document: YamlDocument) -> Iterator[ConfigProblem]:
    """Yield a mistake for each text of a record that is empty or has control characters."""
    for name, value in record:
        parts = value if isinstance(value, tuple) else (value,)
        for index, part in enumerate(parts):
            field: Loc = (name, index) if isinstance(value, tuple) else (name,)
            if isinstance(part, str) and not part.strip():
                yield ConfigProblem(
                    locate(document, loc, field), f"{name} has an empty text; write one or remove it"
                )
            elif isinstance(part, str) and name not in MULTILINE_FIELDS and CONTROL.search(part):
                # `"\b"` is a backspace where YAML reads double quotes, a word's edge in single ones.
                fix = "put it in single quotes" if name in _PATTERN_FIELDS else "write it on one line"
                text = f"{name} has a line break or control character; {fix}"
                yield ConfigProblem(locate(document, loc, field), text)


R = TypeVar("R", bound=FrozenModel)

_REDACTED_FIELDS = {"access", "url_variable", "base_url", "key_variable", "headers", "query", "extra_body"}
"""Fields that may hold a secret by mistake: their values are not shown."""


def parse_record(
    document: YamlDocument,
    loc: Loc,
    kind: type[R],
    value: object,
    defaults: Mapping[str, object],
    inheritable: Collection[str] = (),
) -> R | None:
    """Return `value` merged over `defaults` as a record, or None after reporting what is wrong with it.

    `inheritable` are the fields that the section `defaults` may set. Any other field in `defaults` is fixed
    by the entry's place in the file, so the entry itself cannot set it.
    """
    merged = {**defaults, **value} if isinstance(value, dict) else value
    try:
        # Strict, as YAML has types of its own: `max_items: yes` is not 1. Lists are tuples already.
        return kind.model_validate(merged, strict=True)
    except ValidationError as error:
        field_names = kind.model_fields.keys() - (defaults.keys() - set(inheritable))
        for detail in error.errors(include_url=False):
            line = locate(document, loc, detail["loc"])
            document.problems.append(ConfigProblem(line, _describe(detail, field_names, inheritable)))
        return None


def _describe(detail: ErrorDetails, field_names: Collection[str], inheritable: Collection[str]) -> str:
    names = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]]
    name = "".join(names).removeprefix(".") or "this entry"
    if detail["loc"][:1] == ("checks",) and len(detail["loc"]) > 1:
        field_names = CheckLevels.model_fields.keys()
    if detail["type"] == "extra_forbidden":
        return f"unknown field {name}; {did_you_mean(name.rpartition('.')[2], field_names)}"
    if detail["loc"][:1] == ("poll_minutes",):
        return f"poll_minutes is no pair of minutes; {POLL_ADVICE}"
    if detail["type"] == "missing":
        return f"{name} is missing; add `{name}: …`" + (
            " here or under defaults" if name in inheritable else ""
        )
    if detail["input"] is None:
        return f"{name} has no value; write one or remove the line"
    value = HIDDEN if set(detail["loc"][:1]) & _REDACTED_FIELDS else quoted(detail["input"])
    return f"{name} {value} {suggestion(detail)}"
