"""Confirms a second reader's objections against the draft and its source, or drops them. Pure."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pipeline.checks.opinion import states_no_certainty
from pipeline.checks.quotations.match import SourceWords, quote_fragments
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.reviews import Place
from pipeline.domain.text import one_line
from pipeline.verifier.fixes import Fix, FixFault, build_fix
from pipeline.verifier.numbered_draft import NumberedDraft, NumberedSentence
from pipeline.verifier.objections import ErrorKind, Objection, ParsedAnswer
from pipeline.verifier.question import Question
from pipeline.verifier.source_evidence import Quotation, SourceEvidence

_MAX_SHARE = 1 / 3
"""Share of a draft's sentences that a trusted second reader objects to at most. Contradictions that are
confirmed with a fix do not count: real drafts of weak models have six in fifteen. Chosen, not measured."""
_MAX_WHOLE_SHARE = 1 / 2
"""The same share with those contradictions. Chosen, not measured."""
_MAX_FALSE_QUOTATIONS = 1 / 4
"""Share of its quotations that the source does not have. Chosen, not measured."""
_MIN_COUNT = 4
"""Objections or quotations from which on a share is judged. Chosen, not measured."""
_MAX_REMARK_SHARE = 1 / 2
"""Share of a sentence's words that a remark in it has at most. Chosen, not measured."""
_SAME_MARKS = str.maketrans("“”„«»‘’‚–—", '"""""\'\'\'--')
_TERMINALS = ".!?… "
_LIST_MARKER = re.compile(r"\s*(?:[-*+>]|\d+[.)])\s*")
_EDGES = ",;:()[]\"'- "
"""Punctuation at the ends of wrong words that belongs to them."""


class DropReason(StrEnum):
    """Why an objection does not reach the editor."""

    MALFORMED = "does not fit the schema"
    NO_SENTENCE = "there is no sentence of that number"
    NO_WORDS = "its words are not in the sentence"
    NO_QUOTATION = "its quotation is not in the source"
    INSTRUCTION = "its quotation tells a model what to answer"
    LEFT_OUT = "the words may rest on a part of the source that was not shown"
    REMARK = "a remark within an opinion, without a figure, a date, a name or a certainty"
    NO_CHANGE = "its fix changes nothing"
    REPEATED = "another objection has the same words"


class ConfirmedObjection(NamedTuple):
    """An objection whose places code has confirmed."""

    sentence: NumberedSentence
    error: ErrorKind
    field: Place
    span: tuple[int, int]
    """Half-open range in the field's text: what the fix replaces, else the wrong words."""
    quotation: Quotation | None
    """None for `NOT_STATED`."""
    fix: Fix | None
    """In the sentence's text."""


class Confirmation(NamedTuple):
    """What is left of an answer."""

    confirmed: tuple[ConfirmedObjection, ...]
    """In the order of the draft; empty where the second reader is left out."""
    passed: frozenset[int]
    """Numbers of the sentences that it read without an objection; empty where it is left out."""
    dropped: Counter[DropReason]
    dropped_fixes: Counter[FixFault]
    left_out: str = ""
    """Why the second reader is left out for this draft, as a clause; empty where it is trusted."""


def confirm_answer(question: Question, answer: ParsedAnswer) -> Confirmation:
    """Return the confirmed objections of an answer, and what was dropped for which reason."""
    draft, read = question.draft, question.numbers
    dropped: Counter[DropReason] = Counter()
    if answer.malformed:
        dropped[DropReason.MALFORMED] = answer.malformed
    if left_out := _objects_to_everything(answer, len(read)):
        return Confirmation((), frozenset(), dropped, Counter(), left_out)
    evidence = SourceEvidence(question.source, question.windows)
    quotations = [_quotation(objection, evidence) for objection in answer.objections]
    if left_out := _quotes_falsely(answer, quotations):
        return Confirmation((), frozenset(), dropped, Counter(), left_out)
    confirmed: list[ConfirmedObjection] = []
    fixes: Counter[FixFault] = Counter()
    for objection, quotation in zip(answer.objections, quotations, strict=True):
        sentence = draft.sentence(objection.sentence) if objection.sentence in read else None
        result = _confirm(draft, sentence, objection, quotation, evidence, fixes)
        if isinstance(result, ConfirmedObjection) and _is_repeated(result, confirmed):
            result = DropReason.REPEATED
        if isinstance(result, DropReason):
            dropped[result] += 1
        else:
            confirmed.append(result)
    if left_out := _objects_too_often(answer, confirmed, len(read)):
        return Confirmation((), frozenset(), dropped, fixes, left_out)
    ordered = sorted(confirmed, key=lambda each: (each.sentence.number, each.span))
    objected = {objection.sentence for objection in answer.objections}
    return Confirmation(tuple(ordered), read - objected, dropped, fixes)


def _objects_to_everything(answer: ParsedAnswer, sentences: int) -> str:
    """Return why an answer needs no confirming, which would take time: it objects to half of the draft."""
    count = len(answer.objections)
    objected = len({each.sentence for each in answer.objections})
    if count >= _MIN_COUNT and (objected > _MAX_WHOLE_SHARE * sentences or count > sentences):
        return f"it objects {count} times to {objected} of {sentences} sentences"
    return ""


def _objects_too_often(answer: ParsedAnswer, confirmed: Sequence[ConfirmedObjection], sentences: int) -> str:
    shown = {each.sentence.number for each in confirmed if each.quotation and each.fix}
    doubtful = len({each.sentence for each in answer.objections} - shown)
    if doubtful >= _MIN_COUNT and doubtful > _MAX_SHARE * sentences:
        return f"it objects to {doubtful} of {sentences} sentences without showing why"
    return ""


