"""Thoughts: tells a model's answer from the thoughts that it wrote before it. Pure.

A server that has no parser for a model's thoughts sends them as part of the answer, and chat templates write
the opening mark into the prompt, so that only the closing one arrives. So what counts is the last mark.
"""

import re
from typing import NamedTuple

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
_BARE_HARMONY = re.compile(r"\s*analysis.*assistantfinal", re.DOTALL)
"""Harmony's channels after a server has removed the special tokens."""


class Split(NamedTuple):
    """What a model wrote, divided."""

    before: str
    """Thoughts, with their marks; empty where there is no mark."""
    answer: str
    """What follows the last thought; empty while a thought has not ended."""
    is_marked: bool
    """Whether the text marks thoughts at all."""
    outside: str = ""
    """What stands before the first mark if that opens a thought which does not end."""


def split_thoughts(text: str) -> Split:
    """Divide a text at the end of its last thought.

    A thought that is opened after that and not closed is no part of the answer.
    """
    if bare := _BARE_HARMONY.match(text):
        return Split(text[: bare.end()], text[bare.end() :], is_marked=True)
    marks = list(_MARK.finditer(text))
    if not marks:
        return Split("", text, is_marked=False)
    ends = [mark.end() for mark in marks if mark["closing"] is not None]
    if not ends:
        return Split(text, "", is_marked=True, outside=text[: marks[0].start()])
    opened = [mark.start() for mark in marks if mark.start() >= ends[-1]]
    return Split(text[: ends[-1]], text[ends[-1] : opened[0] if opened else len(text)], is_marked=True)
