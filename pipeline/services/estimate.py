"""What drafting would cost: the writer's calls and the second reader's, estimated before any is made."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from pipeline.config import Settings, Subscriptions, connection_named, used_profiles
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import DEFAULT_PROFILE, FeedConfig, FrozenModel, Item, build_source
from pipeline.llm.chat import Attempt, Message, ModelOptions, build_request, estimate_prompt_tokens
from pipeline.llm.pricing import Price
from pipeline.rewrite.article_schema import WireArticle
from pipeline.rewrite.prompt import SAMPLE, load_prompt
from pipeline.services.context import RunContext, Writer
from pipeline.services.spending import UsageStats
from pipeline.services.writers import price_of
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


class CallEstimate(NamedTuple):
    """What one call may cost, in millionths of a US dollar; 0 where the price is not known."""

    tokens: int
    """Of the prompt, at most."""
    likely: int
    most: int
    """If the answer has the maximal length."""


def next_call_micros(settings: Settings, subscriptions: Subscriptions) -> int:
    """Return the least that a cap must allow for the next call: the answer to an item of few words.

    In millionths of a US dollar, of the most expensive model in use; 0 without one whose price is known.
    Raises ConfigError where the prompt cannot be used.
    """
    feeds = [feed for feed in subscriptions.feeds if feed.enabled]
    used = used_profiles(settings, feeds) or ([DEFAULT_PROFILE] if settings.model else [])
    prices = [price_of(connection_named(settings, subscriptions.models, name)) for name in used]
    tokens = 0
    if prices and subscriptions.beats:
        beat = next(iter(subscriptions.beats.values()))
        messages = load_prompt(settings.prompts, beat.prompt).messages(SAMPLE, beat)
        tokens = estimate_prompt_tokens({"messages": messages})
    usage = TokenUsage(prompt_tokens=tokens, completion_tokens=UsageStats().min_answer_tokens())
    return max((price.micros(usage) or 0 for price in prices), default=0)


def estimate_call(
    price: Price, options: ModelOptions, request: dict[str, Any], answer: int, further: int = 0
) -> CallEstimate:
    """Return the cost of a request to which the model likely answers in `answer` tokens.

    `further` are tokens of the prompt that the request does not have yet.
    """
    tokens, longest = estimate_prompt_tokens(request), options.max_tokens
    likely = TokenUsage(
        prompt_tokens=int(tokens * _PROMPT_RATIO) + further, completion_tokens=min(longest, answer)
    )
    most = TokenUsage(prompt_tokens=tokens + further, completion_tokens=longest)
    return CallEstimate(tokens + further, price.micros(likely) or 0, price.micros(most) or 0)


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
        calls = [_estimate(writer, ctx.prompts[feed.beat].messages(source, beat), WireArticle, article)]
        if reader and ctx.verify_prompt:
            messages = ctx.verify_prompt.messages(source, beat)
            calls.append(_estimate(reader, messages, WireObjections, _VERIFY_TOKENS, draft=article))
            verifying += calls[-1].likely
        likely += sum(call.likely for call in calls)
        most += sum(call.most for call in calls)
    return Estimate(items=len(items), likely=likely, most=most, verifying=verifying if reader else None)


def _is_priced(writer: Writer) -> bool:
    return writer.price is not None and writer.price.is_known


def _estimate(
    writer: Writer, messages: list[Message], schema: type[BaseModel], answer: int, draft: int = 0
) -> CallEstimate:
    """Return the cost of one call; `draft` are the tokens of the draft that the messages do not have yet."""
    if writer.price is None:
        return CallEstimate(0, 0, 0)
    options = writer.client.options
    request = build_request(messages, schema, Attempt(writer.client.mode, options.max_tokens), options)
    return estimate_call(writer.price, options, request, answer, draft)
