"""Contradictions in the speaker of indirect speech: "X said" where the source has "Y said"."""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.pairs.names import Run, names_of, parts_of, run_text
from pipeline.checks.tokens import TokenizedText

_MIN_SHARED = 3
"""Stems beside the names that both sentences must have. Chosen, not measured."""
_MIN_SHARE = 0.5
"""Share of the weight of the draft's other stems that the source must have. Chosen, not measured."""
_REACH = 7
"""Words of an apposition between a name and its verb of speech. Chosen, not measured."""
_QUOTES = '"“”„»«'


class Speech(NamedTuple):
    """Who says what a sentence has: the name, and the word of speech."""

    speaker: Run
    verb: int


def find_exchanged_speakers(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the speaker of an indirect speech for whom the source has another person."""
    speech = _speech(texts, texts.draft, pair.draft)
    if speech is None or any(mark in texts.draft.text[pair.draft.start : pair.draft.end] for mark in _QUOTES):
        return
    parts = parts_of(texts.draft, speech.speaker)
    if not parts <= texts.names.words:
        return  # the check of names reports it
    best = max(pair.window, key=lambda sentence: _shared(texts, pair.draft, sentence)[1])
    other = _speech(texts, texts.source, best)
    if other is None or not _is_other_person(texts, pair, best, parts, other):
        return
    count, share = _shared(texts, pair.draft, best)
    if count >= _MIN_SHARED and share >= _MIN_SHARE:
        shown = run_text(texts.source, other.speaker)
        yield Contradiction(speech.speaker, other.speaker, f"In the source, {shown} says this.", shown)


def _is_other_person(
    texts: PairTexts, pair: Pair, sentence: Sentence, parts: frozenset[str], other: Speech
) -> bool:
    """Tell whether two speakers are two full names of the source that share no sentence of it."""
    others = parts_of(texts.source, other.speaker)
    if len(parts) < 2 or len(others) < 2 or parts & others:
        return False
    if not any(parts <= whole for whole in texts.names.wholes):
        return False
    if any(others & parts_of(texts.draft, run) for run in names_of(texts.draft, pair.draft, texts.lexicon)):
        return False
    return not any(
        parts & parts_of(texts.source, run) for run in texts.names.sentences.get(sentence.first, ())
    )


def _speech(texts: PairTexts, text: TokenizedText, sentence: Sentence) -> Speech | None:
    """Return the only speech of a sentence: "X said", "X, who runs it, said", "said X", "according to X"."""
    lexicon = texts.lexicon
    verbs = within(marks_of(text, lexicon).speech, sentence.first, sentence.behind)
    if len(verbs) != 1:
        return None
    at = verbs[0]
    names = names_of(text, sentence, lexicon)
    before = next((run for run in reversed(names) if run.behind == at), None)
    after = next((run for run in names if run.first == at + 1), None)
    if text.folded[at] in lexicon.sources:
        after = next((run for run in names if run.first == at + 2), None)
        return Speech(after, at) if after and text.folded[at + 1] == lexicon.link else None
    if before is None and after is None:
        before = _before_clause(text, sentence, names, at)
    speaker = before or after
    return Speech(speaker, at) if speaker else None


def _before_clause(text: TokenizedText, sentence: Sentence, names: tuple[Run, ...], at: int) -> Run | None:
    """Return the name at the beginning of a sentence that only an apposition parts from a verb."""
    first = next((run for run in names if run.first == sentence.first), None)
    if first is None or at - first.behind > _REACH:
        return None
    begin, end = text.words[first.behind - 1].end, text.words[at].start
    between = text.text[begin:end]
    return first if between.startswith(",") and between.rstrip().endswith(",") else None


def _shared(texts: PairTexts, draft: Sentence, sentence: Sentence) -> tuple[int, float]:
    """Return number and share of weight of a draft's stems, without names, that a sentence has."""
    weights = texts.alignment.weights
    own = {*texts.alignment.draft_stems[draft.first : draft.behind]} - texts.names.words - {""}
    in_source = [stem for stem in own if stem in weights]
    theirs = {*texts.alignment.source_stems[sentence.first : sentence.behind]}
    whole = sum(weights[stem] for stem in in_source)
    common = [stem for stem in in_source if stem in theirs]
    return len(common), sum(weights[stem] for stem in common) / whole if whole else 0.0
