"""A request to a model, and a budget in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipeline.articles.article import Article
from pipeline.domain.errors import BudgetExceeded
from pipeline.domain.model_calls import LLMResponse
from pipeline.llm.chat import Message
from pipeline.llm.structured_output import StructuredRequest
from pipeline.rewrite.article_schema import WireArticle, parse_response
from tests.pipeline.rewrite.sources import BEAT, source

MESSAGES: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "It cost $5."},
]


@dataclass
class RecordingBudget:
    """A CallBudget that remembers its calls."""

    purposes: list[str] = field(default_factory=list)
    answers: list[LLMResponse] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    reserved: list[tuple[int, int]] = field(default_factory=list)
    open: set[int] = field(default_factory=set)
    calls_left: int = 99
    notes: list[str] = field(default_factory=list)

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int, int]:
        if not self.calls_left:
            raise BudgetExceeded("the cap of the day is reached")
        self.calls_left -= 1
        self.reserved.append((prompt_tokens, answer_tokens))
        self.open.add(len(self.reserved))
        return len(self.reserved), answer_tokens

    async def release(self, reservation: int | None) -> None:
        self.open.discard(reservation or 0)

    async def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        self.open.discard(reservation or 0)
        self.purposes.append(purpose)
        self.notes += answer.notes
        self.answers.append(answer)

    async def annotate(self, notes: Sequence[str]) -> None:
        self.notes += notes

    async def discard(self, reason: str) -> None:
        self.discarded.append(reason)


def request(**changes: Any) -> StructuredRequest[Article]:
    values: dict[str, Any] = {
        "messages": MESSAGES,
        "prompt_id": "article@1",
        "response_model": WireArticle,
        "parse": partial(parse_response, source=source(), beat=BEAT),
    }
    return StructuredRequest(**values | changes)
