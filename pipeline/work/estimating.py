"""What drafting some items would cost, told before anything is asked."""

from collections.abc import Sequence

from pipeline.models import FeedConfig, Item, Record, Usage, source_of
from pipeline.rewrite.request import estimate, request
from pipeline.rewrite.turns import Turn
from pipeline.rewrite.wire import WireArticle
from pipeline.work.room import Newsroom

_REAL = 0.75
"""Of a prompt's upper bound, about what is billed."""
_SHAPE = 250
"""Tokens of an answer beside its text: names of fields, opinion, impact."""
_CHARACTERS = 4
"""Of a text, a token."""


class Estimate(Record):
    """Millionths of a US dollar; None where no model is set or nobody knows its price."""

    items: int
    likely: int | None = None
    most: int | None = None
    """Where each answer is as long as it may be, and right at once."""


def estimated(room: Newsroom, feed: FeedConfig, items: Sequence[Item]) -> Estimate:
    """Return what drafting items would cost. Raises ConfigError where a prompt cannot be rendered."""
    if room.model is None or room.price is None or not room.price.known:
        return Estimate(items=len(items))
    options = room.model.options
    prompt, turn = room.prompts[feed.beat], Turn(room.model.manner, options.max_tokens)
    likely, most = 0, 0
    for item in items:
        messages = prompt.messages(source_of(feed, item), room.beats[feed.beat])
        tokens = estimate(request(messages, WireArticle, turn, options))
        answer = min(options.max_tokens, _SHAPE + len(item.text) // _CHARACTERS)
        likely += room.price.micros(_used(int(tokens * _REAL), answer)) or 0
        most += room.price.micros(_used(tokens, options.max_tokens)) or 0
    return Estimate(items=len(items), likely=likely, most=most)


def _used(prompt: int, completion: int) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion)
