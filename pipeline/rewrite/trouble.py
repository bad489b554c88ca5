"""Names what went wrong with a model request: worth another attempt now, or an error for the item or run."""

import json
import re
from datetime import datetime

import openai

from pipeline.errors import ModelError, ModelRefused
from pipeline.httptime import retry_after
from pipeline.rewrite.text import one_line

AGAIN = frozenset({408, 409, 429})
"""Statuses beside 5xx after which the same request may succeed."""

_EXHAUSTED = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_KEYLIKE = re.compile(r"\b(?:sk|pk|key|gsk|xai|AIza)[-_]?[A-Za-z0-9*_.-]{6,}|Bearer\s+\S+", re.I)


class BrokenReplyError(Exception):
    """A reply with status 200 that is no chat completion."""


class UnansweredError(Exception):
    """One attempt failed in a way that the next may not; `wait_s` is what the server asked for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def name_trouble(
    error: Exception, *, model: str, key: str | None, now: datetime
) -> UnansweredError | ModelError:
    """Return what an error of the SDK means. `key` is blotted out of everything that is quoted."""
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, key, now)
    if isinstance(error, openai.APITimeoutError):
        return UnansweredError("the model server did not answer in time; see COPYDESK_MODEL_TIMEOUT")
    if isinstance(error, openai.APIConnectionError):
        return UnansweredError("the model server cannot be reached; check OPENAI_BASE_URL")
    if isinstance(error, json.JSONDecodeError):
        return UnansweredError("the model server's reply is broken: no JSON")
    return UnansweredError(
        f"the model server's reply is broken: {quoted(str(error), key) or 'no reason given'}"
    )


def quoted(message: str, key: str | None) -> str:
    """Return a server's words on one line, at most 200 characters, without anything like a key."""
    bare = message.replace(key, "…") if key else message
    return one_line(_KEYLIKE.sub("…", bare[:2000]))[:200]


def _of_status(
    error: openai.APIStatusError, model: str, key: str | None, now: datetime
) -> UnansweredError | ModelError:
    status, said = error.status_code, quoted(_said(error), key)
    refused = _refusal(error, status, model)
    if refused:
        return ModelRefused(f"{refused} (the server says: {said})", status=status)
    if status in AGAIN or status >= 500:
        wait = retry_after(error.response.headers.get("retry-after"), now)
        return UnansweredError(f"the model server answers {status}: {said}", wait)
    return ModelError(
        f"the model server refuses this request with {status}: {said}", retry=False, status=status
    )


def _refusal(error: openai.APIStatusError, status: int, model: str) -> str | None:
    """Return what to put right where no request would fare better; None otherwise."""
    if status == 401 or (status == 403 and not _speaks_of_input(error)):
        return f"the model server refuses the key ({status}): check OPENAI_API_KEY"
    if status == 402 or _EXHAUSTED & {error.code, error.type}:
        return "the account behind OPENAI_API_KEY has no quota left: top it up or use another key"
    if status == 404 and not _speaks_of_model(error):
        return "the model server has no chat completions under OPENAI_BASE_URL: it usually ends in /v1"
    if status == 404 or (status == 400 and error.param == "model"):
        return f"the model server does not know {model!r}: check COPYDESK_MODEL"
    return None


def _speaks_of_input(error: openai.APIStatusError) -> bool:
    """Tell whether a 403 is about this item's text, as moderation in front of a model answers."""
    told = json.dumps(error.body, default=str).lower()
    return any(word in told for word in ("moderation", "flagged", "content_policy", "content policy"))


def _speaks_of_model(error: openai.APIStatusError) -> bool:
    return error.code == "model_not_found" or (
        isinstance(error.body, dict) and "model" in _said(error).lower()
    )


def _said(error: openai.APIStatusError) -> str:
    """Return the server's own message, without the SDK's words around it."""
    body = error.body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if body.get(name):
                return str(body[name])
    text = error.response.text
    return f"{text[:300]}" if text.strip() else "nothing"
