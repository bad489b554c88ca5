"""Group commit: what many tasks hand over at the same moment is written by one transaction.

A commit waits for the disk; fifty of them, one after the other, take a second. A thread of its own takes all
that waits, so that an entry waits for at most one transaction before its own, and for no other work's thread.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """Collects entries and writes those that wait together; safe from any thread.

    `write` takes entries in their order, in one transaction, and returns for each None or its error.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[BaseException | None]]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[tuple[T, Future[None]]] = []
        self._thread: ThreadPoolExecutor | None = None

    def submit(self, entry: T) -> "Future[None]":
        """Hand over an entry; the future is done once it is committed, or has failed."""
        done = Future[None]()
        done.set_running_or_notify_cancel()  # so that who waits for it cannot cancel the write
        with self._lock:
            self._waiting.append((entry, done))
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "group-commit")
            self._thread.submit(self._commit)
        return done

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()

    def _commit(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting, []
        if not group:  # it was written with an earlier one
            return
        errors = self._errors([entry for entry, _ in group])
        if len(errors) != len(group):  # a fault of `write`; nobody may wait for ever
            errors = [RuntimeError(f"{len(errors)} results for {len(group)} entries")] * len(group)
        for (_, done), error in zip(group, errors, strict=True):
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

    def _errors(self, entries: Sequence[T]) -> Sequence[BaseException | None]:
        """Write entries; one that cannot be written fails alone."""
        try:
            return self._write(entries)
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            if len(entries) == 1:
                return [error]
            return [self._errors([entry])[0] for entry in entries]
