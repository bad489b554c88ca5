"""Judges by all texts of a feed whether they are excerpts: cut at one length or within sentences, or teasers.

Pure. One text of 250 characters may be whole; a feed none of whose texts is longer has teasers, and the pages
of all its items are fetched.
"""

import re
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from pipeline.domain.models import Item
from pipeline.feeds.pages.completeness import weight

_MIN_TEXTS = 5
"""Texts that show a limit, or how texts end. Chosen, not measured."""
_MAX_TEASER_CHARS = 500
"""Characters of the longest text of a feed that has teasers only. Chosen, not measured."""
_MIN_TEASER_SHARE = 0.9
"""Part of a feed's texts that are so short, from which on longer ones are exceptions. Chosen."""
_LAST_WORD_CHARS = 12
"""Characters by which a text that is cut before a word is shorter than the limit."""
_MIN_PILED, _MIN_PILED_SHARE = 3, 0.3
"""Texts at the limit, and their part of all, from which on it is one. Chosen, not measured."""
_FEW_TEXTS, _FEW_PILED_SHARE = 10, 0.7
"""Texts of a small feed, and the part at the limit that it needs: three of five may be alike by chance."""
_MIN_LIMIT_CHARS = 80
_MIN_OPEN_SHARE = 0.6
"""Part of a feed's texts that end within a sentence from which on all are excerpts. Chosen, not measured."""
_MAX_OPEN_CHARS = 2_500
"""Characters of the longest text of such a feed: longer ones end in notes and signatures. Chosen."""
_MIN_LINE_CHARS = 40
"""Characters of a last line that may be a sentence: a shorter one is a signature or a heading."""
_SUMMARY_WORDS = 70
"""Words after which a summary ends with the sentence or paragraph. Source: Hugo's setting `summaryLength`."""
_MAX_SUMMARY_WORDS = 200
"""Words of the longest text of a feed of such summaries. Chosen, not measured."""
_MIN_SUMMARIES, _MIN_SUMMARY_SHARE = 3, 0.75
"""Texts that end there, and their part of those that are long enough. Chosen, not measured."""
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]?\s+")
_CLOSED = re.compile(r"""[.!?。．！？؟।։…][)\]”’"'»」』›\s]{0,5}\Z|[)\]”"»」』:]\Z""")
"""The end of a sentence, or of something in brackets or quotation marks."""


class FeedExcerpts(NamedTuple):
    """A document's items, those that are excerpts marked, and what its texts are."""

    items: tuple[Item, ...]
    description: str | None = None


def mark_excerpts(items: Sequence[Item]) -> FeedExcerpts:
    """Return a document's items, marked where its texts together show that they are excerpts."""
    texts = {item.text for item in items if item.text}
    cut, description = _judge(texts)
    if description is None:
        return FeedExcerpts(tuple(items))
    return FeedExcerpts(tuple(_marked(item, cut) for item in items), description)


def _marked(item: Item, cut: Collection[str]) -> Item:
    excerpt: Literal["cut", "teaser"] = "cut" if item.text in cut else "teaser"
    if item.excerpt or (excerpt == "teaser" and weight(item.text) > _MAX_OPEN_CHARS):
        return item
    return item.model_copy(update={"excerpt": excerpt})


def _judge(texts: Collection[str]) -> tuple[Collection[str], str | None]:
    """Return the texts that are cut, and what the texts are; None if they are no excerpts."""
    if not texts:
        return (), None
    opened = {text for text in texts if _is_open(text)}
    if len(texts) >= _MIN_TEXTS and (piled := _piled(texts, opened)):
        return piled, f"its texts are cut after at most {max(map(len, piled)):,} characters"
    longest = max(texts, key=len)
    is_open = len(texts) >= _MIN_TEXTS and len(opened) >= _MIN_OPEN_SHARE * len(texts)
    if is_open and len(longest) <= _MAX_OPEN_CHARS and max(map(weight, texts)) <= _MAX_OPEN_CHARS:
        return (), f"{len(opened)} of its {len(texts)} texts end within a sentence"
    short = [text for text in texts if len(text) <= _MAX_TEASER_CHARS and weight(text) <= _MAX_TEASER_CHARS]
    if len(short) == len(texts):
        return (), f"its texts are teasers of at most {len(longest):,} characters"
    if len(texts) >= _MIN_TEXTS and len(short) >= _MIN_TEASER_SHARE * len(texts):
        return (), f"{len(short)} of its {len(texts)} texts are teasers"
    if len(texts) >= _MIN_TEXTS and _are_summaries(texts):
        return (), f"its texts end soon after {_SUMMARY_WORDS} words"
    return (), None


def _piled(texts: Collection[str], opened: Collection[str]) -> set[str]:
    """Return the texts that end within a sentence at the feed's own limit: many end just there."""
    limit = max(map(len, texts))
    at_limit = {text for text in texts if len(text) >= limit - _LAST_WORD_CHARS}
    share = _FEW_PILED_SHARE if len(texts) < _FEW_TEXTS else _MIN_PILED_SHARE
    if limit < _MIN_LIMIT_CHARS or len(at_limit) < max(_MIN_PILED, share * len(texts)):
        return set()
    cut = at_limit & set(opened)
    return cut if len(cut) * 2 >= len(at_limit) else set()


def _are_summaries(texts: Collection[str]) -> bool:
    """Return whether texts end with the sentence or paragraph of their 70th word: software cut them there."""
    if max(map(len, texts)) > _MAX_OPEN_CHARS:
        return False
    long = [text for text in texts if len(text.split()) >= _SUMMARY_WORDS]
    if len(long) < _MIN_SUMMARIES or any(len(text.split()) > _MAX_SUMMARY_WORDS for text in long):
        return False
    return sum(map(_is_summary, long)) >= max(_MIN_SUMMARIES, _MIN_SUMMARY_SHARE * len(long))


def _is_summary(text: str) -> bool:
    """Return whether a text has fewer than 70 words before its last paragraph, or sentence if it has one."""
    parts = text.split("\n\n") if "\n\n" in text else _SENTENCE_END.split(text)
    return not parts[-1].startswith("- ") and sum(len(part.split()) for part in parts[:-1]) < _SUMMARY_WORDS


def _is_open(text: str) -> bool:
    """Return whether a text ends within a sentence."""
    last_line = text.rpartition("\n")[2]
    if last_line.startswith("- ") or _CLOSED.search(last_line[-9:]):
        return False
    return weight(last_line) >= _MIN_LINE_CHARS
