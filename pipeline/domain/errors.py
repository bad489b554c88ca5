"""Every error a user can cause, with words that say what to do.

CopydeskError                 exit code 1
├── ConfigError               2   a wrong setting, feeds.yaml or prompt: nothing starts
├── FeedError                 -   one feed's trouble: an outcome of the run, never its end
├── DatabaseError             3   the ledger cannot be opened or is newer than the program
│   └── LeaseLost          -   another run has taken over the item
├── ModelError                -   one call's trouble: an outcome of its item
│   └── ModelRefused          4   key, quota or request refused: no other item would fare better
├── Interrupted               130 somebody ended the run: nothing new is begun
├── BudgetSpent               0   a cap on spending is reached: the run ends, what waits stays queued
├── LimitReached              -   other calls come first: this one waits for its turn
├── OutputError               5   a draft cannot be written: disk full, folder read-only
├── ReviewError               6   a verdict that cannot be carried out
└── PublishError              7   an approved article that cannot be published: tried again later
"""

from typing import ClassVar


class CopydeskError(Exception):
    """An error whose message is one line, naming the culprit and the fix.

    Context is kept as attributes, never only inside the message.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class ConfigError(CopydeskError):
    """A setting is wrong; context: file, line."""

    exit_code = 2


class FeedError(CopydeskError):
    """A feed cannot be fetched or read; context: kind, feed, status."""

    def __init__(self, message: str, *, kind: str, **context: object) -> None:
        super().__init__(message, **context)
        self.kind = kind


class DatabaseError(CopydeskError):
    """The ledger cannot be used; context: url."""

    exit_code = 3


class LeaseLost(DatabaseError):
    """Another run has taken over the item: whatever this one found is not to be written."""


class LLMError(CopydeskError):
    """One call came to nothing; `retry` says whether a later run may fare better.

    Context: `answer`, what was paid for all the same, where the server sent one.
    """

    def __init__(self, message: str, *, retry: bool, **context: object) -> None:
        super().__init__(message, **context)
        self.retry = retry


class LLMRejected(LLMError):
    """The server refuses every call: wrong key, no quota, unknown model."""

    exit_code = 4

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message, retry=True, **context)


class ShutdownRequested(CopydeskError):
    """Somebody told the run to end."""

    exit_code = 130


class BudgetExceeded(CopydeskError):
    """Nothing more may be spent; context: cap, spent (millionths of a US dollar)."""

    exit_code = 0


class RateLimited(CopydeskError):
    """Other calls come first; context: limit."""


class OutputError(CopydeskError):
    """A file cannot be written; context: path."""

    exit_code = 5


class ReviewError(CopydeskError):
    """A verdict cannot be carried out; context: draft."""

    exit_code = 6


class PublishError(CopydeskError):
    """An approved article cannot be published, or not be taken down; context: target."""

    exit_code = 7


class EditConflict(ReviewError):
    """Another text stands than the one that an editor saw; context: text, sha256, of what stands.

    `kept` is the hash of the editor's own text, where it is a version already.
    """
