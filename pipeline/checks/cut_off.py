"""Kind `form`: sections of a draft whose last sentence is not finished. Pure.

A full stop that is missing is no proof: headlines, lists and some scripts do without. So the rest of the
draft is the measure, and only words after which no sentence ends are certain. Emphasis does not count, and of
a link only its label.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.document import DraftDocument
from pipeline.checks.language_tables import language_table
from pipeline.domain.reviews import Finding, Severity
from pipeline.domain.text import ends_sentence, ends_without_mark, sentence_ends

_BLANK_LINES = re.compile(r"\n(?:[ \t\r]*\n)+")
_ITEM = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?=\S)", re.M)
_LAST_WORD = re.compile(r"(?<!\w)[^\W\d_]+\Z")
_OPEN_MARKS = tuple(",;–—-([")
_UNITS = "%‰€$£°"
"""Ends of an unfinished sentence, besides letters and digits; any other mark may close a sentence."""
_SHOWN_CHARS = 40
"""Characters at the end that are marked. Chosen, not measured."""


class _Ending(NamedTuple):
    """The last paragraph or list item of a section; positions in `DraftDocument.text`."""

    text: str
    end: int
    are_finished: bool
    """Most others of its kind end with a final mark: the items of its list, or the other sections."""


def check_cut_off(document: DraftDocument, language: str) -> list[Finding]:
    """Return a finding for each section that ends in the middle of a sentence.

    It blocks after a word or a mark that ends no sentence ("the", a comma). It warns where a final mark is
    missing that the draft has elsewhere.
    """
    findings = []
    for ending in _endings(document):
        if not any(map(str.isalnum, ending.text)):  # an empty section, which is a finding of its own
            continue
        if ends_sentence(ending.text) or ends_without_mark(ending.text):
            continue
        behind = document.visible.text[ending.end : ending.end + 2].strip(" ")[:1]  # blank in `text`
        if behind == "h":  # an address
            continue
        if _is_open(ending.text, language):
            message = "This ends in the middle of a sentence: finish it, or remove it."
            findings.append(_finding(document, ending, Severity.BLOCK, message))
        elif behind != "]" and _ends_in_word(ending.text) and _uses_full_stops(ending):
            message = "This seems to end in the middle of a sentence: a full stop is missing, or more."
            findings.append(_finding(document, ending, Severity.WARN, message))
    return findings


def _endings(document: DraftDocument) -> Iterator[_Ending]:
    text = document.text
    blocks = [_last_block(text, section.start, section.end) for section in document.sections]
    last = [text[start:end] for start, end in blocks if start < end]
    finished = sum(map(ends_sentence, last))
    for start, end in blocks:
        block = text[start:end]
        if _ITEM.match(block):
            items = [item.rstrip() for item in _ITEM.split(block)[1:]]
            yield _Ending(items[-1], end, _are_most(sum(map(ends_sentence, items)), items))
        elif block:
            yield _Ending(block, end, _are_most(finished, last))


def _are_most(finished: int, texts: Sequence[str]) -> bool:
    """Tell whether most of the texts beside an unfinished one are finished."""
    return 2 * finished > len(texts) - 1


def _last_block(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a section's last paragraph, list or quotation, empty for an empty section."""
    end = start + len(text[start:end].rstrip())
    low = max((blank.end() for blank in _BLANK_LINES.finditer(text, start, end)), default=start)
    return low + len(text[low:end]) - len(text[low:end].lstrip("\r\n")), end


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
    """Tell whether the text around has final marks: in the same paragraph, or in most others."""
    return next(sentence_ends(ending.text), None) is not None or ending.are_finished


def _finding(document: DraftDocument, ending: _Ending, severity: Severity, message: str) -> Finding:
    tail = ending.text[-_SHOWN_CHARS:].lstrip()
    span = document.span(ending.end - len(tail), ending.end)
    return Finding(kind="form", severity=severity, message=message, span=span)
