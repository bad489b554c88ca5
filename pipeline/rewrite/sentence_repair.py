"""Sentence repair: asks a model to rewrite only the sentences with findings, and applies its answer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.domain.prompt_markers import marked
from pipeline.domain.reviews import Finding, Severity
from pipeline.domain.text import one_line, replace_surrogates, sentence_ends
from pipeline.llm.answers import read_answer, validation_error
from pipeline.llm.chat import Message

PROMPT = "mend"
"""Name of the template in prompts/."""


class WireRepair(BaseModel):
    """One sentence."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(description="The sentence's number, as it was given.")
    text: str = Field(description="The mended sentence; empty where it should go.")


class WireRepairs(BaseModel):
    """What a model is asked to answer about flagged sentences."""

    model_config = ConfigDict(extra="forbid")

    sentences: list[WireRepair] = Field(description="Each flagged sentence once.")


class FlaggedSentence(NamedTuple):
    """A sentence of a body that has findings."""

    start: int
    end: int
    text: str
    reasons: tuple[str, ...]


def flag_sentences(body: str, findings: Sequence[Finding]) -> list[FlaggedSentence]:
    """Return the sentences that block, or contradict the source, in the order of the body."""
    serious = [finding for finding in findings if _is_certain(finding)]
    reasons: dict[tuple[int, int], list[str]] = {}
    for finding in serious:
        if finding.body_span is None:  # of the whole draft, the title or the description
            continue
        start, end = finding.body_span
        span = _sentence_span(body, start, end)
        if body[slice(*span)].strip() and not body[slice(*span)].startswith("#"):
            reasons.setdefault(span, []).append(finding.message)
    return [
        FlaggedSentence(*span, body[slice(*span)], tuple(dict.fromkeys(messages)))
        for span, messages in sorted(reasons.items())
    ]


def _is_certain(finding: Finding) -> bool:
    """Return whether a sentence is to be repaired: a suspicion alone made models change what was right."""
    if finding.severity is Severity.BLOCK:
        return True
    return finding.contradicted and finding.severity is Severity.WARN


def _sentence_span(body: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of the sentence or sentences that contain a span, within its line."""
    low = body.rfind("\n", 0, start) + 1
    high = body.find("\n", max(end, start))
    high = len(body) if high < 0 else high
    low += len(body[low:high]) - len(body[low:high].lstrip("-*> "))  # without the bullet sign
    ends = [low, *sentence_ends(body, low, high), high]
    first = max((position for position in ends if position <= start), default=low)
    last = min((position for position in ends if position >= end and position > first), default=high)
    return first, first + len(body[first:last].rstrip())


def flags_digest(body: str, flags: Sequence[FlaggedSentence]) -> str:
    """Return a hash of what a repair is asked about, 12 hex digits."""
    text = "\0".join((body, *(f"{flag.start} {' '.join(flag.reasons)}" for flag in flags)))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def add_flags(messages: Sequence[Message], body: str, flags: Sequence[FlaggedSentence]) -> list[Message]:
    """Return the messages about an item, with its article and a JSON line for each flagged sentence added."""
    lines = [
        json.dumps({"number": number, "sentence": flag.text, "wrong": flag.reasons}, ensure_ascii=False)
        for number, flag in enumerate(flags, start=1)
    ]
    draft = marked("draft", replace_surrogates(body))
    content = "\n".join((f"{messages[-1]['content']}\n\n{draft}\n", *lines))
    return [*messages[:-1], Message(role=messages[-1]["role"], content=replace_surrogates(content))]


def parse_repairs(text: str, count: int, *, notes: list[str] | None = None) -> dict[int, str]:
    """Return the new sentences by sentence number. Raises LLMError with the reason."""
    wire = read_answer(WireRepairs, text, notes)
    sentences = {repair.number: one_line(replace_surrogates(repair.text)) for repair in wire.sentences}
    if unknown := sorted(set(sentences) - set(range(1, count + 1))):
        raise validation_error(f"there is no sentence {unknown[0]}")
    return sentences


def apply_repairs(body: str, flags: Sequence[FlaggedSentence], sentences: Mapping[int, str]) -> str:
    """Return the body with flagged sentences replaced; everything else is unchanged.

    An empty replacement is ignored when the sentence is the only one of its line: a section must not become
    empty.
    """
    for number, flag in reversed(list(enumerate(flags, start=1))):
        new = sentences.get(number)
        if new is None or (not new and _is_only_sentence(body, flag)):
            continue
        tail = 1 if not new and body[flag.end : flag.end + 1] == " " else 0
        body = body[: flag.start] + new + body[flag.end + tail :]
    return body


def _is_only_sentence(body: str, flag: FlaggedSentence) -> bool:
    before = body[body.rfind("\n", 0, flag.start) + 1 : flag.start].strip("-*> ")
    after = body[flag.end :].partition("\n")[0].strip()
    return not before and not after
