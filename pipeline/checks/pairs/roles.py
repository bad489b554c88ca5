"""Contradictions in who does what: actors exchanged, another name in a name's place, another speaker."""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.pairs.names import Run, names_of, parts_of, run_text, stem_after, stem_before
from pipeline.checks.tokens import TokenizedText

_BEFORE, _AFTER = 5, 4
"""Words between a verb and the names that act in it. Chosen, not measured."""
_BESIDE = 3
"""Words between a word and a name that stands beside it. Chosen, not measured."""
_MAX_MENTIONS = 50
"""Mentions of a name in the source that are looked at. Chosen, not measured."""
_CONTINUED = 8
"""Words after a name that are compared. Chosen, not measured."""
_MAX_OCCURRENCES = 3
"""Sentences of the source in which the word beside a name may stand. Chosen, not measured."""


class Roles(NamedTuple):
    """Who acts on whom, by the names beside a verb."""

    agent: Run
    patient: Run


def find_exchanged_actors(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the verbs whose two names the source has the other way round."""
    names = names_of(texts.draft, pair.draft, texts.lexicon)
    for at in range(pair.draft.first, pair.draft.behind) if len(names) > 1 else ():
        stem = texts.alignment.draft_stems[at]
        if not stem or stem in texts.lexicon.equal or not texts.draft.words[at].text[0].islower():
            continue
        roles = _roles(texts.draft, at, names, texts.lexicon)
        for others in _roles_in_source(texts, pair, stem) if roles else ():
            if roles and _are_exchanged(texts, roles, others):
                evidence = _extent(others)
                message = f'The source has these the other way round: "{texts.source_phrase(*evidence)}".'
                yield Contradiction(_extent(roles), evidence, message)


def _roles_in_source(texts: PairTexts, pair: Pair, stem: str) -> Iterator[Roles]:
    """Yield who acts in a verb, at each of its places in the window."""
    stems = texts.alignment.source_stems
    for sentence in pair.window:
        names = texts.names.sentences.get(sentence.first, ())
        for place in range(sentence.first, sentence.behind):
            roles = _roles(texts.source, place, names, texts.lexicon) if stems[place] == stem else None
            if roles:
                yield roles


def _extent(roles: Roles) -> tuple[int, int]:
    first, second = sorted(roles)
    return first.first, second.behind


def _roles(text: TokenizedText, at: int, names: tuple[Run, ...], lexicon: PairLexicon) -> Roles | None:
    """Return the names nearest to a verb on both sides; a passive verb exchanges them."""
    before = next((run for run in reversed(names) if run.behind <= at), None)
    after = next((run for run in names if run.first > at), None)
    if before is None or after is None or at - before.behind > _BEFORE or after.first - at > _AFTER:
        return None
    if any(word in lexicon.mutual for word in text.folded[at + 1 : after.first]):
        return None
    if _is_apposition(text, at, before, after, lexicon):
        return None
    is_passive = any(word in lexicon.being for word in text.folded[before.behind : at])
    if is_passive and any(word in lexicon.passive for word in text.folded[at + 1 : after.first]):
        return Roles(after, before)
    if is_passive:
        return None
    return Roles(before, after)


def _is_apposition(text: TokenizedText, at: int, before: Run, after: Run, lexicon: PairLexicon) -> bool:
    """Tell whether a noun says who a name is: "Marsh, a striker for Town", "Henkel's platform RAQN"."""
    if text.folded[before.behind - 1].endswith("'s") and after.first == at + 1:
        return True
    end = text.words[before.behind - 1].end
    begun = (
        before.first > 0
        and "," in text.text[text.words[before.first - 1].end : text.words[before.first].start]
    )
    if text.text[end : end + 1] == "," and not begun:
        return True
    has_article = any(word in lexicon.articles for word in text.folded[max(before.behind, at - 3) : at])
    return has_article and any(word in lexicon.joints for word in text.folded[at + 1 : after.first])


def _are_exchanged(texts: PairTexts, roles: Roles, others: Roles) -> bool:
    agent, patient = (parts_of(texts.draft, run) for run in roles)
    their_agent, their_patient = (parts_of(texts.source, run) for run in others)
    crossed = agent & their_patient and patient & their_agent
    return bool(crossed) and not agent & their_agent and not patient & their_patient


def find_replaced_names(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the names in whose place, beside the same rare words, the source has only other names."""
    stems = texts.alignment.draft_stems
    for run in names_of(texts.draft, pair.draft, texts.lexicon):
        parts = parts_of(texts.draft, run)
        if not parts <= texts.names.words or run == (pair.draft.first, pair.draft.first + 1):
            continue  # the check of names reports it, or it is no name
        after = stem_after(texts.draft, stems, run, pair.draft)
        if after is not None:
            others = texts.names.following.get(stems[after], ())
            yield from _replaced(texts, pair, run, after, others, follows=True)
        before = stem_before(texts.draft, stems, run, pair.draft, texts.lexicon)
        if before is not None:
            others = texts.names.preceding.get(f"{stems[before]} {texts.draft.folded[before + 1]}", ())
            yield from _replaced(texts, pair, run, before, others, follows=False)


def _replaced(
    texts: PairTexts, pair: Pair, run: Run, at: int, others: tuple[Run, ...], *, follows: bool
) -> Iterator[Contradiction]:
    """Yield a name whose neighbour at a word of the draft has only these other names in the source."""
    parts, stem = parts_of(texts.draft, run), texts.alignment.draft_stems[at]
    inside = next((other for other in others if _within(other, pair)), None)
    if inside is None or len(others) > _MAX_OCCURRENCES or _has_beside(texts, parts, stem):
        return
    if _are_alike(parts, parts_of(texts.source, inside)) or _are_one_name(texts, parts, inside):
        return
    if not _shares_context(texts, run, at, pair, inside):
        return
    if not follows and _are_both_named(texts, parts, pair, inside):
        return
    if follows and not _continues_alike(texts, run, inside):
        return
    shown, word = run_text(texts.source, inside), texts.draft.words[at].text
    yield Contradiction(run, inside, f'With "{word}" the source names {shown}.', shown)


def _are_one_name(texts: PairTexts, parts: frozenset[str], other: Run) -> bool:
    """Tell whether the source has a name of both: "Felbridge Rovers" for "Rovers" and "Felbridge"."""
    others = parts_of(texts.source, other)
    return any(parts & whole and others & whole for whole in texts.names.wholes)


def _are_both_named(texts: PairTexts, parts: frozenset[str], pair: Pair, other: Run) -> bool:
    """Tell whether both sentences have both names: each may stand beside the word."""
    others = parts_of(texts.source, other)
    sentence = next(each for each in pair.window if each.first <= other.first < each.behind)
    own = names_of(texts.draft, pair.draft, texts.lexicon)
    theirs = texts.names.sentences.get(sentence.first, ())
    return any(others & parts_of(texts.draft, run) for run in own) and any(
        parts & parts_of(texts.source, run) for run in theirs
    )


def _are_alike(parts: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two names share a word, or the beginning of one: Russia, Russian."""
    return bool({part[:4] for part in parts} & {other[:4] for other in others})


def _continues_alike(texts: PairTexts, run: Run, other: Run) -> bool:
    """Tell whether the same stems follow two names: one that a hyphen joins and the next, or three."""
    own = {stem for stem in texts.alignment.draft_stems[run.behind : run.behind + _CONTINUED] if stem}
    theirs = set(texts.alignment.source_stems[other.behind : other.behind + _CONTINUED])
    joined = texts.draft.text[texts.draft.words[run.behind - 1].end] == "-"
    return len(own & theirs) >= (2 if joined else 3)


def _within(run: Run, pair: Pair) -> bool:
    return any(sentence.first <= run.first < sentence.behind for sentence in pair.window)


def _has_beside(texts: PairTexts, parts: frozenset[str], stem: str) -> bool:
    """Tell whether the source has one of these words within `_BESIDE` words of a stem."""
    stems = texts.alignment.source_stems
    positions = texts.source.positions
    forms = (form for part in parts for form in (part, f"{part}'s"))
    places = [at for form in forms for at in positions.get(form, ())[:_MAX_MENTIONS]]
    return any(stem in stems[max(0, at - _BESIDE) : at + _BESIDE + 1] for at in places)


def _shares_context(texts: PairTexts, run: Run, at: int, pair: Pair, other: Run) -> bool:
    """Tell whether the two names share a stem around them beside the one at their side."""
    own = set(
        texts.alignment.draft_stems[
            max(pair.draft.first, run.first - 10) : min(pair.draft.behind, run.behind + 10)
        ]
    )
    theirs = set(texts.alignment.source_stems[max(0, other.first - 10) : other.behind + 10])
    common = (own & theirs) - {"", texts.alignment.draft_stems[at]}
    return sum(texts.alignment.weights.get(stem, 0) for stem in common) >= 2.5
