"""Every error that a user can cause, with its exit code.

CopydeskError                 exit code 1
├── ConfigError               2   wrong setting, feeds.yaml or prompt: the command does not start
├── FeedError                 -   one feed cannot be fetched or read: reported, the run goes on
├── DatabaseError             3   the database cannot be opened, or is newer than the program
│   └── LeaseLost             -   another run has taken over the item
├── LLMError                  -   one model call failed: reported for its item, the run goes on
│   └── LLMRejected           4   key, quota, model or URL rejected, or a long pause asked for: the run ends
├── ShutdownRequested         130 the run was told to end: no new item is started
├── BudgetExceeded            9   a spending cap is reached: the run ends, its other items stay queued
├── RateLimited               -   too many calls in this minute, or at the same time: the call waits
├── OutputError               5   a file cannot be written: disk full, folder read-only
├── ReviewError               6   a review decision cannot be applied
│   ├── EditConflict          6   the draft has changed since the editor opened it
│   └── NotShown              6   sections of the draft were not shown to the editor
└── PublishError              7   an approved article cannot be published: retried later
"""

from enum import StrEnum
from typing import ClassVar

from pipeline.domain.urls import without_userinfo

UNEXPECTED = "unexpected error, please report it"
"""How a message about an error begins that no user can cause."""


class CopydeskError(Exception):
    """An error whose message is one line that names what is wrong and the fix.

    `context` has the same details as attributes, for code and reports.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **context: object) -> None:
        self.message = without_userinfo(message)
        super().__init__(self.message)
        self.context = context


class ConfigError(CopydeskError):
    """A setting is wrong; context: file, line, problems (a tuple with a line for each mistake)."""

    exit_code = 2

    def __init__(self, message: str, **context: object) -> None:
        if isinstance(problems := context.get("problems"), tuple):
            context["problems"] = tuple(without_userinfo(str(problem)) for problem in problems)
        super().__init__(message, **context)


class FeedError(CopydeskError):
    """A feed cannot be fetched or read; context: kind, feed, status."""

    def __init__(self, message: str, *, kind: str, **context: object) -> None:
        super().__init__(message, **context)
        self.kind = kind


class DatabaseError(CopydeskError):
    """The database cannot be used; context: url."""

    exit_code = 3


class LeaseLost(DatabaseError):
    """Another run has taken over the item: this run must not write its result (fencing token)."""


class FailureCause(StrEnum):
    """Why a model call failed."""

    KEY = "key"
    """The server refuses the key, or the key may not use the model."""
    CREDIT = "credit"
    """The account has no money or quota left."""
    MODEL = "model"
    """The model or deployment does not exist, is retired or is not loaded."""
    URL = "url"
    """The base URL is not that of a model server."""
    FORMAT = "format"
    """The server rejects every request mode, or the model's answers do not fit the schema."""
    CONTEXT = "context"
    """The prompt does not fit into the model's context."""
    LENGTH = "length"
    """The answer was cut off at its limit."""
    FILTER = "filter"
    """A content filter or the model itself refuses this item."""
    OVERLOAD = "overload"
    """The server is overloaded or asks for a pause (rate limit)."""
    OUTAGE = "outage"
    """The server cannot be reached, fails or does not answer in time."""
    OTHER = "other"


_RETRIED = frozenset(FailureCause) - {
    FailureCause.CONTEXT,
    FailureCause.LENGTH,
    FailureCause.FILTER,
    FailureCause.OTHER,
}
"""Causes outside the item, after which a later run may succeed, and answers in a wrong form."""


class FailureRow:
    """Failures of a model with no usable answer between them."""

    def __init__(self, *, unproven: bool) -> None:
        self.failures = 0
        self.ended_run = False
        self.unproven = unproven
        """There was no usable answer in this run, neither before nor since."""


class LLMError(CopydeskError):
    """One model call failed; `retry` tells whether a later run may succeed, by default by the cause.

    Context: `answer`, the response that was paid for, where the server sent one.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool | None = None,
        cause: FailureCause = FailureCause.OTHER,
        **context: object,
    ) -> None:
        super().__init__(message, **context)
        self.retry = cause in _RETRIED if retry is None else retry
        self.cause = cause
        self.row: FailureRow | None = None
        """The failures among which it was counted; None for a failure of the item itself."""


class LLMRejected(LLMError):
    """The server rejects every call: wrong key, no quota, unknown model."""

    exit_code = 4

    def __init__(self, message: str, *, cause: FailureCause = FailureCause.OTHER, **context: object) -> None:
        super().__init__(message, retry=True, cause=cause, **context)


class ShutdownRequested(CopydeskError):
    """The run was told to end (SIGINT, SIGTERM)."""

    exit_code = 130


class BudgetExceeded(CopydeskError):
    """A spending cap is reached; context: cap, spent (micros, 1e-6 US dollars)."""

    exit_code = 9


class RateLimited(CopydeskError):
    """A rate limit of calls is reached; context: limit."""


class OutputError(CopydeskError):
    """A file cannot be written; context: path."""

    exit_code = 5


class ReviewError(CopydeskError):
    """A review decision cannot be applied; context: draft."""

    exit_code = 6


class PublishError(CopydeskError):
    """An approved article cannot be published or withdrawn; context: target."""

    exit_code = 7


class EditConflict(ReviewError):
    """The draft has changed since the editor opened it (optimistic concurrency).

    Context: `text` and `sha256` of the current draft; `kept`, the hash of the editor's own text where it is
    stored as a version.
    """


class NotShown(ReviewError):
    """Sections of the draft were not shown to the editor, and no light review was asked for.

    Context: `headings` of these sections; that of title, description, tags and alt text is empty.
    """
