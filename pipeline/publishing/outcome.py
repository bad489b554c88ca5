"""Runs the step of one target and records its results in the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from pipeline.config import Target
from pipeline.domain.errors import CopydeskError, PublishError
from pipeline.domain.models import FrozenModel
from pipeline.domain.run_events import Emit, ignore_event, item_event
from pipeline.http_client import HttpClient
from pipeline.publishing.targets import Result
from pipeline.storage import Database, Publication


class TargetResult(FrozenModel):
    """What one run did at one target."""

    target: str
    published: int = 0
    withdrawn: int = 0
    failed: int = 0
    error: str | None = None
    """The first failure."""

    @property
    def summary(self) -> str:
        """The counts and the first error, in one line."""
        parts = [f"{self.published} published"] if self.published else []
        parts += [f"{self.withdrawn} withdrawn"] if self.withdrawn else []
        parts += [f"{self.failed} failed"] if self.failed else []
        text = f"{self.target}: {', '.join(parts) or 'nothing changed'}"
        return f"{text} ({self.error})" if self.error else text


class TargetRunner(Protocol):
    """Runs the step of one target under a name, for example as a task of a Prefect flow."""

    def __call__(
        self, name: str, step: Callable[[], Awaitable[TargetResult]], /
    ) -> Coroutine[Any, Any, TargetResult]:
        """Return what the step returns."""


@dataclass(frozen=True)
class PublishContext:
    """Dependencies of publishing."""

    db: Database
    root: Path
    """The output folder."""
    targets: Sequence[Target]
    net: HttpClient
    hooks: Mapping[str, SecretStr] = field(default_factory=dict)
    """URLs of deploy hooks, by variable."""
    emit: Emit = ignore_event
    """Tells others which articles were published."""


async def run_target(
    ctx: PublishContext,
    target: Target,
    rows: Sequence[Publication],
    now: datetime,
    runner: TargetRunner,
    send: Callable[[], Awaitable[Sequence[Result]]],
) -> TargetResult:
    """Send rows with `send`, record the results and return them.

    The step raises PublishError to `runner` where a row failed, so that a watched task fails too.
    """

    async def step() -> TargetResult:
        results = await _results(rows, send)
        outcome = await asyncio.to_thread(_record_results, ctx.db, target.name, rows, results, now)
        _emit_published(ctx, target.name, rows, results)
        if outcome.error:
            raise PublishError(outcome.error, outcome=outcome)
        return outcome

    try:
        return await runner(f"publish {target.name}", step)
    except PublishError as error:
        outcome = error.context.get("outcome")
        if isinstance(outcome, TargetResult):
            return outcome
        raise


def _emit_published(
    ctx: PublishContext, target: str, rows: Sequence[Publication], results: Sequence[Result]
) -> None:
    """Tell others which articles a target has now."""
    for row, result in zip(rows, results, strict=True):
        if row.action == "publish" and not isinstance(result, PublishError):
            ctx.emit(item_event("article.published", row.external_id, row.title, row.feed_key, target=target))


async def _results(
    rows: Sequence[Publication], send: Callable[[], Awaitable[Sequence[Result]]]
) -> Sequence[Result]:
    """Return a result for each row; an unexpected exception fails only this target."""
    [sent] = await asyncio.gather(send(), return_exceptions=True)
    if not isinstance(sent, BaseException):
        return sent
    if not isinstance(sent, Exception):
        raise sent  # KeyboardInterrupt, CancelledError
    message = sent.message if isinstance(sent, CopydeskError) else _unexpected_error(sent)
    return [PublishError(message)] * len(rows)


def _unexpected_error(error: Exception) -> str:
    return f"unexpected trouble, please report it: {type(error).__name__}: {error}"


def _record_results(
    db: Database, target: str, rows: Sequence[Publication], results: Sequence[Result], now: datetime
) -> TargetResult:
    """Store the results of rows and return their counts."""
    counts = {"publish": 0, "withdraw": 0}
    errors: list[str] = []
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, PublishError):
            db.publications.mark_failed(row.id, result.message, now)
            errors.append(result.message)
        else:
            db.publications.mark_done([row.id], result, now)
            counts[row.action] += 1
    return TargetResult(
        target=target,
        published=counts["publish"],
        withdrawn=counts["withdraw"],
        failed=len(errors),
        error=errors[0] if errors else None,
    )
