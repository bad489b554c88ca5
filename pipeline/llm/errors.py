"""Names what went wrong with a model request: worth another attempt now, or an error for the item or run."""

import json
import re
from datetime import datetime

import openai

from pipeline.domain.errors import LLMError, LLMRejected
from pipeline.domain.text import one_line
from pipeline.http_client.headers import parse_retry_after
from pipeline.llm.capabilities import REFUSED, RequestMode, mode_after_rejection

RETRYABLE_STATUS = frozenset({408, 409, 429})
"""Statuses beside 5xx after which the same request may succeed."""

_EXHAUSTED = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_NOWHERE = frozenset({404, 405})
_BAD_KEY = "the model server refuses the key"
_WRONG_KEY = re.compile(
    r"\W*(?:(?:your |the )?api[ _-]?key (?:is )?(?:not valid|invalid|expired)"
    r"|(?:invalid|incorrect) api[ _-]?key)",
    re.IGNORECASE,
)
"""How a server's message begins that refuses a key with 400, as Gemini does."""
_NO_PLACE = "the model server has no chat completions under OPENAI_BASE_URL: it usually ends in /v1"
_NO_MODELS = "the server under OPENAI_BASE_URL knows no /models: the URL usually ends in /v1"
_PAGE = "OPENAI_BASE_URL answers with a web page: the URL of a model server usually ends in /v1"
_NO_QUOTA = "the account behind OPENAI_API_KEY has no quota left: top it up or use another key"
_KEYLIKE = re.compile(r"\b(?:sk|pk|key|gsk|xai|AIza)[-_]?[A-Za-z0-9*_.-]{6,}|Bearer\s+\S+", re.I)


class MalformedResponse(Exception):
    """A reply with status 200 that is no chat completion; `code` is what an error inside it says."""

    def __init__(self, reason: str, code: object = None) -> None:
        super().__init__(reason)
        self.code = code


class WebPageError(MalformedResponse):
    """A web page in the place of an answer."""

    def __init__(self) -> None:
        super().__init__("it is a web page")


class EndpointNotFoundError(MalformedResponse):
    """The server says, with status 200, that it does not have what is asked for at this address."""


class TransientError(Exception):
    """One attempt failed in a way that the next may not.

    `wait_s` is what the server asked for; `busy` says that it asks everybody.
    """

    def __init__(self, reason: str, wait_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.busy = busy


class UnsupportedMode(Exception):
    """The server refuses a request, maybe for its form; `trouble` is what it is if no other form helps."""

    def __init__(self, status: int, said: str, trouble: LLMError) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.trouble = trouble


ClassifiedError = TransientError | UnsupportedMode | LLMError


def is_page(text: str) -> bool:
    """Tell whether a body is HTML or XML."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def classify_error(
    error: Exception, *, model: str, key: str | None, now: datetime, met: bool = True
) -> ClassifiedError:
    """Return what an error of the SDK means. `key` is blotted out of everything that is quoted.

    Where no model was `met` at this address yet, a web page means that none is there; later it passes.
    """
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, model, key, now)
    if isinstance(error, openai.APITimeoutError):
        return TransientError("the model server did not answer in time; see COPYDESK_MODEL_TIMEOUT")
    if isinstance(error, openai.APIConnectionError):
        return TransientError("the model server cannot be reached; check OPENAI_BASE_URL")
    if isinstance(error, json.JSONDecodeError):
        return TransientError("the model server's reply is broken: no JSON")
    said = quoted(str(error), key) or "no reason given"
    if isinstance(error, EndpointNotFoundError):
        return LLMRejected(f"{_NO_PLACE} (the server says: {said})")
    if isinstance(error, WebPageError) and not met:
        return LLMRejected(_PAGE)
    if isinstance(error, MalformedResponse) and (refused := _refused_inside(error.code, said)):
        return refused
    return TransientError(f"the model server's reply is broken: {said}")


def no_models(error: Exception, *, model: str, key: str | None, now: datetime) -> LLMError:
    """Return what it means that a server does not list its models."""
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    if status in _NOWHERE and isinstance(error, openai.APIStatusError):
        page = is_page(error.response.text)
        return LLMRejected(f"{_PAGE if page else _NO_MODELS} ({status})", status=status)
    if isinstance(error, EndpointNotFoundError):
        return LLMRejected(f"{_NO_MODELS} (the server says: {quoted(str(error), key)})")
    trouble = classify_error(error, model=model, key=key, now=now, met=False)
    if isinstance(trouble, UnsupportedMode):
        return trouble.trouble
    return LLMError(str(trouble), retry=True) if isinstance(trouble, TransientError) else trouble


def _refused_inside(code: object, said: str) -> LLMError | None:
    """Return the refusal that a gateway sends with status 200, an error object in the place of an answer."""
    if code in {401, 403, "401", "403", "invalid_api_key"}:
        return LLMRejected(f"{_BAD_KEY}: check OPENAI_API_KEY (the server says: {said})")
    if code in {402, "402", *_EXHAUSTED}:
        return LLMRejected(f"{_NO_QUOTA} (the server says: {said})")
    if code in {400, "400"}:
        return LLMError(f"the model server refuses this request: {said}", retry=False)
    return None


def quoted(message: str, key: str | None) -> str:
    """Return a server's words on one line, at most 200 characters, without anything like a key."""
    bare = message.replace(key, "…") if key else message
    return one_line(_KEYLIKE.sub("…", bare[:2000]))[:200]


def _of_status(error: openai.APIStatusError, model: str, key: str | None, now: datetime) -> ClassifiedError:
    status, said = error.status_code, quoted(_said(error), key)
    if _filtered(error):
        return LLMError(f"the server's content filter refuses this source: {said}", retry=False)
    gone = status == 404 and mode_after_rejection(RequestMode(), status, said) is None
    if refused := _refusal(error, said, model, gone=gone):
        return LLMRejected(f"{refused} (the server says: {said})", status=status)
    if status in REFUSED or (status >= 500 and mode_after_rejection(RequestMode(), status, said)):
        trouble = f"the model server refuses this request with {status}: {said}"
        return UnsupportedMode(status, said, LLMError(trouble, retry=False, status=status))
    if status in RETRYABLE_STATUS or status >= 500:
        wait = parse_retry_after(error.response.headers.get("retry-after"), now)
        return TransientError(f"the model server answers {status}: {said}", wait, busy=status == 429)
    return LLMError(
        f"the model server refuses this request with {status}: {said}", retry=False, status=status
    )


def _refusal(error: openai.APIStatusError, said: str, model: str, *, gone: bool) -> str | None:
    """Return what to put right where no request would fare better; None otherwise."""
    status = error.status_code
    wrong = status == 400 and _WRONG_KEY.match(said)
    if wrong or status == 401 or (status == 403 and not _speaks_of_input(error)):
        return f"{_BAD_KEY} ({status}): check OPENAI_API_KEY"
    if status == 402 or _EXHAUSTED & {error.code, error.type}:
        return _NO_QUOTA
    if status == 405 or (gone and not _speaks_of_model(error)):
        return _NO_PLACE
    if gone or (status == 400 and error.param == "model"):
        return f"the model server does not know {model!r}: check COPYDESK_MODEL"
    return None


def _filtered(error: openai.APIStatusError) -> bool:
    """Tell whether a filter in front of the model refused the text, as gateways say with a 400."""
    return error.status_code in {400, 403} and bool(_FILTERED & {error.code, error.type})


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
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):  # as Gemini sends it
        body = body[0].get("error", body[0])
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if body.get(name):
                return str(body[name])
    text = error.response.text
    return f"{text[:300]}" if text.strip() else "nothing"
