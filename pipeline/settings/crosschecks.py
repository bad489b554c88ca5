"""What a record's fields cannot tell by themselves: mistakes between the lines of feeds.yaml. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.models import Beat, FeedConfig, Record, feed_address
from pipeline.settings.fieldchecks import mistakes
from pipeline.settings.problems import Problem, did_you_mean, shown
from pipeline.settings.yamlnodes import Document, Loc

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PROMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MANY_LINES = {"tone"}
"""Fields that may run over several lines."""


def place(document: Document, loc: Loc, field: Loc) -> int:
    """Return the line of a record's field: its own, or where `defaults` has it, or the record's."""
    inherited: Loc = ("defaults", *field)
    own = (*loc, field[0]) in document.lines if field else True
    return document.line((*loc, *field) if own or inherited not in document.lines else inherited)


def in_beat(beat: Beat, loc: Loc, document: Document) -> Iterator[Problem]:
    """Yield the mistakes of one beat."""
    yield from texts(beat, loc, document)
    if beat.key != loc[-1]:
        text = f"key does not belong in a beat, whose key is {loc[-1]} already; remove the line"
        yield Problem(place(document, loc, ("key",)), text)
    if not PROMPT.fullmatch(beat.prompt):
        text = f"prompt {shown(beat.prompt)} is no template's name; write `article` for prompts/article.md"
        yield Problem(place(document, loc, ("prompt",)), text)
    if beat.checks.overlap_block_words < beat.checks.overlap_warn_words:
        text = f"checks.overlap_block_words is less than overlap_warn_words, {beat.checks.overlap_warn_words}"
        line = place(document, loc, ("checks", "overlap_block_words"))
        yield Problem(line, f"{text}; write that or more")
    for index, word in enumerate(beat.vocabulary):
        if word != word.upper():
            text = f"{shown(word)} is not in capitals; write {word.upper()}"
            yield Problem(place(document, loc, ("vocabulary", index)), text)


def in_feed(feed: FeedConfig, loc: Loc, document: Document) -> Iterator[Problem]:
    """Yield the mistakes of one feed that are seen without looking at any other."""
    yield from texts(feed, loc, document)
    if feed_address(feed.url) is None:
        text = f"url {shown(feed.url)} is no http(s) URL; write one such as https://example.org/feed.xml"
        yield Problem(place(document, loc, ("url",)), text)
    for field, text in mistakes(feed):
        yield Problem(place(document, loc, field), text)
    for index, key in enumerate(feed.previous_keys):
        if not KEY.fullmatch(key):
            text = f"{shown(key)} cannot have been a feed's key; write the key as it was"
            yield Problem(place(document, loc, ("previous_keys", index)), text)


def across(feeds: Sequence[FeedConfig], beats: Mapping[str, Beat], document: Document) -> Iterator[Problem]:
    """Yield the mistakes between feeds, and between a feed and its beat; `feeds` are in the file's order."""
    names: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for index, feed in enumerate(feeds):
        loc: Loc = ("feeds", index)
        yield from _beat_of(feed, beats, loc, document)
        yield from _names(feed, names, loc, document)
        other = addresses.setdefault(feed_address(feed.url) or feed.url, feed.key)
        if other != feed.key:
            text = (
                f"url is already subscribed to as {other}; remove one of the two, "
                f"or to rename {other} write `previous_keys: [{other}]` in {feed.key} and drop the old entry"
            )
            yield Problem(place(document, loc, ("url",)), text)


def _beat_of(feed: FeedConfig, beats: Mapping[str, Beat], loc: Loc, document: Document) -> Iterator[Problem]:
    beat = beats.get(feed.beat)
    if beat is None:
        text = f"beat {shown(feed.beat)} is not under beats; {did_you_mean(feed.beat, beats)}"
        yield Problem(place(document, loc, ("beat",)), text)
    elif beat.vocabulary and feed.category not in beat.vocabulary:
        hint = did_you_mean(feed.category, beat.vocabulary)
        text = f"category {shown(feed.category)} is not in the vocabulary of beat {beat.key}; {hint}"
        yield Problem(place(document, loc, ("category",)), text)


def _names(feed: FeedConfig, names: dict[str, str], loc: Loc, document: Document) -> Iterator[Problem]:
    """Yield a mistake for each name, present or former, that an earlier feed has; note this feed's names."""
    if feed.key in names:
        taken = names[feed.key]
        how = "is written twice" if taken == feed.key else f"is a previous key of {taken}"
        yield Problem(
            place(document, loc, ("key",)), f"key {feed.key} {how}; give this feed a key of its own"
        )
    for index, key in enumerate(feed.previous_keys):
        if key in names:
            text = f"previous key {key} belongs to feed {names[key]}; keep it in one of the two"
            yield Problem(place(document, loc, ("previous_keys", index)), text)
    for key in (feed.key, *feed.previous_keys):
        names.setdefault(key, feed.key)


def texts(record: Record, loc: Loc, document: Document) -> Iterator[Problem]:
    """Yield the texts of a record that are empty, or that no line can hold."""
    for name, value in record:
        parts = value if isinstance(value, tuple) else (value,)
        for index, part in enumerate(parts):
            field: Loc = (name, index) if isinstance(value, tuple) else (name,)
            if isinstance(part, str) and not part.strip():
                yield Problem(
                    place(document, loc, field), f"{name} has an empty text; write one or remove it"
                )
            elif isinstance(part, str) and name not in MANY_LINES and CONTROL.search(part):
                # `"\b"` is a backspace where YAML reads double quotes, a word's edge in single ones.
                fix = "put it in single quotes" if name.endswith("_match") else "write it on one line"
                text = f"{name} has a line break or control character; {fix}"
                yield Problem(place(document, loc, field), text)
