"""The source's own wording of an altered quotation: what the draft should have between its marks."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence, Set
from itertools import takewhile

from pipeline.checks.quotations.extract import Quote
from pipeline.checks.quotations.match import Alignment, QuoteMatch, SourceWords

_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]{0,3}\s+\S")
_DOUBLE_MARK = re.compile('["“”„«»]')
_LAST_MARK = re.compile(r"[.,!?…]+\s*\Z")
_ENDING = re.compile(r"(?<=\w{3})(?:e[mnrs]?|n|s)\Z")
"""Endings by which German adjectives and nouns fit into another sentence."""
_MAX_EDGE_TOKENS = 2
"""Tokens of a sentence that may be left out at an end which the draft has changed. Chosen, not measured."""
_MAX_NEGATION_TOKENS = 3
"""Tokens before a quotation among which a negation belongs to it. Chosen, not measured."""
_MIN_KEPT_SHARE = 0.7
"""Of the shared tokens that a proposal must have; with fewer it would lose a part. Chosen, not measured."""
_MAX_CHARS = 600
"""Of a proposed wording. Chosen, not measured."""


def border_positions(sentences: Sequence[tuple[int, int]], quotes: Sequence[Quote]) -> list[int]:
    """Return the positions at which sentences and quotations of a source begin or end, in order."""
    return sorted({at for start, end, *_ in (*sentences, *quotes) for at in (start, end)})


def source_wording(
    words: SourceWords, alignment: Alignment, quoted: str, borders: Sequence[int], negations: Set[str]
) -> tuple[QuoteMatch, bool]:
    """Return the span of the source's words for an altered quotation, and whether they can replace it.

    The span goes over no more sentences than `quoted`, has the words that the draft changed at its ends,
    and a negation just before it.
    """
    segments = _kept_segments(words, alignment, 1 + len(_SENTENCE_END.findall(quoted)), borders)
    shared = [index for index in alignment.matching if _segment(words, index, borders) in segments]
    same = {words.token(index) for index in shared}
    missing_before = sum(1 for _ in takewhile(lambda token: token not in same, alignment.query))
    missing_after = sum(1 for _ in takewhile(lambda token: token not in same, reversed(alignment.query)))
    first = _extended(words, shared[0], -missing_before, borders)
    last = _extended(words, shared[-1], missing_after, borders)
    first = _with_negation(words, first, borders, negations)
    is_whole = len(shared) >= _MIN_KEPT_SHARE * len(alignment.matching)
    return QuoteMatch(words.span(first)[0], words.span(last)[1]), is_whole


def _segment(words: SourceWords, index: int, borders: Sequence[int]) -> int:
    return bisect_right(borders, words.span(index)[0])


def _kept_segments(words: SourceWords, alignment: Alignment, limit: int, borders: Sequence[int]) -> set[int]:
    """Return the sentences that share most words with a quotation, without those at its ends."""
    counts = Counter(_segment(words, index, borders) for index in alignment.matching)
    segments = sorted(counts)
    while len(segments) > limit:
        segments.pop(0 if counts[segments[0]] < counts[segments[-1]] else -1)
    return set(segments)


def _extended(words: SourceWords, index: int, missing: int, borders: Sequence[int]) -> int:
    """Return the token that is `missing` tokens further, or the sentence's last one if it is near."""
    if not missing:
        return index
    step, segment = (1 if missing > 0 else -1), _segment(words, index, borders)
    furthest = index
    for distance in range(1, abs(missing) + _MAX_EDGE_TOKENS + 2):
        beyond = index + step * distance
        if not 0 <= beyond < len(words) or _segment(words, beyond, borders) != segment:
            return furthest
        furthest = beyond
    return index + missing


def _with_negation(words: SourceWords, first: int, borders: Sequence[int], negations: Set[str]) -> int:
    """Return the token of a negation just before a span in its sentence, else the span's own first one."""
    segment = _segment(words, first, borders)
    for index in range(first - 1, max(-1, first - 1 - _MAX_NEGATION_TOKENS), -1):
        if _segment(words, index, borders) != segment:
            break
        if words.token(index) in negations:
            return index
        if words.token(index) == "t" and words.token(index - 1).endswith("n"):  # "don't"
            return index - 1
    return first


def differs_in_endings(words: SourceWords, alignment: Alignment) -> bool:
    """Tell whether an altered quotation has all words of the source, fitted to its sentence by endings."""
    reach = len(alignment.query)
    window = range(alignment.matching[0] - reach, alignment.matching[-1] + reach + 1)
    own = [_ENDING.sub("", word) for word in alignment.query]
    theirs = [_ENDING.sub("", words.token(index)) for index in window]
    return any(theirs[at : at + len(own)] == own for at in range(len(theirs)))


def proposed_text(source: str, span: QuoteMatch, quoted: str) -> str:
    """Return what should be between the marks of an altered quotation; empty if it is too long."""
    text = _DOUBLE_MARK.sub("'", " ".join(source[span.start : span.end].split()))
    if not text or len(text) > _MAX_CHARS:
        return ""
    if quoted[:1].isupper():
        text = text[0].upper() + text[1:]
    last = _LAST_MARK.search(quoted)
    return text + last[0].strip() if last else text
