"""Kind `source-claim`: a claim stood in the source before it changed, and is gone or different there now.

A claim is looked up in the sentences of the old source that its own sentence rests on. A source that only
says the same in other words makes no finding.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.articles.corrections import article_part
from pipeline.checks.claims import trace_text
from pipeline.checks.document import DraftDocument
from pipeline.checks.names.lexicon import name_lexicon
from pipeline.checks.pairs.align import Alignment, align
from pipeline.checks.runner import join_places, with_key
from pipeline.checks.source_diff import Counterpart, SourceDiff, Span
from pipeline.checks.source_texts import tokenized
from pipeline.checks.tokens import CheckInput, SupportedClaim
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import LINES, Finding, Front, Place, Severity
from pipeline.domain.text import one_line, truncate

KIND = "source-claim"
_NUMERIC = ("figure", "date")
_CLAIMS = ("figure", "place", "date", "name", "quotation")
"""Kinds of findings about claims."""
_MAX_QUOTED_CHARS = 160
"""Of a source's words in a message. Chosen, not measured."""


def check_source_changes(
    before: Item, source: Source, body: str, beat: Beat, front: Front | None
) -> tuple[Finding, ...]:
    """Return a warning for each claim that the change of a source touches; none for a reworded source.

    `before` is the item as the draft was written from it, `source` as it is now. A warning shows both, and
    offers the new words where there are some. A sentence whose own sentence in the source is gone has one.
    """
    diff = SourceDiff(tokenized(_text(before)), tokenized(_text(source.item)))
    if diff.old.text == diff.new.text:
        return ()
    findings: list[Finding] = []
    for field, text in _texts(body, front):
        document = DraftDocument(text, beat)
        claims = _changed_claims(diff, document, before, source)
        placed = (document.to_body(finding, len(source.item.text)) for finding in claims)
        placed = (finding.model_copy(update={"field": field}) for finding in placed)
        findings += [with_key(finding, text, source.item.text) for finding in placed]
    return join_places(findings)


def _text(item: Item) -> str:
    return f"{item.text}\n\n{item.title}"


def _texts(body: str, front: Front | None) -> Iterator[tuple[Place, str]]:
    for field in LINES if front else ():
        text = front.text(field) if front else ""
        if text.strip() and not (field == "description" and front and front.follows):
            yield field, text
    yield "body", article_part(front.metadata, body) if front else body


class _Texts(NamedTuple):
    """A draft's text between the two sources."""

    diff: SourceDiff
    document: DraftDocument
    old: CheckInput
    new: CheckInput
    alignment: Alignment | None


def _changed_claims(
    diff: SourceDiff, document: DraftDocument, before: Item, source: Source
) -> Iterator[Finding]:
    language = source.language
    texts = _Texts(
        diff,
        document,
        CheckInput(document.tokens, diff.old, language, before.published_local),
        CheckInput(document.tokens, diff.new, language, source.item.published_local),
        align(document.tokens, diff.old, language),
    )
    still = {(claim.kind, claim.span): claim.evidence for claim in trace_text(texts.new)}
    removed: set[Span] = set()
    for claim in trace_text(texts.old):
        change = _change(texts, claim, still.get((claim.kind, claim.span), ()))
        if change is None:
            continue
        if change.new_sentence is None:
            sentence = _sentence_at(document, claim.span[0])
            if sentence not in removed:
                removed.add(sentence)
                yield _removed(diff, change, sentence)
        else:
            yield _changed(texts, claim, change)


def _change(texts: _Texts, claim: SupportedClaim, evidence: Sequence[Span]) -> Counterpart | None:
    """Return what became of the place that a claim rests on; None if the source still supports the claim.

    `evidence` is where the new source has it. A figure may stand there elsewhere, of something else.
    """
    near = _near(texts, claim)
    places = near or claim.evidence
    changes = [change for place in places if (change := texts.diff.counterpart(place))]
    if not changes or (not near and len(changes) < len(places)):
        return None
    change = changes[0]
    if not evidence:
        return change
    if change.new is None:
        return None
    if claim.kind == "name":
        return change if _is_other_name(texts, claim, evidence, change.new) else None
    is_same = claim.kind not in _NUMERIC or any(_overlap(place, change.new) for place in evidence)
    words = texts.diff.new.text[slice(*change.new)]
    return change if not is_same and any(char.isdigit() for char in words) else None


