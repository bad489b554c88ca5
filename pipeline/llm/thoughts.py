"""Thoughts: tells a model's answer from the thoughts that it wrote before it. Pure.

A server that has no parser for a model's thoughts sends them as part of the answer, and chat templates write
the opening mark into the prompt, so that only the closing one arrives. So what counts is the last mark.
"""

import re
from typing import NamedTuple

from pipeline.llm.lenient_json import object_spans

_NAMES = (
    r"(?:think|thinking|thoughts?|reason|reasoning|reflection|scratch_?pad|analysis|cot|inner_monologue"
    r"|chain_of_thought)"
)
_OPENING = (
    rf"<\|?(?:\w+:)?{_NAMES}\b[^<>]*>",  # Qwen, DeepSeek, <seed:think>, <|think|>
    r"<details[^<>]*\breasoning\b[^<>]*>",  # Open WebUI
    r"\[THINK\]",  # Mistral
    r"◁think▷",  # Kimi
    r"<\|(?:begin_of_thought|START_THINKING)\|>|\|startthink\||<unused94>|<\|channel>thought",
    r"<\|channel\|>\s*(?:analysis|commentary)\b",  # Harmony, of gpt-oss
)
_CLOSING = (
    rf"<\|?/\s?(?:\w+:)?{_NAMES}\b[^<>]*>",
    r"<details[^<>]*\breasoning\b[^<>]*>(?:(?!<details).)*?</details\s*>",
    r"\[/THINK\]",
    r"◁/think▷",
    r"<\|(?:end_of_thought|END_THINKING)\|>|\|endthink\||<unused95>|<channel\|>",
    r"<\|channel\|>\s*final\b(?:(?!<\|message\|>).){0,200}<\|message\|>",
)
_MARK = re.compile(
    rf"(?P<closing>{'|'.join(_CLOSING)})|(?P<opening>{'|'.join(_OPENING)})", re.IGNORECASE | re.DOTALL
)
_BARE_HARMONY = re.compile(r"\s*(?:assistant)?(?:analysis|commentary)")
"""Harmony's channels after a server has removed the special tokens; the text's own words follow at once."""
_BARE_FINAL = "assistantfinal"


class Split(NamedTuple):
    """What a model wrote, divided."""

    answer: str
    """What follows the last thought; empty while a thought has not ended."""
    is_marked: bool
    """Whether the text marks thoughts at all."""
    outside: str = ""
    """What stands before the first mark if that opens a thought."""


def split_thoughts(text: str) -> Split:
    """Divide a text at the end of its last thought; marks in the strings of an object are its own words.

    A thought that is opened after that and not closed is no part of the answer.
    """
    if _BARE_HARMONY.match(text):
        return Split(text.rpartition(_BARE_FINAL)[2] if _BARE_FINAL in text else "", is_marked=True)
    marks = _marks(text)
    if not marks:
        return Split(text, is_marked=False)
    outside = text[: marks[0].start()] if marks[0]["opening"] is not None else ""
    ends = [mark.end() for mark in marks if mark["closing"] is not None]
    if not ends:
        return Split("", is_marked=True, outside=outside)
    opened = [mark.start() for mark in marks if mark.start() >= ends[-1]]
    return Split(text[ends[-1] : opened[0] if opened else len(text)], is_marked=True, outside=outside)


def _marks(text: str) -> list[re.Match[str]]:
    marks = list(_MARK.finditer(text))
    objects = list(object_spans(text)) if marks else []
    return [mark for mark in marks if not any(start < mark.start() < end for start, end in objects)]
