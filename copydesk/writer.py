"""Who writes when `copydesk eval` asks: the configured model, outside the ledger."""

import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Protocol

from pipeline.errors import ConfigError
from pipeline.models import Answer, Beat, Source, Usage
from pipeline.rewrite.asking import Task, ask
from pipeline.rewrite.configured import model_of
from pipeline.rewrite.model import Model
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.rewrite.wire import WireArticle, read_answer
from pipeline.settings import Settings


class Writer(Protocol):
    """Whoever answers about an item."""

    async def write(self, source: Source, beat: Beat) -> Answer:
        """Return the answer that was used, its usage that of every call. Raises ModelError."""


@contextlib.asynccontextmanager
async def open_writer(settings: Settings, name: str | None) -> AsyncIterator[Writer]:
    """Open the configured model with the beats' own prompts, or the one named. Raises ConfigError."""
    if settings.model is None:
        raise ConfigError("no model is set that could be asked: set COPYDESK_MODEL, or leave --ask out")
    async with model_of(settings) as model:
        yield ModelWriter(model, settings.base / "prompts", name)


class ModelWriter:
    """A model that writes by the templates of a folder."""

    def __init__(self, model: Model, folder: Path, name: str | None = None) -> None:
        self._model = model
        self._folder = folder
        self._name = name
        self._prompts: dict[str, Prompt] = {}

    async def write(self, source: Source, beat: Beat) -> Answer:
        """Return the answer that was used, its usage that of every call. Raises ModelError, ConfigError."""
        prompt = self._prompt(self._name or beat.prompt)
        spent = _Spent()
        task = Task(
            messages=prompt.messages(source, beat),
            prompt_id=prompt.id,
            shape=WireArticle,
            read=partial(read_answer, source=source, beat=beat),
            purpose="eval",
            max_tokens=prompt.hints.max_tokens,
            temperature=prompt.hints.temperature,
        )
        answer, _ = await ask(self._model, task, spent)
        return answer.model_copy(update={"usage": spent.usage})

    def _prompt(self, name: str) -> Prompt:
        if name not in self._prompts:
            self._prompts[name] = load_prompt(self._folder, name)
        return self._prompts[name]


class _Spent:
    """Books of one item that only add up."""

    def __init__(self) -> None:
        self.usage = Usage()

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        return None, answer_tokens

    async def release(self, reservation: int | None) -> None:
        """Nothing was put aside."""

    async def keep(self, answer: Answer, purpose: str, reservation: int | None) -> None:
        """Add what an answer took."""
        fields = Usage.model_fields
        self.usage = Usage(
            **{name: getattr(self.usage, name) + getattr(answer.usage, name) for name in fields}
        )

    async def discard(self, reason: str) -> None:
        """Leave it counted: it was paid for all the same."""
