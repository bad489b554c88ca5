"""Classifies errors of a model request: transient, unsupported mode, or final for the item or the run."""

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.domain.errors import LLMError, LLMRejected
from pipeline.domain.text import one_line
from pipeline.http_client.headers import parse_retry_after
from pipeline.llm.capabilities import MODE_REJECTION_STATUS, RequestMode, mode_after_rejection

if TYPE_CHECKING:
    import openai

RETRYABLE_STATUS = frozenset({408, 409, 429})
"""Statuses besides 5xx after which the same request may succeed. Source: the retries of OpenAI's SDK."""

_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_NO_ENDPOINT_STATUS = frozenset({404, 405})
_KEY_REJECTED = "the model server refuses the key"
_KEY_REJECTED_WITH_400 = re.compile(
    r"\W*(?:(?:your |the )?api[ _-]?key (?:is )?(?:not valid|invalid|expired)"
    r"|(?:invalid|incorrect) api[ _-]?key)",
    re.IGNORECASE,
)
"""Start of the message of a server, such as Gemini, that rejects a key with status 400."""
_NO_ENDPOINT = "the model server has no chat completions under OPENAI_BASE_URL: it usually ends in /v1"
_NO_MODELS = "the server under OPENAI_BASE_URL knows no /models: the URL usually ends in /v1"
_WEB_PAGE = "OPENAI_BASE_URL answers with a web page: the URL of a model server usually ends in /v1"
_NO_QUOTA = "the account behind OPENAI_API_KEY has no quota left: top it up or use another key"
_SECRET = re.compile(r"\b(?:sk|pk|key|gsk|xai|AIza)[-_]?[A-Za-z0-9*_.-]{6,}|Bearer\s+\S+", re.I)


class MalformedResponse(Exception):
    """A response with status 200 that is not a chat completion; `code` is that of an error inside it."""

    def __init__(self, reason: str, code: object = None) -> None:
        super().__init__(reason)
        self.code = code


class WebPageError(MalformedResponse):
    """A web page instead of a chat completion."""

    def __init__(self) -> None:
        super().__init__("it is a web page")


class EndpointNotFoundError(MalformedResponse):
    """The server says, with status 200, that the URL is not one of its endpoints."""