def _quotes_falsely(answer: ParsedAnswer, quotations: Sequence[Quotation | DropReason | None]) -> str:
    quoted = sum(each.error is ErrorKind.CONTRADICTED for each in answer.objections)
    failed = quotations.count(DropReason.NO_QUOTATION)
    if quoted >= _MIN_COUNT and failed > _MAX_FALSE_QUOTATIONS * quoted:
        return f"{failed} of its {quoted} quotations are not in the source"
    return ""


def _confirm(
    draft: NumberedDraft,
    sentence: NumberedSentence | None,
    objection: Objection,
    quotation: Quotation | DropReason | None,
    evidence: SourceEvidence,
    faults: Counter[FixFault],
) -> ConfirmedObjection | DropReason:
    """Return a confirmed objection, or why it is dropped; counts the fault of its fix in `faults`."""
    if sentence is None:
        return DropReason.NO_SENTENCE
    text = draft.text_of(sentence)
    places = locate_words(text, objection.wrong)
    if not places:
        return DropReason.NO_WORDS
    if _folded(objection.fix) in (_folded(objection.wrong), _folded(text)):
        return DropReason.NO_CHANGE
    if isinstance(quotation, DropReason):
        return quotation
    if quotation is None and _is_remark(sentence, text, places[0], evidence):
        return DropReason.REMARK
    fix = build_fix(text, *places[0], objection.fix, objection.error, evidence)
    if isinstance(fix, Fix):
        fix = _fault_of_place(draft, sentence, fix, len(places)) or fix
    if isinstance(fix, FixFault):
        faults[fix] += 1
        span, offered = places[0], None
    else:
        span, offered = (fix.start, fix.end), fix
    place = draft.span(sentence, *span)
    return ConfirmedObjection(sentence, objection.error, sentence.field, place, quotation, offered)


def _is_remark(
    sentence: NumberedSentence, text: str, span: tuple[int, int], evidence: SourceEvidence
) -> bool:
    """Tell whether words are a part of an opinion that states no fact and nothing as certain."""
    words, remark = len(TokenizedText(text).words), len(TokenizedText(text[slice(*span)]).words)
    return (
        sentence.is_opinion
        and remark <= _MAX_REMARK_SHARE * words
        and states_no_certainty(text, evidence.source.language)
        and not evidence.brings_new_fact(text, *span)
    )


def _fault_of_place(
    draft: NumberedDraft, sentence: NumberedSentence, fix: Fix, places: int
) -> FixFault | None:
    """Return why a fix cannot be put in place: it is not clear, is partly a link, or would be empty."""
    if places > 1:
        return FixFault.AMBIGUOUS
    if _leaves_nothing(draft, sentence, fix):
        return FixFault.NOTHING_LEFT
    replaced = draft.field_text(sentence.field)[slice(*draft.span(sentence, fix.start, fix.end))]
    return None if replaced == draft.text_of(sentence)[fix.start : fix.end] else FixFault.SYNTAX


def _leaves_nothing(draft: NumberedDraft, sentence: NumberedSentence, fix: Fix) -> bool:
    """Tell whether a fix empties a heading, a list item, or the only sentence of a field or section."""
    if any(char.isalnum() for char in fix.applied(draft.text_of(sentence))):
        return False
    starts = [section.start for section in draft.documents[sentence.field].sections]
    section = bisect_right(starts, sentence.start)
    in_section = [
        each
        for each in draft.sentences
        if each.field == sentence.field
        and bisect_right(starts, each.start) == section
        and not each.is_heading
    ]
    if sentence.is_heading or in_section == [sentence]:
        return True
    text, (start, _) = draft.field_text(sentence.field), draft.span(sentence, 0, 1)
    return _LIST_MARKER.fullmatch(text, text.rfind("\n", 0, start) + 1, start) is not None


def _quotation(objection: Objection, evidence: SourceEvidence) -> Quotation | DropReason | None:
    """Return the source's words of a contradiction, None for another error, or why there can be none."""
    if objection.error is ErrorKind.NOT_STATED:
        return DropReason.LEFT_OUT if evidence.is_left_out(objection.wrong) else None
    quotation = evidence.quotation(objection.quotation)
    if quotation is None:
        return DropReason.NO_QUOTATION
    return DropReason.INSTRUCTION if quotation.is_instruction else quotation


def _folded(text: str) -> str:
    return one_line(text).casefold().translate(_SAME_MARKS).strip(_TERMINALS)


def locate_words(sentence: str, words: str) -> list[tuple[int, int]]:
    """Return the spans of words in a sentence; capitals, spaces and the form of quotation marks do not count.

    Punctuation at the ends of `words` belongs to a span where the sentence has it too, a full stop never.
    """
    fragments = quote_fragments(words)
    if not fragments:
        return []
    matches = SourceWords(sentence).find_all(fragments)
    return [_with_punctuation(sentence, match.start, match.end, words) for match in matches]


def _with_punctuation(sentence: str, start: int, end: int, words: str) -> tuple[int, int]:
    """Return a span with the punctuation that `words` have at their ends, if the sentence has it there."""
    folded, marked = sentence.translate(_SAME_MARKS), words.translate(_SAME_MARKS).strip()
    lead = marked[: len(marked) - len(marked.lstrip(_EDGES))].strip()
    trail = marked[len(marked.rstrip(_EDGES)) :].strip()
    before, after = folded[:start].rstrip(), folded[end:]
    if lead and before.endswith(lead):
        start = len(before) - len(lead)
    if trail and after.lstrip().startswith(trail):
        end = len(folded) - len(after.lstrip()) + len(trail)
    return start, end


def _is_repeated(objection: ConfirmedObjection, others: Sequence[ConfirmedObjection]) -> bool:
    start, end = objection.span
    return any(
        other.field == objection.field and start < other.span[1] and other.span[0] < end for other in others
    )
