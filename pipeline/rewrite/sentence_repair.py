"""The repair pass: a model mends the sentences that the checks object to, and touches nothing else."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.domain.models import Finding, Severity
from pipeline.domain.text import one_line, replace_surrogates, sentence_ends
from pipeline.llm.chat import Message
from pipeline.rewrite.article_schema import coerce, response_json, validation_error


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
    """A sentence of a body that findings object to."""

    start: int
    end: int
    text: str
    reasons: tuple[str, ...]


def flag_sentences(body: str, findings: Sequence[Finding]) -> list[FlaggedSentence]:
    """Return the sentences that hold a blocking or warning finding, in the order of the body."""
    serious = [one for one in findings if one.severity is not Severity.NOTE and one.span]
    found: dict[tuple[int, int], list[str]] = {}
    for finding in serious:
        start, end = finding.span or (0, 0)
        span = _sentence(body, start, end)
        if body[slice(*span)].strip() and not body[slice(*span)].startswith("#"):
            found.setdefault(span, []).append(finding.message)
    return [
        FlaggedSentence(*span, body[slice(*span)], tuple(dict.fromkeys(why)))
        for span, why in sorted(found.items())
    ]


def _sentence(body: str, start: int, end: int) -> tuple[int, int]:
    """Return the sentence, or the sentences, that a span stands in; never beyond its line."""
    low = body.rfind("\n", 0, start) + 1
    high = body.find("\n", max(end, start))
    high = len(body) if high < 0 else high
    low += len(body[low:high]) - len(body[low:high].lstrip("-*> "))  # a bullet's sign is no part of it
    ends = [low, *sentence_ends(body, low, high), high]
    first = max((place for place in ends if place <= start), default=low)
    last = min((place for place in ends if place >= end and place > first), default=high)
    return first, first + len(body[first:last].rstrip())


def add_flags(messages: Sequence[Message], body: str, flags: Sequence[FlaggedSentence]) -> list[Message]:
    """Return the messages about an item with its article and what is wrong with which sentence."""
    marker = f"=== draft {secrets.token_hex(8)} ==="
    listed = [
        json.dumps({"number": number, "sentence": one.text, "wrong": one.reasons}, ensure_ascii=False)
        for number, one in enumerate(flags, start=1)
    ]
    said = f"{messages[-1]['content']}\n\n{marker}\n{replace_surrogates(body)}\n{marker}\n\n" + "\n".join(
        listed
    )
    return [*messages[:-1], Message(role=messages[-1]["role"], content=replace_surrogates(said))]


def parse_repairs(text: str, count: int) -> dict[int, str]:
    """Return sentence number → new sentence. Raises ModelError with the reason."""
    wire = coerce(WireRepairs, response_json(text))
    found = {one.number: one_line(replace_surrogates(one.text)) for one in wire.sentences}
    if strange := sorted(set(found) - set(range(1, count + 1))):
        raise validation_error(f"there is no sentence {strange[0]}")
    return found


def apply_repairs(body: str, flags: Sequence[FlaggedSentence], sentences: Mapping[int, str]) -> str:
    """Return the body with flagged sentences replaced; every other byte stays.

    A sentence that would be empty stays where it is the only one of its line: a section must not vanish.
    """
    for number, one in reversed(list(enumerate(flags, start=1))):
        new = sentences.get(number)
        if new is None or (not new and _alone(body, one)):
            continue
        tail = 1 if not new and body[one.end : one.end + 1] == " " else 0
        body = body[: one.start] + new + body[one.end + tail :]
    return body


def _alone(body: str, one: FlaggedSentence) -> bool:
    before = body[body.rfind("\n", 0, one.start) + 1 : one.start].strip("-*> ")
    behind = body[one.end :].partition("\n")[0].strip()
    return not before and not behind
