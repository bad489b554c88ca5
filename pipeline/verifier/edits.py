"""What an edit leaves of the second reader's work: sentences to verify again, findings that stay."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipeline.checks.runner import finding_key
from pipeline.domain.models import Source
from pipeline.domain.reviews import Finding, Place
from pipeline.verifier.findings import KIND, join_findings
from pipeline.verifier.numbered_draft import NumberedDraft, NumberedSentence

Span = tuple[int, int]


def changed_sentences(old: NumberedDraft, new: NumberedDraft) -> frozenset[int]:
    """Return the numbers of the sentences of a new text that the old one does not have in the same field."""
    unchanged = {sentence.number for _, sentence in _same_sentences(old, new)}
    return frozenset(sentence.number for sentence in new.sentences) - unchanged


def carry_over(findings: Iterable[Finding], old: NumberedDraft, new: NumberedDraft) -> tuple[Finding, ...]:
    """Return the findings whose sentences a new text has unchanged, with their spans there.

    The keys stay: the words are the same. A finding without a span stays as it is.
    """
    moves = [
        (before.field, _span(old, before), _span(new, after)[0])
        for before, after in _same_sentences(old, new)
    ]
    return tuple(moved for finding in findings if (moved := _moved(finding, moves)))


def keep_findings(
    code: Sequence[Finding],
    stored: Sequence[Finding],
    old: NumberedDraft,
    new: NumberedDraft,
    source: Source,
) -> tuple[Finding, ...]:
    """Return code's findings about a text, joined with the second reader's of the text before.

    `stored` are all findings about the old text. An objection stays while its sentence and the source's words
    that contradict it do; a mark that the second reader did not share a look stays with the look.
    """
    marks = {each.key: each.shared for each in stored if each.kind != KIND and each.shared is not None}
    carried = carry_over([each for each in stored if each.kind == KIND], old, new)
    text = source.item.text
    sense = [each for each in carried if each.key == finding_key(each, new.field_text(each.field), text)]
    return tuple(
        finding.model_copy(update={"shared": marks[finding.key]})
        if finding.shared is None and finding.key in marks
        else finding
        for finding in join_findings(code, sense, new, frozenset())
    )


def _moved(finding: Finding, moves: list[tuple[Place, Span, int]]) -> Finding | None:
    if finding.span is None:
        return finding
    return finding.with_places(
        [(field, span) for field, old in finding.places if (span := _moved_span(field, old, moves))]
    )


def _moved_span(field: Place, span: Span, moves: list[tuple[Place, Span, int]]) -> Span | None:
    for place, (start, end), new_start in moves:
        if place == field and start <= span[0] and span[1] <= end:
            return span[0] - start + new_start, span[1] - start + new_start
    return None


def _same_sentences(
    old: NumberedDraft, new: NumberedDraft
) -> list[tuple[NumberedSentence, NumberedSentence]]:
    """Return the pairs of sentences that are equal in one field, in the order of both."""
    waiting: dict[tuple[Place, str], list[NumberedSentence]] = defaultdict(list)
    for sentence in reversed(old.sentences):
        waiting[sentence.field, _raw_text(old, sentence)].append(sentence)
    pairs = []
    for sentence in new.sentences:
        if same := waiting[sentence.field, _raw_text(new, sentence)]:
            pairs.append((same.pop(), sentence))
    return pairs


def _span(draft: NumberedDraft, sentence: NumberedSentence) -> Span:
    return draft.span(sentence, 0, sentence.end - sentence.start)


def _raw_text(draft: NumberedDraft, sentence: NumberedSentence) -> str:
    return draft.field_text(sentence.field)[slice(*_span(draft, sentence))]
