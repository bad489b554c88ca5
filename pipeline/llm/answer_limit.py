"""How many tokens an answer may take, by the numbers in a refusal of a request for more. Pure."""

import re
from typing import NamedTuple


class AnswerLimit(NamedTuple):
    """The most tokens that an answer may take."""

    tokens: int
    of_model: bool = False
    """Whether it holds for every request to the model; else it is what the prompt leaves of the context."""


MARGIN_TOKENS = 100
"""Left free, since servers count "about" and "at least". Chosen, not measured."""
_NUMBER = r"[`'\"]?(\d[\d,]{0,11})"
_ADDITION = re.compile(rf"{_NUMBER} ?\+ ?{_NUMBER} ?> ?{_NUMBER}")
"""Anthropic: `199413 + 4096 > 200000`."""
_CONTEXT = re.compile(
    rf"(?:context (?:length|window|size)|context_length|token limit)\D{{0,40}}?{_NUMBER}"
    rf"|must be <= ?{_NUMBER}|cannot exceed {_NUMBER}|\(TPM\): limit {_NUMBER}",
    re.IGNORECASE,
)
_PROMPT = re.compile(
    rf"{_NUMBER} (?:in (?:the|your) (?:messages|prompt)|of text input|`inputs` tokens"
    rf"|tokens? from the input|(?:input|prompt) tokens)|messages resulted in {_NUMBER}"
    rf"|prompt contains (?:at least )?{_NUMBER}",
    re.IGNORECASE,
)
_TOTAL = re.compile(rf"(?:\(requested: ?|limit [\d,]+, requested |received ){_NUMBER}", re.IGNORECASE)
"""Prompt and answer together."""
_BOUND = re.compile(
    rf"(?:between `?\d+`? and |\[ ?\d+, ?|at most |less than or equal to |<= ?|(?:cannot|not) exceed "
    rf"|inclusive\) to |\d > |maximum (?:value|allowed)?\D{{0,40}}?(?:is|of|:) ?){_NUMBER}( \(exclusive)?",
    re.IGNORECASE,
)
_ANSWER_FIELD = re.compile(
    r"max_?(?:completion_|output_?|new_)?tokens|(?:completion|output) tokens", re.IGNORECASE
)


def answer_limit(message: str, requested: int | None) -> AnswerLimit | None:
    """Return the limit that a refusal names; None where it names none below `requested`, the limit sent."""
    if requested is None:
        return None
    left = _left_by_prompt(message, requested)
    limit = AnswerLimit(left - MARGIN_TOKENS) if left is not None else _of_model(message)
    return limit if limit and 0 < limit.tokens < requested else None


def _left_by_prompt(message: str, requested: int) -> int | None:
    """Return the context without the prompt, at least 0; None where the message does not give both."""
    if addition := _ADDITION.search(message):
        prompt, _, context = (_value(number) for number in addition.groups())
        return max(0, context - prompt)
    context_match = _CONTEXT.search(message)
    if context_match is None:
        return None
    context = _first(context_match)
    if prompt_match := _PROMPT.search(message):
        return max(0, context - _first(prompt_match))
    if total := _TOTAL.search(message):
        return max(0, context - (_first(total) - requested))
    if re.search(rf"tokens\W.{{0,40}}too large:? {requested}\b", message):
        # The prompt's length is not given: half of the context is for it.
        return context // 2
    return None


def _of_model(message: str) -> AnswerLimit | None:
    if not _ANSWER_FIELD.search(message) or not (bound := _BOUND.search(message)):
        return None
    return AnswerLimit(_value(bound[1]) - (1 if bound[2] else 0), of_model=True)


def _first(match: re.Match[str]) -> int:
    return _value(next(group for group in match.groups() if group))


def _value(number: str) -> int:
    return int(number.replace(",", ""))
