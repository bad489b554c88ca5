"""Shortens a long source to the sentences that a draft rests on and their neighbours, in order."""

from collections.abc import Iterable
from itertools import pairwise

from pipeline.checks.pairs.align import align
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Source
from pipeline.verifier.numbered_draft import NumberedDraft

WHOLE_SOURCE_CHARS = 8000
"""A source up to this length is read whole. A longer one is shortened to it, or to what every sentence of the
draft rests on where that is more. Chosen, not measured."""
GAP = "[…]"
_LEAD_SENTENCES = 3
"""Sentences at the beginning that are always kept. Chosen, not measured."""


def source_windows(text: str, draft: NumberedDraft, language: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of a source's text that the second reader is shown, in order and apart.

    A short source is shown whole, and so is one in a language that sentences cannot be aligned in.
    """
    whole = ((0, len(text)),)
    if len(text) <= WHOLE_SOURCE_CHARS:
        return whole
    source = TokenizedText(text)
    ranks = _ranks(draft, source, language)
    if not ranks:
        return whole
    last = len(source.sentences) - 1
    chosen = {*range(min(_LEAD_SENTENCES, last + 1)), *ranks[0], *(ranks[1] if ranks[1:] else ())}
    length = sum(_length(source, each) for each in chosen)
    near = [sentence + step for sentence in ranks[0] for step in (-1, 1) if 0 <= sentence + step <= last]
    for sentence in (*(sentence for rank in ranks[2:] for sentence in rank), *near):
        length += 0 if sentence in chosen else _length(source, sentence)
        if length > WHOLE_SOURCE_CHARS:
            break
        chosen.add(sentence)
    return tuple(_joined(source, sorted(chosen)))


def excerpt(text: str, windows: Iterable[tuple[int, int]]) -> str:
    """Return the text of windows with a mark for each gap."""
    spans = [(0, 0), *windows, (len(text), len(text))]
    pieces = []
    for (start, end), (following, _) in pairwise(spans):
        pieces.append(text[start:end])
        if text[end:following].strip():
            pieces.append(f"\n\n{GAP}\n\n")
        else:
            pieces.append(text[end:following])
    return "".join(pieces).strip()


def shown_source(source: Source, text: str) -> Source:
    """Return a source as the second reader is shown it: with this text, and every publisher as its feed."""
    names = dict.fromkeys((source.feed_name, *(credit.name for credit in source.also)))
    item = source.item.model_copy(update={"text": text})
    return source.model_copy(update={"item": item, "feed_name": ", ".join(names)})


def _ranks(draft: NumberedDraft, source: TokenizedText, language: str) -> list[list[int]]:
    """Return the indexes of the source sentences of all pairs: the best of each, the second, the third."""
    indexes = {start: index for index, (start, _) in enumerate(source.sentences)}
    windows = []
    for document in draft.documents.values():
        alignment = align(document.tokens, source, language)
        windows += [pair.window for pair in alignment.pairs] if alignment else []
    ranks = range(max(map(len, windows), default=0))
    return [[indexes[window[rank].start] for window in windows if rank < len(window)] for rank in ranks]


def _length(source: TokenizedText, sentence: int) -> int:
    start, end = source.sentences[sentence]
    return end - start


def _joined(source: TokenizedText, indexes: list[int]) -> Iterable[tuple[int, int]]:
    """Yield the spans of sentences, those of neighbours as one."""
    first = previous = indexes[0]
    for index in [*indexes[1:], len(source.sentences) + 1]:
        if index > previous + 1:
            yield source.sentences[first][0], source.sentences[previous][1]
            first = index
        previous = index
