"""A circuit breaker for a server and model: ends a run whose every item would fail, before it costs much.

Until the first usable answer of a run, items are asked about one at a time. Failures in a row whose cause
lies in server, key, model, URL or format end the run; a failure of the item itself says nothing about others,
except that the server answers, which suffices for a second reader.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pipeline.config import DEFAULT_NAMES, ConnectionNames
from pipeline.domain.errors import FailureCause, FailureRow, LLMError, LLMRejected

AT_START = 3
"""Failures in a row, before the first usable answer, that end the run. Source: decision 13."""
LATER = 20
"""The same after a usable answer: then it has to be more than a bad day. Source: decision 13."""
OF_THE_ITEM = frozenset({FailureCause.CONTEXT, FailureCause.LENGTH, FailureCause.FILTER})
"""Causes that say nothing about other items."""
_ADVICE = {
    FailureCause.KEY: "check {key}",
    FailureCause.CREDIT: "top up the account of {key}, or use another key",
    FailureCause.MODEL: "check {model}",
    FailureCause.URL: "check {url}",
    FailureCause.FORMAT: "check {model}: this model may be too weak for structured answers",
    FailureCause.OVERLOAD: "run again later, or use a server or an account of {key} that takes more requests",
    FailureCause.OUTAGE: "see that the server under {url} runs, and {timeout}",
}


class Breaker:
    """Counts the failures of one server and model in one run."""

    def __init__(self, names: ConnectionNames = DEFAULT_NAMES) -> None:
        self._names = names
        self.proven = False
        """There was a usable answer in this run."""
        self._is_open = False
        """Items need not be asked about one at a time."""
        self.ended: LLMRejected | None = None
        """Why no more requests are sent."""
        self._row = FailureRow(unproven=True)
        self._one_at_a_time = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until an item may be asked about. Raises LLMRejected once the run has ended."""
        async with contextlib.AsyncExitStack() as stack:
            if not self._is_open:
                await stack.enter_async_context(self._one_at_a_time)
                if self._is_open:  # by those who were asked about meanwhile: all may go
                    await stack.aclose()
            self.require_closed()
            yield

    def require_closed(self) -> None:
        """Raise LLMRejected if the run has ended."""
        if self.ended is not None:
            # A copy: each task that raises an error adds to its traceback.
            raise LLMRejected(self.ended.message, cause=self.ended.cause, **self.ended.context)

    def succeed(self) -> None:
        """Count a usable answer."""
        self.proven = self._is_open = True
        self._row.unproven = False
        if self._row.failures:
            self._row = FailureRow(unproven=False)

    def open(self) -> None:
        """Ask about all items at once from now on: the server has answered, if not usably."""
        self._is_open = True

    def fail(self, error: LLMError) -> LLMError:
        """Count the failure of an item; return the error to raise: LLMRejected if it ends the run."""
        if isinstance(error, LLMRejected):
            self.ended = self.ended or error
            return error
        if error.cause in OF_THE_ITEM:
            return error
        row = error.row = self._row
        row.failures += 1
        if self.ended is None and row.failures < (LATER if self.proven else AT_START):
            return error
        if self.ended is None:
            row.ended_run = True
            self.ended = LLMRejected(self._reason(row.failures, error), cause=error.cause)
        rejected = LLMRejected(self.ended.message, cause=self.ended.cause, **self.ended.context)
        rejected.row = row
        return rejected

    def _reason(self, failures: int, error: LLMError) -> str:
        advice = self._names.fill(_ADVICE.get(error.cause, "check {model} and {url}"))
        return f"{failures} items in a row failed: {error.message}; {advice}"