def _near(texts: _Texts, claim: SupportedClaim) -> tuple[Span, ...]:
    """Return the evidence of a claim in the source sentences that the claim's own sentence rests on."""
    pairs = texts.alignment.pairs if texts.alignment else ()
    windows = [pair.window for pair in pairs if pair.draft.start <= claim.span[0] < pair.draft.end]
    spans = [sentence for window in windows for sentence in window]
    return tuple(
        (start, end)
        for start, end in claim.evidence
        if any(each.start <= start and end <= each.end for each in spans)
    )


def _is_other_name(texts: _Texts, claim: SupportedClaim, evidence: Sequence[Span], new: Span) -> bool:
    """Tell whether a name that the new source has only in part is another one there now."""
    name, source = texts.document.text[slice(*claim.span)], texts.diff.new.text
    if any(source[start:end].casefold() == name.casefold() for start, end in evidence):
        return False
    lexicon, words = name_lexicon(texts.old.language), source[slice(*new)].split()
    titles = lexicon.titles | lexicon.forms_of_address if lexicon else frozenset()
    is_title = any(word.casefold().rstrip(".") in titles or word.endswith(".") for word in words)
    return len(words) == len(name.split()) and not is_title and all(word[0].isupper() for word in words)


def _overlap(span: Span, other: Span) -> bool:
    return span[0] < other[1] and other[0] < span[1]


def _sentence_at(document: DraftDocument, position: int) -> Span:
    for sentence in document.sentences:
        if sentence.start <= position < sentence.end:
            return sentence.start, sentence.end
    return position, position + 1


def _removed(diff: SourceDiff, change: Counterpart, sentence: Span) -> Finding:
    words = truncate(one_line(diff.old.text[slice(*change.old_sentence)]), _MAX_QUOTED_CHARS)
    return Finding(
        kind=KIND, severity=Severity.WARN, span=sentence, message=f"The source no longer says this: “{words}”"
    )


def _changed(texts: _Texts, claim: SupportedClaim, change: Counterpart) -> Finding:
    new, diff = change.new, texts.diff
    then = truncate(one_line(diff.old.text[slice(*change.old_words)]), _MAX_QUOTED_CHARS)
    now = truncate(one_line(diff.new.text[slice(*change.new_words or (0, 0))]), _MAX_QUOTED_CHARS)
    return Finding(
        kind=KIND,
        severity=Severity.WARN,
        message=f"The source said “{then}”, now “{now}”." if now else f"The source said “{then}”.",
        span=claim.span,
        evidence=(new,) if new else (),
        suggestion=one_line(diff.new.text[slice(*new)]) if new else "",
    )


def join_source_changes(findings: Iterable[Finding], changes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings about a draft with those about changes of its source.

    Where a check warns of the same words already, its finding says what the source said and says, too.
    """
    joined, left = list(findings), []
    for change in changes:
        at = next((number for number, each in enumerate(joined) if _is_about(each, change)), None)
        if at is None:
            left.append(change)
            continue
        other = joined[at]
        suggestion = other.suggestion if other.suggestion or other.removal else change.suggestion
        message = f"{other.message} {change.message}"
        joined[at] = other.model_copy(update={"message": message, "suggestion": suggestion})
    return (*joined, *left)


def _is_about(finding: Finding, change: Finding) -> bool:
    if (
        finding.kind not in _CLAIMS
        or finding.severity is Severity.NOTE
        or not finding.span
        or not change.span
    ):
        return False
    return finding.field == change.field and _overlap(finding.span, change.span)
