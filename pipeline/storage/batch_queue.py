"""Batches: what many tasks hand over at the same moment is read or written by one transaction.

A commit waits for the disk; fifty of them, one after the other, take a second ("group commit" avoids that),
and a statement costs the same for one item as for a hundred. A thread of its own takes all that waits, so
that an entry waits for at most one transaction before its own, and for no other work's thread.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MAX_ENTRIES = 32
"""Entries of one transaction: other processes wait as long. Chosen, not measured."""


class BatchQueue(Generic[T, R]):
    """Collects entries and handles those that wait together; safe from any thread.

    `handle` takes at most `limit` entries in their order, in one transaction, and returns for each its result
    or its error. After an error of the whole transaction each entry is handled alone, so that one that cannot
    be handled fails alone; but not after `fatal` errors, which are of all entries.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[T]], Sequence[R | BaseException]],
        *,
        limit: int = MAX_ENTRIES,
        fatal: Callable[[BaseException], bool] = lambda _error: False,
    ) -> None:
        self._handle, self._limit, self._fatal = handle, limit, fatal
        self._lock = threading.Lock()
        self._waiting: list[tuple[T, Future[R]]] = []
        self._thread: ThreadPoolExecutor | None = None

    def submit(self, entry: T) -> "Future[R]":
        """Hand over an entry; the future is done once its transaction is, or has failed."""
        done = Future[R]()
        done.set_running_or_notify_cancel()  # so that who waits for it cannot cancel the transaction
        with self._lock:
            self._waiting.append((entry, done))
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "batch")
            self._thread.submit(self._take)
        return done

    def close(self) -> None:
        """Handle what waits, then end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    def _take(self) -> None:
        with self._lock:  # what is left is taken by the calls of the entries submitted later
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
        if not batch:  # it was handled with an earlier one
            return
        try:
            results = self._handle([entry for entry, _ in batch])
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            if len(batch) == 1 or self._fatal(error):
                _settle(batch, [error] * len(batch))
                return
            for entry, done in batch:
                _settle([(entry, done)], self._alone(entry))
        else:
            _settle(batch, results)

    def _alone(self, entry: T) -> Sequence[R | BaseException]:
        try:
            return self._handle([entry])
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            return [error]


def _settle(batch: Sequence[tuple[T, "Future[R]"]], results: Sequence[R | BaseException]) -> None:
    if len(results) != len(batch):  # a fault of the handler; nobody may wait for ever
        results = [RuntimeError(f"{len(results)} results for {len(batch)} entries")] * len(batch)
    for (_, done), result in zip(batch, results, strict=True):
        if isinstance(result, BaseException):
            done.set_exception(result)
        else:
            done.set_result(result)
