"""The parts of an article that an editor looks at: its sections, as hashes of their sentences. Pure.

A sentence that was on screen stays shown wherever it stands, so after a change only what is new is unread.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.articles.markdown import sections
from pipeline.domain.text import UNSPACED, one_line, whole_sentences

LEAD = ""
"""Heading of the section of what stands above the body: title, description, tags, alt text of the cover."""
UNTITLED = "Text"
"""Heading of the text before the first heading of a body."""
_BLOCK_STARTS = frozenset(("-", "*", "+", ">"))
"""First words of lines that begin a block of their own."""
_LETTERS_A_WORD = 2
"""Of scripts without spaces between words. Chosen, not measured."""


class ReviewSection(NamedTuple):
    """A section of an article; every sentence has one hash and one number of words."""

    heading: str
    sentences: tuple[str, ...]
    """Hashes of the texts of its sentences, 16 hex digits each; the heading is the first sentence."""
    words: tuple[int, ...]
    """Words of each sentence, at least 1."""


def review_sections(metadata: Mapping[str, Any], body: str) -> tuple[ReviewSection, ...]:
    """Return the sections of an article: that of its front matter, then those of its body.

    The amount and kind of white space between two words does not count.
    """
    headed = sections(body)
    opening = list(_sentences(body[: headed[0].line] if headed else body))
    before = [_section(UNTITLED, opening)] if opening else []
    return (
        _section(LEAD, _lead(metadata)),
        *before,
        *(
            _section(heading, [heading, *_sentences(body[section.start : section.end])])
            for section in headed
            for heading in (one_line(section.heading),)
        ),
    )


def unshown(section: ReviewSection, shown_hashes: Collection[str]) -> int:
    """Return the number of words in those sentences of a section that were not shown; 0: all were."""
    pairs = zip(section.sentences, section.words, strict=True)
    return sum(words for sentence, words in pairs if sentence not in shown_hashes)


def sentence_hash(text: str) -> str:
    """Return the hash of a sentence, 16 hex digits; white space counts only as a separator of words."""
    return hashlib.sha256(one_line(text).encode("utf-8", "replace")).hexdigest()[:16]


def _section(heading: str, texts: list[str]) -> ReviewSection:
    texts = [text for text in texts if text]
    return ReviewSection(heading, tuple(map(sentence_hash, texts)), tuple(map(_count_words, texts)))


def _lead(metadata: Mapping[str, Any]) -> list[str]:
    tags, cover = metadata.get("tags"), metadata.get("coverImage")
    listed = [_text(tag) for tag in tags] if isinstance(tags, list | tuple) else [_text(tags)]
    alt = _text(cover.get("alt")) if isinstance(cover, Mapping) else ""
    description = whole_sentences(_text(metadata.get("description")))
    return [_text(metadata.get("title")), *description, ", ".join(filter(None, listed)), alt]


def _text(value: object) -> str:
    """Return a text or a number as one line; anything else as an empty text."""
    return one_line(str(value)) if isinstance(value, str | int | float) and value is not True else ""


def _sentences(text: str) -> Iterator[str]:
    """Yield the sentences of Markdown; none goes from one paragraph, list item or heading to the next."""
    for block in _blocks(text):
        yield from whole_sentences(block)


def _blocks(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in (*text.splitlines(), ""):
        words = line.split()
        is_heading = bool(words) and not words[0].strip("#")
        if lines and (not words or words[0] in _BLOCK_STARTS or is_heading):
            yield " ".join(lines)
            lines = []
        if is_heading:
            yield " ".join(words)
        elif words:
            lines.append(" ".join(words))


def _count_words(text: str) -> int:
    spaced = sum(any(map(str.isalnum, word)) for word in UNSPACED.sub(" ", text).split())
    return max(1, spaced + len(UNSPACED.findall(text)) // _LETTERS_A_WORD)
