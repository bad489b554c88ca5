"""Prices of tokens: published ones, from a table without a request, or the operator's own."""

import math
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pipeline.domain.models import TokenUsage

_MILLION = Decimal(1_000_000)


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
        from genai_prices import Usage as TokenCounts  # here, because its table loads slowly
        from genai_prices import calc_price

        tokens = TokenCounts(
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
            output_tokens=usage.completion_tokens,
        )
        try:
            price = calc_price(
                tokens,
                model_ref=self._model,
                provider_api_url=self._base_url,
                genai_request_timestamp=at,
            )
        except (LookupError, ValueError):  # an own server, or a model newer than the table
            return None
        return Decimal(price.total_price)


def _by_rates(rates: Rates, usage: TokenUsage) -> Decimal:
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    fresh = usage.prompt_tokens - cached
    return (
        fresh * rates.prompt + cached * rates.cached + usage.completion_tokens * rates.completion
    ) / _MILLION
