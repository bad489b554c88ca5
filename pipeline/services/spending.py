"""What model calls cost: one sum for an item, a feed, a writer and a run."""

import math
from dataclasses import dataclass, field
from typing import Self

from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import FrozenModel
from pipeline.storage import cost_text

_DEFAULT_ANSWER_TOKENS = 1500
"""Tokens reserved at least for the first answer of a run. Chosen, not measured."""


class Spending(FrozenModel):
    """Tokens and cost of model calls."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    micros: int = 0
    """Millionths of a US dollar, of the calls whose price is known."""
    unpriced: int = 0
    """Calls whose price is not known."""
    estimated: int = 0
    """Calls whose usage the server did not tell in full: counted at its upper bound."""

    @classmethod
    def of(cls, answer: LLMResponse, micros: int | None) -> Self:
        """Return what one call cost; `micros` is None where its price is not known."""
        return cls(
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
            micros=micros or 0,
            unpriced=micros is None,
            estimated=answer.estimated,
        )

    def __add__(self, other: "Spending") -> "Spending":
        """Return the sum, count by count; also of records that have these fields among others."""
        names = Spending.model_fields
        return Spending(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def text(self) -> str:
        """The cost for people; empty where there were no calls to pay for."""
        return cost_text(self.micros, self.unpriced) if self.micros or self.unpriced else ""


@dataclass
class UsageStats:
    """What a writer's calls of this run cost, and what that says about the next call."""

    spending: Spending = field(default_factory=Spending)
    prompt_ratio: float = 0.0
    """The highest ratio of billed to estimated prompt tokens."""
    longest_answer: int = 0
    """Tokens of the longest answer."""

    def max_prompt_tokens(self, estimate: int) -> int:
        """Return the most tokens that a prompt is billed, given an estimate."""
        return min(estimate, math.ceil(estimate * self.prompt_ratio * 1.3)) if self.prompt_ratio else estimate

    def min_answer_tokens(self) -> int:
        """Return the fewest tokens to reserve for an answer."""
        return 2 * self.longest_answer if self.longest_answer else _DEFAULT_ANSWER_TOKENS

    def record(self, estimate: int, call: Spending) -> None:
        """Add a call whose prompt was estimated at so many tokens."""
        self.spending += call
        if estimate and not call.estimated:
            self.prompt_ratio = max(self.prompt_ratio, call.prompt_tokens / estimate)
            self.longest_answer = max(self.longest_answer, call.completion_tokens)
