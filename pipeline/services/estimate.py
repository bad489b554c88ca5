"""What drafting would cost: the writer's calls and the second reader's, estimated before any is made."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel

from pipeline.domain.models import FeedConfig, FrozenModel, Item, TokenUsage, build_source
from pipeline.llm.chat import Attempt, Message, build_request, estimate_prompt_tokens
from pipeline.rewrite.article_schema import WireArticle
from pipeline.services.context import RunContext, Writer
from pipeline.verifier.objections import WireObjections

_PROMPT_RATIO = 0.75
"""Billed tokens of a prompt as a share of the upper bound. Chosen, not measured."""
_FIELD_TOKENS = 250
"""Tokens of an answer besides its text: field names, opinion, impact. Chosen, not measured."""
_VERIFY_TOKENS = 200
"""Tokens of a second reader's answer about a draft with few errors. Chosen, not measured."""
CHARS_PER_TOKEN = 4
"""Characters per token of a text. Chosen, not measured."""


class Estimate(FrozenModel):
    """Cost in millionths of a US dollar; None if no model is set or a price is not known."""

    items: int
    likely: int | None = None
    most: int | None = None
    """If each answer has the maximal length and no request is repeated."""
    verifying: int | None = None
    """The second reader's part of `likely`; None if none reads."""


class _Cost(NamedTuple):
    likely: int
    most: int


def estimate_cost(ctx: RunContext, feed: FeedConfig, items: Sequence[Item]) -> Estimate:
    """Return what drafting items would cost with the feed's writer, without fallbacks.

    Raises ConfigError if a prompt cannot be rendered, or a model is not set up.
    """
    writer, unknown = next(iter(ctx.writers(feed)), None), Estimate(items=len(items))
    if writer is None or not _is_priced(writer):
        return unknown
    reader = ctx.verifier(ctx.beats[feed.beat])
    if reader and not _is_priced(reader):
        return unknown
    likely, most, verifying = 0, 0, 0
    for item in items:
        source, beat = build_source(feed, item), ctx.beats[feed.beat]
        article = _FIELD_TOKENS + len(item.text) // CHARS_PER_TOKEN
        calls = [_cost(writer, ctx.prompts[feed.beat].messages(source, beat), WireArticle, article)]
        if reader and ctx.verify_prompt:
            messages = ctx.verify_prompt.messages(source, beat)
            calls.append(_cost(reader, messages, WireObjections, _VERIFY_TOKENS, draft=article))
            verifying += calls[-1].likely
        likely += sum(call.likely for call in calls)
        most += sum(call.most for call in calls)
    return Estimate(items=len(items), likely=likely, most=most, verifying=verifying if reader else None)


def _is_priced(writer: Writer) -> bool:
    return writer.price is not None and writer.price.is_known


def _cost(
    writer: Writer, messages: list[Message], schema: type[BaseModel], answer: int, draft: int = 0
) -> _Cost:
    """Return the cost of one call; `draft` are the tokens of the draft that the messages do not have yet."""
    options, price = writer.client.options, writer.price
    if price is None:
        return _Cost(0, 0)
    request = build_request(messages, schema, Attempt(writer.client.mode, options.max_tokens), options)
    tokens, longest = estimate_prompt_tokens(request), options.max_tokens
    likely = int(tokens * _PROMPT_RATIO) + draft, min(longest, answer)
    return _Cost(*(price.micros(_usage(*counts)) or 0 for counts in (likely, (tokens + draft, longest))))


def _usage(prompt: int, completion: int) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion)
