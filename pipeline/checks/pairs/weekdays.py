"""Contradictions in the weekday: the day of another sentence where the source has its own."""

from collections.abc import Iterator

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.tokens import TokenizedText

_MIN_SHARED = 2
"""Stems that the draft's sentence has in common with the source's. Chosen, not measured."""
_MIN_WEIGHT = 4.0
"""Weight of these stems. Chosen, not measured."""
_MAX_OTHER = 0.35
"""Share of this weight that a sentence with the draft's own day may have. Chosen, not measured."""


def find_exchanged_weekdays(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield a weekday of another sentence where the best sentence of the source has a day of its own."""
    own = _weekdays(texts, texts.draft, pair.draft)
    for day, at in own.items():
        rivals = [(each, _weekdays(texts, texts.source, each)) for each in pair.window]
        without = [(each, days) for each, days in rivals if days.keys() - own.keys() and day not in days]
        if not without or day not in texts.source.positions:
            continue
        best, days = max(without, key=lambda rival: _shared(texts, pair.draft, rival[0], day)[1])
        count, weight = _shared(texts, pair.draft, best, day)
        others = [_shared(texts, pair.draft, each, day)[1] for each, each_days in rivals if day in each_days]
        if count < _MIN_SHARED or weight < _MIN_WEIGHT or max(others, default=0) > _MAX_OTHER * weight:
            continue
        theirs = next(place for name, place in days.items() if name not in own)
        shown = texts.source.words[theirs].text
        message = f'The source has "{shown}" where the text has "{texts.draft.words[at].text}".'
        yield Contradiction((at, at + 1), (theirs, theirs + 1), message, shown)


def _weekdays(texts: PairTexts, text: TokenizedText, sentence: Sentence) -> dict[str, int]:
    """Return the weekdays of a sentence with their places."""
    places = within(marks_of(text, texts.lexicon).weekdays, sentence.first, sentence.behind)
    return {text.folded[at]: at for at in places}


def _shared(texts: PairTexts, draft: Sentence, sentence: Sentence, day: str) -> tuple[int, float]:
    """Return number and weight of the stems that two sentences share, without a day and periods."""
    own = {*texts.alignment.draft_stems[draft.first : draft.behind]}
    theirs = {*texts.alignment.source_stems[sentence.first : sentence.behind]}
    common = (own & theirs) - texts.lexicon.periods - {texts.lexicon.stem(day), ""}
    return len(common), sum(map(texts.alignment.weights.__getitem__, common))
