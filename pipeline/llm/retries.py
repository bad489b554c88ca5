"""When the same request is sent to a model server again: attempts, backoff, the server's own waits."""

from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_exponential_jitter,
    wait_random,
)

from pipeline.llm.deadline import Deadline
from pipeline.llm.errors import TransientError

MAX_ATTEMPTS = 8
"""Attempts at one request. Chosen, not measured, as are the backoff and jitter below (seconds)."""
UNEXPLAINED_ATTEMPTS = 2
"""Attempts at a request that the server may fail at for its output mode. Chosen, not measured."""
_backoff = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)
_jitter = wait_random(0.0, 0.5)


def retrying(
    deadline: Deadline,
    sleep: Callable[[float], Awaitable[None]],
    mode_may_fail: Callable[[TransientError], bool],
) -> AsyncRetrying:
    """Return the retries of one request before its item's deadline; coroutines must not share it.

    `mode_may_fail` tells whether a failure may lie in the output mode: then fewer attempts end in it. The
    last failure is raised.
    """
    failures_of_mode = 0

    def stop(state: RetryCallState) -> bool:
        nonlocal failures_of_mode
        deadline.last_failure = error = _failure(state)
        failures_of_mode += error is not None and mode_may_fail(error)
        is_over = failures_of_mode >= UNEXPLAINED_ATTEMPTS or state.attempt_number >= MAX_ATTEMPTS
        return is_over or state.upcoming_sleep >= deadline.left_s()

    return AsyncRetrying(
        sleep=sleep,
        stop=stop,
        wait=_seconds_to_wait,
        retry=retry_if_exception_type(TransientError),
        reraise=True,
    )


def _failure(state: RetryCallState) -> TransientError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, TransientError) else None


def _seconds_to_wait(state: RetryCallState) -> float:
    """Return the seconds before the next attempt: what the server asks for, or exponential backoff."""
    error = _failure(state)
    if error is None or error.wait_s is None:
        return _backoff(state)
    # A server that asks for no or a short wait time after time is not asked more often than any other.
    minimum = 0.0 if state.attempt_number == 1 else _backoff(state)
    return max(error.wait_s + _jitter(state), minimum)
