"""The sentences of a draft with those of its source that they rest on, as the desk shows them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.checks.claims import trace_claims
from pipeline.checks.document import DraftDocument
from pipeline.checks.pairs.align import Alignment, Pair, align
from pipeline.checks.source_texts import tokenized
from pipeline.checks.tokens import SupportedClaim
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import LINES, Front, Place

Span = tuple[int, int]
"""A half-open range of characters."""
_MIN_SCORE = 0.3
"""Share of a draft sentence's weight that source sentences must have to be shown. Chosen, not measured."""

_MIN_GAIN = 0.25
"""Share of that weight that every further source sentence must add to be shown. Chosen, not measured."""


class SentencePair(NamedTuple):
    """A sentence, heading or list item of a draft, and the sentences of its source that it rests on."""

    field: Place
    span: Span
    """In the field's text."""
    sources: tuple[Span, ...]
    """In the source's text, in its order."""


class PairedDraft(NamedTuple):
    """A draft beside its source."""

    pairs: tuple[SentencePair, ...] = ()
    """Of title and description, then of the body, each in its order."""
    source_sentences: tuple[Span, ...] = ()
    """All of the source's text."""
    claims: tuple[SupportedClaim, ...] = ()
    """Claims of the body that the source's text states itself."""


def pair_sentences(source: Source, body: str, beat: Beat, front: Front | None = None) -> PairedDraft:
    """Return a draft's sentences with those of its source, and its supported claims. Pure.

    Where no table of the language exists, the sentences are found by the evidence of the claims alone.
    """
    claims = trace_claims(source, body, beat)
    sentences = tokenized(source.item.text).sentences
    lines = [(field, front.text(field)) for field in LINES] if front else []
    pairs = [
        pair
        for field, text in lines
        if text
        for pair in _pairs(field, DraftDocument(text, beat), source, sentences, ())
    ]
    pairs += _pairs("body", DraftDocument(body, beat), source, sentences, claims)
    return PairedDraft(tuple(pairs), tuple(sentences), tuple(claims))


def _pairs(
    field: Place,
    document: DraftDocument,
    source: Source,
    sentences: tuple[Span, ...],
    claims: Iterable[SupportedClaim],
) -> Iterator[SentencePair]:
    windows = _windows(document, source)
    ends = [end for _, end, _ in windows]
    supported = sorted((claim.span[0], claim.evidence[0][0]) for claim in claims if claim.evidence)
    for sentence in document.sentences:
        span = document.span(sentence.start, sentence.end)
        rests_on: set[Span] = set()
        for start, _, window in windows[bisect_right(ends, sentence.start) :]:
            if start >= sentence.end:
                break
            rests_on.update(window)
        if not rests_on:
            inside = supported[bisect_left(supported, (span[0], 0)) : bisect_left(supported, (span[1], 0))]
            places = (place for _, place in inside)
            rests_on = {each for place in places if (each := sentence_at(sentences, place))}
        yield SentencePair(field, span, tuple(sorted(rests_on)))


def _windows(document: DraftDocument, source: Source) -> list[tuple[int, int, tuple[Span, ...]]]:
    """Return the sentences that have a window, in order: start, end, the source sentences."""
    alignment = align(document.tokens, tokenized(source.item.text), source.language)
    return [
        (pair.draft.start, pair.draft.end, tuple(_telling(pair, alignment)))
        for pair in (alignment.pairs if alignment else ())
        if alignment and pair.score >= _MIN_SCORE
    ]


def _telling(pair: Pair, alignment: Alignment) -> Iterator[Span]:
    """Yield the best sentence of a window, and the others that explain much of what is left."""
    left = set(alignment.draft_stems[pair.draft.first : pair.draft.behind]) & alignment.weights.keys()
    whole = sum(map(alignment.weights.__getitem__, left))
    for number, sentence in enumerate(pair.window):
        explained = left.intersection(alignment.source_stems[sentence.first : sentence.behind])
        if not number or sum(map(alignment.weights.__getitem__, explained)) >= _MIN_GAIN * whole:
            yield sentence.start, sentence.end
        left -= explained


def sentence_at(sentences: tuple[Span, ...], position: int) -> Span | None:
    """Return the sentence that has a position; None where there is none."""
    at = bisect_right(sentences, position, key=lambda span: span[0]) - 1
    return sentences[at] if at >= 0 and position < sentences[at][1] else None
