"""The fix of an objection as a replacement in its sentence, or the reason why it is none."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

from pipeline.articles.markdown import plain_text, safe_markdown
from pipeline.checks.injection.contact_details import extract_contacts
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.text import without_elements
from pipeline.verifier.objections import ErrorKind
from pipeline.verifier.source_evidence import SourceEvidence

_MAX_LENGTH_RATIO = 1.5
"""Length of a fixed sentence to its length before. Chosen, not measured."""
_MIN_COMMON_SHARE = 0.5
"""Share of a sentence's other words that make a fix the whole sentence. Chosen, not measured."""
_TERMINALS = ".!?…。"
_SEPARATORS = (",", ";", "–", "—")
_NEXT_WORD = re.compile(r"\W*(\w+)")
_MARKUP = re.compile(r"[<>`\[\]{}|*_~#\\]|::")


class FixFault(StrEnum):
    """Why a fix is dropped. The objection stays: its words and the source's are confirmed without it."""

    EMPTY = "a contradiction without words to put in place"
    MARKUP = "markup"
    CONTACT = "an address"
    LENGTH = "too long"
    NEW_WORDS = "words that the sentence does not have"
    AMBIGUOUS = "the wrong words stand in the sentence more than once"
    NOTHING_LEFT = "it would leave a title, a heading, a section or a list item empty"
    SYNTAX = "the words are partly a link, or emphasised"
    NEW_FACT = "a figure or name that the source does not have"


class Fix(NamedTuple):
    """A replacement in a sentence."""

    start: int
    end: int
    """Half-open span in the sentence's text; of a removal with a space beside it."""
    text: str
    """Empty for a removal."""

    def applied(self, sentence: str) -> str:
        """Return the sentence with the fix."""
        return sentence[: self.start] + self.text + sentence[self.end :]


def build_fix(
    sentence: str, start: int, end: int, proposed: str, error: ErrorKind, evidence: SourceEvidence
) -> Fix | FixFault:
    """Return a proposed fix of the words at a span of a sentence, or why it cannot be offered."""
    if not proposed:
        return FixFault.EMPTY if error is ErrorKind.CONTRADICTED else _removal(sentence, start, end)
    if _has_markup(proposed):
        return FixFault.MARKUP
    fix = _fitted(sentence, _replacement(sentence, start, end, proposed))
    if len(fix.applied(sentence)) > _MAX_LENGTH_RATIO * len(sentence):
        return FixFault.LENGTH
    if any(contact.text not in sentence for contact in extract_contacts(fix.applied(sentence))):
        return FixFault.CONTACT
    if error is ErrorKind.NOT_STATED and not _only_cuts(sentence, fix):
        return FixFault.NEW_WORDS
    if fix.text and evidence.brings_new_fact(fix.applied(sentence), fix.start, fix.start + len(fix.text)):
        return FixFault.NEW_FACT
    return fix


def _has_markup(text: str) -> bool:
    return bool(_MARKUP.search(text)) or any(
        change(text) != text for change in (safe_markdown, plain_text, without_elements)
    )


def _replacement(sentence: str, start: int, end: int, proposed: str) -> Fix:
    """Return the words in place of a span; of a fix that is the whole sentence, what differs and the span."""
    words, new = TokenizedText(sentence), TokenizedText(proposed)
    first, behind = words.between(start, end)
    before = _common(words.folded[:first], new.folded)
    after = _common(words.folded[behind:][::-1], new.folded[before:][::-1])
    others = first + len(words.words) - behind
    if before + after < max(2, _MIN_COMMON_SHARE * others):
        return Fix(start, end, proposed)
    low, new_low = (words.words[before - 1].end, new.words[before - 1].end) if before else (0, 0)
    high, new_high = len(sentence), len(proposed)
    if after:
        high, new_high = words.words[-after].start, new.words[-after].start
    text = proposed[new_low:new_high]
    while low < start and text and sentence[low] == text[0] and not text[0].isalnum():
        low, text = low + 1, text[1:]
    while high > end and text and sentence[high - 1] == text[-1] and not text[-1].isalnum():
        high, text = high - 1, text[:-1]
    return Fix(min(low, start), max(high, end), sentence[start:low] + text + sentence[high:end])


def _common(words: Sequence[str], others: Sequence[str]) -> int:
    """Return the number of words that two sequences begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False)))


def _fitted(sentence: str, fix: Fix) -> Fix:
    """Return a fix with the capital and without the full stop that its place asks for."""
    text = fix.text
    if sentence[fix.end : fix.end + 1] in tuple(_TERMINALS):
        text = text.rstrip(_TERMINALS)
    if not sentence[: fix.start].strip("\"'“”„«»‘’ ") and sentence[fix.start : fix.start + 1].isupper():
        text = text[:1].upper() + text[1:]
    return fix._replace(text=text)


def _only_cuts(sentence: str, fix: Fix) -> bool:
    """Tell whether a fix has fewer words than its place, and none that the place does not have."""
    old, new = TokenizedText(sentence[fix.start : fix.end]), TokenizedText(fix.text)
    return len(new.words) < len(old.words) and set(new.folded) <= set(old.folded)


def _removal(sentence: str, start: int, end: int) -> Fix:
    """Return the removal of words with the brackets, comma or space that would be left over.

    At the beginning of a sentence the next word gets its capital.
    """
    if start and sentence[start - 1] == "(" and sentence[end : end + 1] == ")":
        start, end = start - 1, end + 1
    before, after = sentence[:start].rstrip(), sentence[end:].lstrip()
    if before.endswith(_SEPARATORS) and (not after or after.startswith((*_SEPARATORS, *_TERMINALS))):
        before = before[:-1].rstrip()
    if any(char.isalnum() for char in before):
        return Fix(len(before), end, "")
    following = _NEXT_WORD.match(sentence, end)
    if following is None:
        return Fix(0, len(sentence), "")
    return Fix(start, following.end(), following[1][:1].upper() + following[1][1:])
