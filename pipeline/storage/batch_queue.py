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


class BatchQueue(Generic[T, R]):
    """Collects entries and handles those that wait together; safe from any thread.

    `handle` takes entries in their order, in one transaction, and returns for each its result or its error.
    """

    def __init__(self, handle: Callable[[Sequence[T]], Sequence[R | BaseException]]) -> None:
        self._handle = handle
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
        with self._lock:
            batch, self._waiting = self._waiting, []
        if not batch:  # it was handled with an earlier one
            return
        results = self._results([entry for entry, _ in batch])
        if len(results) != len(batch):  # a fault of `handle`; nobody may wait for ever
            results = [RuntimeError(f"{len(results)} results for {len(batch)} entries")] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            if isinstance(result, BaseException):
                done.set_exception(result)
            else:
                done.set_result(result)

    def _results(self, entries: Sequence[T]) -> Sequence[R | BaseException]:
        """Handle entries; one that cannot be handled fails alone."""
        try:
            return self._handle(entries)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            if len(entries) == 1:
                return [error]
            return [self._results([entry])[0] for entry in entries]
