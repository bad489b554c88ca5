"""Prices of tokens: published ones, from a table without a request, or the operator's own."""

import functools
import math
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pipeline.domain.model_calls import TokenUsage
from pipeline.llm.capabilities import profile_of
from pipeline.llm.model_names import ModelName, plain, readings

_MILLION = Decimal(1_000_000)
_FREE = ":free"
"""Source: https://openrouter.ai/docs/guides/routing/model-variants/free"""


class Rates(NamedTuple):
    """US dollars per million tokens."""

    prompt: Decimal
    cached: Decimal
    completion: Decimal


class Price:
    """The price of a model's answers."""

    def __init__(self, model: str, base_url: str, rates: Rates | None = None) -> None:
        self._model = model
        self._base_url = base_url
        self._rates = rates

    @property
    def is_known(self) -> bool:
        """Tell whether there is a price."""
        return self.micros(TokenUsage(prompt_tokens=1000, completion_tokens=1000)) is not None

    def micros(self, usage: TokenUsage, at: datetime | None = None) -> int | None:
        """Return micros (1e-6 US dollars), rounded up; None when no price is known."""
        dollars = _by_rates(self._rates, usage) if self._rates else self._published(usage, at)
        return None if dollars is None else math.ceil(dollars * _MILLION)

    def _published(self, usage: TokenUsage, at: datetime | None) -> Decimal | None:
        """Return the published price: the server's own, or the highest that a proxy's name may mean."""
        own = _listed(usage, self._model, at, url=self._base_url)
        if own is not None:
            return own
        server = profile_of(self._base_url).name
        if self._model.endswith(_FREE):  # elsewhere the ending means nothing
            return Decimal(0) if server == "openrouter" else None
        prices = [_listed(usage, name, at, provider=provider) for provider, name in self._meant]
        return max((price for price in prices if price), default=None)  # a guess is never "free of charge"

    @functools.cached_property
    def _meant(self) -> tuple[ModelName, ...]:
        """What the model's name means where the server itself is not in the table."""
        if profile_of(self._base_url).name == "ollama":  # names of models that run on this machine
            return ()
        return published(self._model)


@functools.lru_cache(maxsize=32)
def published(model: str) -> tuple[ModelName, ...]:
    """Return the entries of the table that a proxy's name of a model may mean; empty: none.

    Where only the date of a version is not in the table, they are all its versions: the highest price counts.
    """
    probe = TokenUsage(prompt_tokens=1, completion_tokens=1)
    meant = readings(model)
    for name in dict.fromkeys(reading.name for reading in meant):
        owners = {reading.provider for reading in meant if reading.name == name}
        entries = [ModelName(owner, name) for owner in owners if _is_listed(probe, owner, name)]
        if entries:
            return tuple(entries)
    return _versions(plain(model), {reading.provider for reading in meant})


def _versions(base: str, owners: set[str | None]) -> tuple[ModelName, ...]:
    from genai_prices.data import providers

    makers = owners - {None} or {"openai", "anthropic", "google", "mistral", "deepseek", "x-ai"}
    return tuple(
        ModelName(provider.id, model.id)
        for provider in providers
        if provider.id in makers
        for model in provider.models
        if base and plain(model.id) == base
    )


def _is_listed(usage: TokenUsage, provider: str | None, name: str) -> bool:
    return _listed(usage, name, None, provider=provider) is not None


def _listed(
    usage: TokenUsage, model: str, at: datetime | None, *, url: str | None = None, provider: str | None = None
) -> Decimal | None:
    from genai_prices import Usage as TokenCounts  # here, because its table loads slowly
    from genai_prices import calc_price

    tokens = TokenCounts(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
        output_tokens=usage.completion_tokens,
    )
    try:
        if provider is not None:
            price = calc_price(tokens, model, provider_id=provider, genai_request_timestamp=at)
        else:
            price = calc_price(tokens, model, provider_api_url=url, genai_request_timestamp=at)
    except (LookupError, ValueError):  # an own server, or a model newer than the table
        return None
    return Decimal(price.total_price)


def _by_rates(rates: Rates, usage: TokenUsage) -> Decimal:
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    fresh = usage.prompt_tokens - cached
    return (
        fresh * rates.prompt + cached * rates.cached + usage.completion_tokens * rates.completion
    ) / _MILLION