class TransientError(Exception):
    """A failure that another attempt may not have.

    `wait_s` is the server's Retry-After in seconds; `busy` says that it holds for every request (status 429).
    """

    def __init__(self, reason: str, wait_s: float | None = None, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        self.busy = busy


class AnswerTimeout(Exception):
    """The server took a request and did not answer in time: it may still be generating, and bill it."""


class UnsupportedMode(Exception):
    """The server rejects a request, perhaps for its mode; `error` is raised if no other mode helps."""

    def __init__(self, status: int, message: str, error: LLMError) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error


ClassifiedError = TransientError | UnsupportedMode | LLMError


def is_page(text: str) -> bool:
    """Tell whether a body is HTML or XML."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def classify_error(
    error: Exception, *, model: str, key: str | None, now: datetime, reached_before: bool = True
) -> ClassifiedError:
    """Return what an error of the SDK means; `key` is removed from every quotation.

    A web page means a wrong URL until a model answered there (`reached_before`); later it is transient.
    """
    import openai  # a quarter of a second, which a run without a model saves

    if isinstance(error, openai.APIStatusError):
        return _classify_status(error, model, key, now)
    if isinstance(error, openai.APITimeoutError):
        return TransientError("the model server did not answer in time; see COPYDESK_MODEL_TIMEOUT")
    if isinstance(error, openai.APIConnectionError):
        return TransientError("the model server cannot be reached; check OPENAI_BASE_URL")
    if isinstance(error, json.JSONDecodeError):
        return TransientError("the model server's reply is broken: no JSON")
    message = quoted(str(error), key) or "no reason given"
    if isinstance(error, EndpointNotFoundError):
        return LLMRejected(f"{_NO_ENDPOINT} (the server says: {message})")
    if isinstance(error, WebPageError) and not reached_before:
        return LLMRejected(_WEB_PAGE)
    if isinstance(error, MalformedResponse) and (rejection := _rejection_in_reply(error.code, message)):
        return rejection
    return TransientError(f"the model server's reply is broken: {message}")


def classify_listing_error(error: Exception, *, model: str, key: str | None, now: datetime) -> LLMError:
    """Return the error of a server that does not list its models."""
    import openai

    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    if status in _NO_ENDPOINT_STATUS and isinstance(error, openai.APIStatusError):
        page = is_page(error.response.text)
        return LLMRejected(f"{_WEB_PAGE if page else _NO_MODELS} ({status})", status=status)
    if isinstance(error, EndpointNotFoundError):
        return LLMRejected(f"{_NO_MODELS} (the server says: {quoted(str(error), key)})")
    result = classify_error(error, model=model, key=key, now=now, reached_before=False)
    if isinstance(result, UnsupportedMode):
        return result.error
    return LLMError(str(result), retry=True) if isinstance(result, TransientError) else result


def _rejection_in_reply(code: object, message: str) -> LLMError | None:
    """Return the error for a gateway's error object with status 200; None if another attempt may help."""
    if code in {401, 403, "401", "403", "invalid_api_key"}:
        return LLMRejected(f"{_KEY_REJECTED}: check OPENAI_API_KEY (the server says: {message})")
    if code in {402, "402", *_QUOTA_CODES}:
        return LLMRejected(f"{_NO_QUOTA} (the server says: {message})")
    if code in {400, "400"}:
        return LLMError(f"the model server refuses this request: {message}", retry=False)
    return None


def quoted(message: str, key: str | None) -> str:
    """Return a server's message on one line, at most 200 characters, without text that looks like a key."""
    redacted = message.replace(key, "…") if key else message
    return one_line(_SECRET.sub("…", redacted[:2000]))[:200]


def _classify_status(
    error: "openai.APIStatusError", model: str, key: str | None, now: datetime
) -> ClassifiedError:
    status, message = error.status_code, quoted(_server_message(error), key)
    if _is_content_filter(error):
        return LLMError(f"the server's content filter refuses this source: {message}", retry=False)
    not_found = status == 404 and mode_after_rejection(RequestMode(), status, message) is None
    if rejection := _rejection_reason(error, message, model, not_found=not_found):
        return LLMRejected(f"{rejection} (the server says: {message})", status=status)
    if status in MODE_REJECTION_STATUS or (
        status >= 500 and mode_after_rejection(RequestMode(), status, message)
    ):
        reason = f"the model server refuses this request with {status}: {message}"
        return UnsupportedMode(status, message, LLMError(reason, retry=False, status=status))
    if status in RETRYABLE_STATUS or status >= 500:
        wait_s = parse_retry_after(error.response.headers.get("retry-after"), now)
        return TransientError(f"the model server answers {status}: {message}", wait_s, busy=status == 429)
    return LLMError(
        f"the model server refuses this request with {status}: {message}", retry=False, status=status
    )


def _rejection_reason(
    error: "openai.APIStatusError", message: str, model: str, *, not_found: bool
) -> str | None:
    """Return what is wrong and what to do if every request would fail in the same way; else None."""
    status = error.status_code
    key_rejected = status == 400 and _KEY_REJECTED_WITH_400.match(message)
    if key_rejected or status == 401 or (status == 403 and not _is_about_input(error)):
        return f"{_KEY_REJECTED} ({status}): check OPENAI_API_KEY"
    if status == 402 or _QUOTA_CODES & {error.code, error.type}:
        return _NO_QUOTA
    if status == 405 or (not_found and not _is_about_model(error)):
        return _NO_ENDPOINT
    if not_found or (status == 400 and error.param == "model"):
        return f"the model server does not know {model!r}: check COPYDESK_MODEL"
    return None


def _is_content_filter(error: "openai.APIStatusError") -> bool:
    """Tell whether a content filter before the model rejected the text; gateways answer 400 then."""
    return error.status_code in {400, 403} and bool(_FILTER_CODES & {error.code, error.type})


def _is_about_input(error: "openai.APIStatusError") -> bool:
    """Tell whether a 403 is about this item's text: the answer of a moderation service before a model."""
    body = json.dumps(error.body, default=str).lower()
    return any(phrase in body for phrase in ("moderation", "flagged", "content_policy", "content policy"))


def _is_about_model(error: "openai.APIStatusError") -> bool:
    return error.code == "model_not_found" or (
        isinstance(error.body, dict) and "model" in _server_message(error).lower()
    )


def _server_message(error: "openai.APIStatusError") -> str:
    """Return the server's own message, without what the SDK adds."""
    body = error.body
    if isinstance(body, list) and len(body) == 1 and isinstance(body[0], dict):  # Gemini's form
        body = body[0].get("error", body[0])
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if body.get(name):
                return str(body[name])
    text = error.response.text
    return f"{text[:300]}" if text.strip() else "nothing"
