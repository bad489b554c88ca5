"""What a refusal is called in messages, with the variable that the user changes. Pure."""

import re
from typing import NamedTuple

from pipeline.config import DEFAULT_NAMES, ConnectionNames
from pipeline.domain.errors import FailureCause
from pipeline.domain.text import one_line
from pipeline.llm.error_body import ServerError
from pipeline.llm.refusal import Advice, Refusal

_SECRET = re.compile(r"\b(?:sk|pk|key|gsk|xai|AIza)[-_]?[A-Za-z0-9*_.-]{6,}|Bearer\s+\S+", re.I)


class RequestDetails(NamedTuple):
    """A request, as far as the meaning of its error depends on it."""

    model: str
    secrets: tuple[str, ...] = ()
    """Removed from every quotation."""
    max_tokens: int | None = None
    """Tokens that the answer may take; None: the request names no limit."""
    reached_before: bool = False
    """Whether a model has answered under the URL."""
    names: ConnectionNames = DEFAULT_NAMES
    """What messages call the settings to change."""


def quoted(message: str, secrets: tuple[str, ...] = ()) -> str:
    """Return a server's message on one line, at most 200 characters, without what is or looks like a key."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):  # one may be part of another
        message = message.replace(secret, "…")
    return one_line(_SECRET.sub("…", message[:2000]))[:200]


def run_message(refusal: Refusal, error: ServerError, details: RequestDetails) -> str:
    """Return why every request fails and what to change."""
    return f"{_advice(refusal, error, details)}{_source(error, details)}"


def item_message(refusal: Refusal, error: ServerError, details: RequestDetails) -> str:
    """Return why this request is refused."""
    if refusal.cause is FailureCause.CONTEXT:
        doing = "use a model with a larger one"
        return f"prompt and source do not fit into the model's context{_source(error, details)}; {doing}"
    shown = quoted(error.message, details.secrets) or "nothing"
    if refusal.cause is FailureCause.FILTER:
        return f"the server's content filter refuses this source: {shown}"
    return f"the model server refuses this request{_with_status(error)}: {shown}"


def listing_message(refusal: Refusal, error: ServerError, details: RequestDetails) -> str | None:
    """Return why a server that lists no models is none; None where its error says something else."""
    unknown = error.status < 400 and refusal.by_status
    if error.is_page or not (unknown or refusal.cause is FailureCause.URL):
        return None
    message = f"the server under {details.names.url} knows no /models: the URL usually ends in /v1"
    return f"{message}{_source(error, details)}"


def _advice(refusal: Refusal, error: ServerError, details: RequestDetails) -> str:
    names = details.names
    if refusal.advice is Advice.STREAM:
        streams = f"the model server gives the answers of {details.model!r} as a stream only"
        return f"{streams}, which Copydesk does not read: choose another model in {names.model}"
    if refusal.advice is Advice.THINKING:
        thinks = f"{details.model!r} thinks, and the model server then gives its answers as a stream only"
        return f'{thinks}: set {names.extra}={{"enable_thinking": false}}, or choose another in {names.model}'
    if error.is_page and refusal.cause is FailureCause.URL:
        return f"{names.url} answers with a web page: the URL of a model server usually ends in /v1"
    return {
        FailureCause.KEY: f"the model server refuses the key: check {names.key}",
        FailureCause.CREDIT: f"the account has no quota left: top it up, or set another key in {names.key}",
        FailureCause.MODEL: f"the model server does not have {details.model!r}: check {names.model}",
    }.get(
        refusal.cause,
        f"the model server has no chat completions under {names.url}: it usually ends in /v1",
    )


def _source(error: ServerError, details: RequestDetails) -> str:
    """Return the status and the server's words, in parentheses."""
    status = "" if error.status == 200 else str(error.status)
    shown = quoted(error.message, details.secrets)
    words = f"the {'page' if error.is_page else 'server'} says: {shown}" if shown else ""
    both = ", ".join(part for part in (status, words) if part)
    return f" ({both})" if both else ""


def _with_status(error: ServerError) -> str:
    return "" if error.status == 200 else f" with {error.status}"
