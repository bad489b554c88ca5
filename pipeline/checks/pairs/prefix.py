"""Contradictions by a prefix: the draft has "improbable" where the source has "probable", or the reverse."""

from collections.abc import Iterator

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.contrast import shared_context
from pipeline.checks.pairs.lexicon import Contrast, PairLexicon
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.tokens import TokenizedText

_MIN_BASE = 6
"""Letters after the prefix; in shorter words it is mostly none: "under", "image". Chosen, not measured."""
_ENDING = 3
"""Letters at the end in which two forms of a base may differ. Chosen, not measured."""
_CONTEXT = Contrast(
    name="prefix", message="", before=8, after=8, weight=4.0, shared=2, next=0, figure=False, digit=False,
    capital=False, vague=False,
)  # fmt: skip


def find_prefixed(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the words of a draft sentence that differ from one of the window by a negative prefix."""
    own = dict(_bases(texts.draft, pair.draft, texts.lexicon))
    for sentence in pair.window:
        theirs = dict(_bases(texts.source, sentence, texts.lexicon))
        if own:
            yield from _compare(texts, pair, sentence, own, prefixed_in_draft=True)
        if theirs:
            yield from _compare(texts, pair, sentence, theirs, prefixed_in_draft=False)


def differ_by_prefix(texts: PairTexts, draft: Sentence, sentence: Sentence) -> bool:
    """Tell whether one sentence has a word that the other has with a negative prefix."""
    sides = ((texts.draft, draft), (texts.source, sentence))
    for (text, own), (other, theirs) in (sides, sides[::-1]):
        bases = [_beginning(base) for _, base in _bases(text, own, texts.lexicon)]
        words = other.folded[theirs.first : theirs.behind] if bases else ()
        if any(word.startswith(base) for base in bases for word in words):
            return True
    return False


def _bases(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> Iterator[tuple[int, str]]:
    """Yield the words with a negative prefix, and what follows it."""
    for at in within(marks_of(text, lexicon).prefixed, sentence.first, sentence.behind):
        base = lexicon.without_prefix(text.folded[at])
        if len(base) >= _MIN_BASE and text.words[at].text[0].islower():
            yield at, base


def _beginning(base: str) -> str:
    return base[: max(_MIN_BASE - 1, len(base) - _ENDING)]


def _compare(
    texts: PairTexts, pair: Pair, sentence: Sentence, prefixed: dict[int, str], *, prefixed_in_draft: bool
) -> Iterator[Contradiction]:
    """Yield the prefixed words of one text beside the plain ones of the other."""
    text, plain = (texts.source, sentence) if prefixed_in_draft else (texts.draft, pair.draft)
    words = text.folded[plain.first : plain.behind]
    for at, base in prefixed.items():
        if any(_beginning(base) in word and not word.startswith(_beginning(base)) for word in words):
            continue  # the other text has it with the prefix too
        # Another form is seldom the contrary: "the change" and "unchanged".
        for other in (plain.first + index for index, word in enumerate(words) if word == base):
            own, theirs = (at, other) if prefixed_in_draft else (other, at)
            if _is_same(texts, own, pair.draft, theirs, sentence):
                shown, word = texts.source.words[theirs].text, texts.draft.words[own].text
                message = f'The source has "{shown}" where the text has "{word}".'
                yield Contradiction((own, own + 1), (theirs, theirs + 1), message, shown)


def _is_same(texts: PairTexts, own: int, draft: Sentence, theirs: int, sentence: Sentence) -> bool:
    """Tell whether two words are said of the same thing, and neither sentence has another negative."""
    sides = ((texts.draft, draft), (texts.source, sentence))
    words = (word for text, own in sides for word in text.folded[own.first : own.behind])
    if any(map(texts.lexicon.is_negative, words)):
        return False
    count, weight = shared_context(texts, own, draft, theirs, sentence, _CONTEXT)
    return count >= _CONTEXT.shared and weight >= _CONTEXT.weight
