"""Token usage of an answer, in the dialects of servers, at its upper bound where a count is missing. Pure.

What a server does not tell is counted as the most it can have been, so that a spending cap holds:

- the prompt: the estimate that was reserved (bytes / 2.5, more than any tokenizer makes of a text);
- the completion: the limit that was requested, or the estimate of the text where that is longer. A shorter
  text proves nothing: a model may have thought, and thoughts are billed and need not be sent.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import FrozenModel

BYTES_PER_TOKEN = 2.5
"""Lower than the average of any tokenizer, so that an estimate is an upper bound. Chosen, not measured."""
_CACHE_WRITE_SURCHARGE = 4
"""Writing to a cache costs a quarter more. Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching"""

# Sources: https://platform.openai.com/docs/api-reference/chat/object, the Responses API and Anthropic's
# (input_tokens, output_tokens), https://ai.google.dev/api/generate-content#UsageMetadata,
# https://api-docs.deepseek.com/api/create-chat-completion (prompt_cache_hit_tokens), and what
# gateways make of them.
_PROMPT = ("prompt_tokens", "promptTokenCount", "prompt_token_count")
_INPUT = ("input_tokens",)
_COMPLETION = ("completion_tokens", "output_tokens", "candidatesTokenCount", "candidates_token_count")
_TOTAL = ("total_tokens", "totalTokenCount", "total_token_count")
_REASONING = ("reasoning_tokens", "thoughtsTokenCount", "thoughts_token_count")
_CACHED = (
    "cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cachedContentTokenCount",
    "cached_content_token_count", "num_cached_tokens", "cache_read_tokens",
)  # fmt: skip
_CACHE_WRITTEN = ("cache_creation_input_tokens", "cache_write_tokens")
_PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_COMPLETION_DETAILS = ("completion_tokens_details", "output_tokens_details")
_USAGE = ("usage", "usageMetadata", "usage_metadata")


class UsageGaps(FrozenModel):
    """What a server did not tell of an answer's tokens; by default nothing."""

    prompt: bool = False
    completion: bool = False
    total: int = 0
    """Of prompt and completion; 0 if it is not known."""
    contradiction: bool = False
    """A count was worked out from others: it is the most that the server may bill."""


BilledTokens = tuple[TokenUsage, UsageGaps]
"""What a server says of an answer's tokens, and what it does not."""
UNTOLD: BilledTokens = (TokenUsage(), UsageGaps(prompt=True, completion=True))


class UpperBound(NamedTuple):
    """The most tokens that a request and its answer can have."""

    prompt: int
    completion: int


def text_tokens(text: str) -> int:
    """Return an upper bound of a text's tokens."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def read_usage(completion: object) -> BilledTokens:
    """Return the usage in a chat completion, whatever its dialect; 0 for a count that is missing.

    `completion` is an object of the SDK or a dict.
    """
    usage = _first(completion, _USAGE)
    written = _detail(usage, _PROMPT_DETAILS, _CACHE_WRITTEN)
    surcharge = math.ceil(written / _CACHE_WRITE_SURCHARGE)
    prompt = _prompt(usage, written)
    stated, total = _count(usage, _COMPLETION), _count(usage, _TOTAL)
    reasoning = _detail(usage, _COMPLETION_DETAILS, _REASONING)
    generated = _completion(stated, total, prompt, reasoning)
    counts = TokenUsage(
        prompt_tokens=prompt + surcharge if prompt else 0,
        cached_tokens=min(_detail(usage, _PROMPT_DETAILS, _CACHED), prompt or 0),
        completion_tokens=generated or 0,
        reasoning_tokens=reasoning,
    )
    contradiction = bool(surcharge) or generated != stated
    return counts, UsageGaps(
        prompt=not prompt, completion=generated is None, total=total or 0, contradiction=contradiction
    )


def settle(usage: TokenUsage, gaps: UsageGaps, bound: UpperBound, text: str) -> tuple[TokenUsage, bool]:
    """Return the usage to book for an answer, and whether it is estimated: no lower than what was billed."""
    changes = dict[str, int]()
    if gaps.prompt:
        changes["prompt_tokens"] = bound.prompt
        changes["completion_tokens"] = max(usage.completion_tokens, gaps.total - bound.prompt)
    # Some servers give 0 for what they do not count: no text has no tokens.
    uncounted = not usage.completion_tokens and (text or gaps.total != usage.prompt_tokens)
    if gaps.completion or uncounted:
        ceiling = max(bound.completion, text_tokens(text))
        changes["completion_tokens"] = max(ceiling, usage.completion_tokens, usage.reasoning_tokens)
    return usage.model_copy(update=changes), bool(changes) or gaps.contradiction


def _prompt(usage: object, written: int) -> int | None:
    """Return the prompt's tokens, `written` of them to a cache; None if unknown.

    Where a server counts as Anthropic does, what was read from and written to a cache comes on top.
    """
    prompt = _count(usage, _PROMPT)
    if prompt is None and (fresh := _count(usage, _INPUT)) is not None:
        return fresh + (_count(usage, ("cache_read_input_tokens",)) or 0) + written
    return prompt


def _completion(stated: int | None, total: int | None, prompt: int | None, reasoning: int) -> int | None:
    """Return the tokens that were generated; None if the server does not tell.

    Some servers leave the reasoning out of the completion; the total, if there is one, tells which.
    """
    rest = total - prompt if total is not None and prompt else None
    if stated is None:
        return max(rest, reasoning) if rest is not None and rest > 0 else None
    outside = stated + reasoning if reasoning > stated or total is None else stated
    return max(outside, rest or 0)


def _detail(usage: object, details: Sequence[str], names: Sequence[str]) -> int:
    """Return the highest of the counts of these names, in the usage or in its details; 0 if there is none."""
    places = (usage, _first(usage, details))
    return max((_number(field(place, name)) or 0 for place in places for name in names), default=0)


def _count(counts: object, names: Sequence[str]) -> int | None:
    """Return the first of these counts that is there and a number."""
    numbers = (_number(field(counts, name)) for name in names)
    return next((number for number in numbers if number is not None), None)


def _first(place: object, names: Sequence[str]) -> object:
    return next((value for name in names if (value := field(place, name)) is not None), None)


def field(container: object, name: str) -> Any:  # noqa: ANN401 - JSON of a server
    """Return a field of an object of the SDK, or of a dict; None where it has none."""
    return container.get(name) if isinstance(container, dict) else getattr(container, name, None)


def _number(value: object) -> int | None:
    """Return a count that is not negative, rounded up; some servers send fractions or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return math.ceil(number) if 0 <= number < _NO_COUNT else None


_NO_COUNT = 1e12
"""No model has so many tokens: a server that sends as many counts something else. Chosen, not measured."""
