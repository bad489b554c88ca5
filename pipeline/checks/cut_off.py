"""Kind `form`: sections of a draft whose last sentence is not finished. Pure.

A full stop that is missing is no proof: headlines, lists and some scripts do without. So the rest of the
draft is the measure, and only words after which no sentence ends are certain.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.language_tables import language_table
from pipeline.domain.reviews import Finding, Severity
from pipeline.domain.text import ends_sentence, sentence_ends

_SECTION = re.compile(r"^##[ \t]+[^\r\n]*", re.M)
_BLOCK = re.compile(r"\S(?:(?!\n[ \t\r]*\n).)*", re.S)
_ITEM = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?=\S)", re.M)
_LAST_WORD = re.compile(r"(?<!\w)[^\W\d_]+\Z")
_OPEN_MARKS = tuple(",;–—-([")
_UNITS = "%‰€$£°"
"""Ends of an unfinished sentence, besides letters and digits; any other mark may close a sentence."""
_NO_FULL_STOP = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer end no sentence with a mark."""

_SHOWN_CHARS = 40
"""Characters at the end that are marked. Chosen, not measured."""


class _Ending(NamedTuple):
    """The last paragraph or list item of a section; positions in the body."""

    text: str
    end: int
    siblings: tuple[str, ...]
    """The other items of its list; for a paragraph the last ones of the other sections."""


def check_cut_off(body: str, language: str) -> list[Finding]:
    """Return a finding for each section that ends in the middle of a sentence.

    It blocks after a word or a mark that ends no sentence ("the", a comma). It warns where a final mark is
    missing that the draft has elsewhere.
    """
    findings = []
    for ending in _endings(body):
        if not any(map(str.isalnum, ending.text)):  # an empty section, which is a finding of its own
            continue
        if ends_sentence(ending.text) or _NO_FULL_STOP.search(ending.text[-3:]):
            continue
        if _is_open(ending.text, language):
            message = "This ends in the middle of a sentence: finish it, or remove it."
            findings.append(_finding(ending, Severity.BLOCK, message))
        elif _ends_in_word(ending.text) and _uses_full_stops(ending):
            message = "This seems to end in the middle of a sentence: a full stop is missing, or more."
            findings.append(_finding(ending, Severity.WARN, message))
    return findings


def _endings(body: str) -> Iterator[_Ending]:
    headings = list(_SECTION.finditer(body))
    ends = [*(heading.start() for heading in headings[1:]), len(body)]
    last = [
        block
        for heading, end in zip(headings, ends, strict=False)
        if (block := _last_block(body, heading.end(), end)) is not None
    ]
    for start, end in last:
        items = list(_ITEM.finditer(body, start, end)) if _ITEM.match(body, start) else []
        if items:
            ends = [*(item.start() for item in items[1:]), end]
            *siblings, text = (
                body[item.end() : stop].rstrip() for item, stop in zip(items, ends, strict=True)
            )
        else:
            text = body[start:end]
            siblings = [body[low:high] for low, high in last if low != start]
        yield _Ending(text, end, tuple(siblings))


def _last_block(body: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of a section's last paragraph, list or quotation; None for an empty section."""
    blocks = [match.span() for match in _BLOCK.finditer(body, start, end)]
    if not blocks:
        return None
    low, high = blocks[-1]
    return low, low + len(body[low:high].rstrip())


def _is_open(text: str, language: str) -> bool:
    if text.endswith(_OPEN_MARKS):
        return True
    word = _LAST_WORD.search(text[-40:])
    return word is not None and word[0] in _dangling_words(language)


def _ends_in_word(text: str) -> bool:
    return text[-1].isalnum() or text[-1] in _UNITS


@lru_cache(maxsize=32)
def _dangling_words(language: str) -> frozenset[str]:
    """Return words after which no sentence ends, in lower case: "or" is no "OR"."""
    table = language_table(language, "endings")
    return frozenset(table["dangling"].split()) if table else frozenset()


def _uses_full_stops(ending: _Ending) -> bool:
    """Tell whether the text around has final marks: in the same paragraph, or in most siblings."""
    if next(sentence_ends(ending.text), None) is not None:
        return True
    siblings: Sequence[str] = ending.siblings
    return 2 * sum(map(ends_sentence, siblings)) > len(siblings)


def _finding(ending: _Ending, severity: Severity, message: str) -> Finding:
    tail = ending.text[-_SHOWN_CHARS:].lstrip()
    start = ending.end - len(tail)
    return Finding(kind="form", severity=severity, message=message, span=(start, ending.end))
