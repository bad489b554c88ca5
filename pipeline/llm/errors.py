"""Classifies errors of a model request: transient, unsupported mode, or final for the item or the run."""

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.config import DEFAULT_NAMES, ConnectionNames
from pipeline.domain.errors import FailureCause, LLMError, LLMRejected
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
_NO_ENDPOINT = "the model server has no chat completions under {url}: it usually ends in /v1"
_NO_MODELS = "the server under {url} knows no /models: the URL usually ends in /v1"
_WEB_PAGE = "{url} answers with a web page: the URL of a model server usually ends in /v1"
_NO_QUOTA = "the account behind {key} has no quota left: top it up or use another key"
Secrets = str | tuple[str, ...] | None
"""What no message may show: the key, or all secrets of a connection."""
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
        self.cause = FailureCause.OVERLOAD if busy else FailureCause.OUTAGE


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
    error: Exception,
    *,
    model: str,
    key: Secrets,
    now: datetime,
    reached_before: bool = True,
    names: ConnectionNames = DEFAULT_NAMES,
) -> ClassifiedError:
    """Return what an error of the SDK means; `key` is removed from every quotation.

    `names` are the settings that the message tells the user to change.

    A web page means a wrong URL until a model answered there (`reached_before`); later it is transient.
    """
    import openai  # a quarter of a second, which a run without a model saves

    if isinstance(error, openai.APIStatusError):
        return _classify_status(error, model, key, now, names)
    if isinstance(error, openai.APITimeoutError):
        return TransientError(f"the model server did not answer in time; see {names.timeout}")
    if isinstance(error, openai.APIConnectionError):
        return TransientError(f"the model server cannot be reached; check {names.url}")
    if isinstance(error, json.JSONDecodeError):
        return TransientError("the model server's reply is broken: no JSON")
    message = quoted(str(error), key) or "no reason given"
    if isinstance(error, EndpointNotFoundError):
        return LLMRejected(f"{names.fill(_NO_ENDPOINT)} (the server says: {message})", cause=FailureCause.URL)
    if isinstance(error, WebPageError) and not reached_before:
        return LLMRejected(names.fill(_WEB_PAGE), cause=FailureCause.URL)
    if isinstance(error, MalformedResponse) and (
        rejection := _rejection_in_reply(error.code, message, names)
    ):
        return rejection
    return TransientError(f"the model server's reply is broken: {message}")


def classify_listing_error(
    error: Exception, *, model: str, key: Secrets, now: datetime, names: ConnectionNames = DEFAULT_NAMES
) -> LLMError:
    """Return the error of a server that does not list its models."""
    import openai

    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    if status in _NO_ENDPOINT_STATUS and isinstance(error, openai.APIStatusError):
        page = is_page(error.response.text)
        reason = names.fill(_WEB_PAGE if page else _NO_MODELS)
        return LLMRejected(f"{reason} ({status})", status=status, cause=FailureCause.URL)
    if isinstance(error, EndpointNotFoundError):
        reason = names.fill(_NO_MODELS)
        return LLMRejected(f"{reason} (the server says: {quoted(str(error), key)})", cause=FailureCause.URL)
    result = classify_error(error, model=model, key=key, now=now, reached_before=False, names=names)
    if isinstance(result, UnsupportedMode):
        return result.error
    return LLMError(str(result), retry=True) if isinstance(result, TransientError) else result


def _rejection_in_reply(code: object, message: str, names: ConnectionNames) -> LLMError | None:
    """Return the error for a gateway's error object with status 200; None if another attempt may help."""
    if code in {401, 403, "401", "403", "invalid_api_key"}:
        reason = f"{_KEY_REJECTED}: check {names.key}"
        return LLMRejected(f"{reason} (the server says: {message})", cause=FailureCause.KEY)
    if code in {402, "402", *_QUOTA_CODES}:
        return LLMRejected(f"{names.fill(_NO_QUOTA)} (the server says: {message})", cause=FailureCause.CREDIT)
    if code in {400, "400"}:
        return LLMError(f"the model server refuses this request: {message}", retry=False)
    return None


def quoted(message: str, key: Secrets) -> str:
    """Return a server's message on one line, at most 200 characters, without text that looks like a key."""
    for secret in (key,) if isinstance(key, str) else key or ():
        message = message.replace(secret, "…") if secret else message
    return one_line(_SECRET.sub("…", message[:2000]))[:200]


def _classify_status(
    error: "openai.APIStatusError", model: str, key: Secrets, now: datetime, names: ConnectionNames
) -> ClassifiedError:
    status, message = error.status_code, quoted(_server_message(error), key)
    if _is_content_filter(error):
        reason = f"the server's content filter refuses this source: {message}"
        return LLMError(reason, retry=False, cause=FailureCause.FILTER)
    not_found = status == 404 and mode_after_rejection(RequestMode(), status, message) is None
    if rejection := _rejection_reason(error, message, model, names, not_found=not_found):
        reason, cause = rejection
        return LLMRejected(f"{reason} (the server says: {message})", status=status, cause=cause)
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
    error: "openai.APIStatusError", message: str, model: str, names: ConnectionNames, *, not_found: bool
) -> tuple[str, FailureCause] | None:
    """Return what is wrong and what to do, and the cause, if every request would fail so; else None."""
    status = error.status_code
    key_rejected = status == 400 and _KEY_REJECTED_WITH_400.match(message)
    if key_rejected or status == 401 or (status == 403 and not _is_about_input(error)):
        return f"{_KEY_REJECTED} ({status}): check {names.key}", FailureCause.KEY
    if status == 402 or _QUOTA_CODES & {error.code, error.type}:
        return names.fill(_NO_QUOTA), FailureCause.CREDIT
    if status == 405 or (not_found and not _is_about_model(error)):
        return names.fill(_NO_ENDPOINT), FailureCause.URL
    if not_found or (status == 400 and error.param == "model"):
        return f"the model server does not know {model!r}: check {names.model}", FailureCause.MODEL
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
