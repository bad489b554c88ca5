"""A refusal of a model server: its cause, what it holds for, and what identifies it. Pure."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from pipeline.domain.errors import FailureCause as Cause
from pipeline.llm.error_body import ServerError


class Scope(StrEnum):
    """What a refusal holds for."""

    RUN = "run"
    """Every call would fail as well: the run ends, items stay queued."""
    ITEM = "item"
    """This item only: it is not asked again."""
    REQUEST = "request"
    """The request as it is: it may be accepted in another output mode, or without a field."""
    PAUSE = "pause"
    """This moment: the same request may succeed later."""


_SCOPES = {
    Cause.KEY: Scope.RUN,
    Cause.CREDIT: Scope.RUN,
    Cause.MODEL: Scope.RUN,
    Cause.URL: Scope.RUN,
    Cause.CONTEXT: Scope.ITEM,
    Cause.FILTER: Scope.ITEM,
    Cause.OTHER: Scope.ITEM,
    Cause.FORMAT: Scope.REQUEST,
    Cause.OVERLOAD: Scope.PAUSE,
    Cause.OUTAGE: Scope.PAUSE,
}


class Advice(StrEnum):
    """What the user can do, where the cause alone does not say it."""

    STREAM = "stream"
    """The model answers as a stream only."""
    THINKING = "thinking"
    """The model thinks, and does so in a stream only."""


class Refusal(NamedTuple):
    """A row: a refusal of one meaning by the servers of one provider."""

    provider: str
    cause: Cause
    statuses: frozenset[int] = frozenset()
    """Empty: any status."""
    codes: frozenset[str] = frozenset()
    """One of them is in the error, in lower case, as a code, type, status or reason. Empty: any."""
    words: re.Pattern[str] | None = None
    """Found in the message. None: any message."""
    advice: Advice | None = None
    page: bool = False
    """Whether the row is about web pages; other rows never match one."""

    @property
    def scope(self) -> Scope:
        """Return what the refusal holds for."""
        return _SCOPES[self.cause]

    @property
    def by_status(self) -> bool:
        """Tell whether the status alone says so, neither a code nor a word."""
        return not self.codes and self.words is None

    def matches(self, error: ServerError) -> bool:
        """Tell whether a server means this."""
        return (
            error.is_page == self.page
            and (not self.statuses or error.status in self.statuses)
            and (not self.codes or not self.codes.isdisjoint(error.codes))
            and (self.words is None or self.words.search(error.message) is not None)
        )


def row(
    provider: str,
    cause: Cause,
    words: str = "",
    *,
    status: Iterable[int] = (),
    codes: str = "",
    advice: Advice | None = None,
    page: bool = False,
) -> Refusal:
    """Return a row; `codes` are separated by spaces, `words` is a regular expression, case ignored."""
    pattern = re.compile(words, re.IGNORECASE | re.DOTALL) if words else None
    return Refusal(provider, cause, frozenset(status), frozenset(codes.split()), pattern, advice, page)
