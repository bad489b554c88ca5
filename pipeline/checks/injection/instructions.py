"""Finds text in a source that tells a model what to answer: an indirect prompt injection, in words.

Unlike the other checks of this kind it looks at the source, which every model reads. It only warns, since a
source may report about such texts.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from pipeline.checks.document import VisibleText, visible_text
from pipeline.checks.injection.calls_to_action import is_imperative, is_quoted
from pipeline.checks.language_tables import W, any_of
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import MAX_EVIDENCE
from pipeline.domain.models import Source
from pipeline.domain.prompt_markers import PROMPT_MARKER, PROMPT_MARKER_SIGN
from pipeline.domain.reviews import Finding, Severity

_MAX_CHARS = 200_000
"""Of a source's text, the rest is ignored. Chosen, not measured."""
_MAX_PLACES = 20
"""Places in one source. Chosen, not measured."""
_ANSWER = r"(?:answer|reply|response|output|summary)(?:'s)?"
_ERRORS = r"(?:objections?|errors?|mistakes?|problems?|issues?|contradictions?|findings?)"
_TO_CHECKER = any_of(
    rf"(?:object to|report|flag|raise|list|return|mention|find) (?:nothing|no {W}{{0,2}}{_ERRORS})",
    r"(?:do not|don't|never) (?:object|report|flag|raise|mention|list) (?:to )?(?:any|a|the|this|these) "
    rf"{W}{{0,2}}(?:{_ERRORS}|sentences?|article|draft|text)",
    r"(?:reply|answer|respond|return|output|give|send)(?: only| just| back)?(?: with)? "
    r"(?:\[\s?\]|\{\s?\}|(?:an? |the )?(?:empty|blank) (?:list|array|json|object|answer|reply|response))",
    r"(?:mark|treat|rate|accept|consider|regard|call) (?:everything|(?:all|every|each|the|this) "
    r"(?:sentences?|claims?|statements?|article|draft|text|objections?)) (?:as )?"
    r"(?:correct|true|supported|verified|faultless|right|contradicted)",
    r"(?:antworte|antworten sie) (?:nur )?mit einer leeren liste|(?:melde|beanstande|beanstanden sie) nichts",
    r"(?:responde|responda) (?:solo )?con una lista vacía|no (?:objetes|objete|señales|señale) nada",
)
"""For a second reader: what it should overlook."""
_TO_MODEL = any_of(
    r"(?:ignore|disregard|forget|override|skip) (?:(?:all|any|of|the|your|my|these|those) ){0,3}"
    r"(?:previous|prior|above|earlier|preceding|other|system|original) "
    r"(?:instructions?|prompts?|rules?|messages?|directions?|text|sentences?)",
    rf"(?:add|append|include|insert|integrate|modify|augment|enhance|extend|replace|use|convert|substitute|render"
    rf"|introduce|misspell|provide|scramble|jumble|anagram|rearrange|remove|group|combine|end|begin|start|finish"
    rf"|write|translate|format|change) (?:\S{{0,39}}[^\s.!?:;] ){{0,12}}your {W}?{_ANSWER}",
    rf"in your {W}?{_ANSWER}",
    r"ignorier(?:e|en sie) (?:alle |die ){0,2}(?:vorherigen|vorigen|obigen|bisherigen) anweisungen",
    r"(?:ignora|ignore|olvida) (?:todas )?las instrucciones (?:anteriores|previas)",
)
"""For any model; in a quotation it may be news."""


@lru_cache(maxsize=2 * PREPARED)
def source_instructions(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of a source's text that tell a model what to answer."""
    return tuple(islice(_places(visible_text(text[:_MAX_CHARS])), _MAX_PLACES))


def check_source_instructions(source: Source) -> tuple[Finding, ...]:
    """Return a warning without a span where the source's text or title tells a model what to answer."""
    spans = source_instructions(source.item.text)
    titled = source_instructions(source.item.title)
    texts = [source.item.text[slice(*span)] for span in spans]
    texts += [source.item.title[slice(*span)] for span in titled]
    if not texts:
        return ()
    shown = " ".join(texts[0].split())[:80]
    message = f'The source tells a model what to answer ("{shown}"): read the draft against it with care.'
    return (
        Finding(kind="injection", severity=Severity.WARN, message=message, evidence=spans[:MAX_EVIDENCE]),
    )


def _places(visible: VisibleText) -> Iterator[tuple[int, int]]:
    """Yield the spans of what imitates the prompt, or asks somebody as an order does.

    An order is at the beginning of a sentence, after "please" or "you should".
    """
    if PROMPT_MARKER_SIGN.search(visible.text.lower()):
        for match in PROMPT_MARKER.finditer(visible.text):
            yield visible.span(*match.span())
    for pattern in (_TO_CHECKER, _TO_MODEL):
        for match in pattern.finditer(visible.text):
            if not is_imperative(visible.text, match.start()):
                continue
            if pattern is _TO_CHECKER or not is_quoted(visible.text, *match.span()):
                yield visible.span(*match.span())
