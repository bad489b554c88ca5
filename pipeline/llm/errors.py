"""Turns errors of a model request into what follows: another try, another request, the end of item or run."""

import json
from collections.abc import Mapping
from datetime import datetime

from pipeline.domain.errors import FailureCause, LLMError, LLMRejected
from pipeline.llm.answer_limit import AnswerLimit, answer_limit
from pipeline.llm.error_body import ServerError, body_start, is_page, read_error
from pipeline.llm.refusal import Refusal, Scope
from pipeline.llm.refusal_messages import RequestDetails, item_message, listing_message, quoted, run_message
from pipeline.llm.refusals import understand
from pipeline.llm.usage import UNTOLD, BilledTokens
from pipeline.llm.waits import requested_wait

_NO_ENDPOINT_STATUS = frozenset({404, 405})
_UNEXPLAINED_STATUS = frozenset({500, 501})
_TAKEN_STATUS = frozenset({408, 504, 524})
"""Of a gateway that waited in vain for the answer of the server behind it, which may go on generating."""


class MalformedResponse(Exception):
    """A response with status 200 that is not a chat completion; `body` is what the server sent instead.

    `billed`: what `read_usage` made of it where an answer was generated; None: there is no sign of one.
    """

    def __init__(self, reason: str, body: object = None, billed: BilledTokens | None = None) -> None:
        super().__init__(reason)
        self.body = body
        self.billed = billed


class TransientError(Exception):
    """A failure that another attempt may not have.

    `wait_s` is the pause in seconds that the server asks for; that of an OVERLOAD holds for every request.
    `unexplained`: the server failed without a reason, which may be the request's output mode.
    """

    def __init__(
        self,
        reason: str,
        cause: FailureCause = FailureCause.OUTAGE,
        *,
        wait_s: float | None = None,
        unexplained: bool = False,
    ) -> None:
        super().__init__(reason)
        self.cause = cause
        self.wait_s = wait_s
        self.unexplained = unexplained


class LostAnswer(Exception):
    """The server took a request, and its answer cannot be had or read: it may bill it all the same.

    `billed`: the usage that it told, as from `read_usage`. `is_running`: it may still be generating.
    """

    def __init__(self, reason: str, billed: BilledTokens = UNTOLD, *, is_running: bool = False) -> None:
        super().__init__(reason)
        self.billed = billed
        self.is_running = is_running


class UnsupportedMode(Exception):
    """The server rejects a request as it is; `error` is raised if no other request helps.

    `answer_limit`: the request may be accepted with so many tokens for the answer.
    """

    def __init__(self, message: str, error: LLMError, answer_limit: AnswerLimit | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.answer_limit = answer_limit


ClassifiedError = TransientError | LostAnswer | UnsupportedMode | LLMError


def classify_error(error: Exception, details: RequestDetails, now: datetime) -> ClassifiedError:
    """Return what an error of the SDK means; `now` is aware."""
    import openai  # a quarter of a second, which a run without a model saves

    if isinstance(error, openai.APIStatusError):
        reply = read_error(error.status_code, error.response.text)
        result = _by_refusal(reply, error.response.headers, details, now)
        is_taken = error.status_code in _TAKEN_STATUS
        return _if_billed(result, UNTOLD if is_taken else None, is_running=is_taken)
    if isinstance(error, MalformedResponse):
        return _if_billed(_by_refusal(_error_in_reply(error), {}, details, now), error.billed)
    if isinstance(error, openai.APITimeoutError):
        return TransientError(f"the model server did not answer in time; see {details.names.timeout}")
    if isinstance(error, openai.APIConnectionError):
        return TransientError(f"the model server cannot be reached; check {details.names.url}")
    if isinstance(error, RecursionError):
        return LostAnswer("the model server's reply is broken: it is nested too deeply")
    if isinstance(error, json.JSONDecodeError) and body_start(error.doc).startswith("{"):
        return LostAnswer("the model server's reply is broken: it is cut off")
    reason = "no JSON" if isinstance(error, json.JSONDecodeError) else quoted(str(error), details.secrets)
    return TransientError(f"the model server's reply is broken: {reason or 'no reason given'}")


def _if_billed(
    result: ClassifiedError, billed: BilledTokens | None, *, is_running: bool = False
) -> ClassifiedError:
    """Return a failure that may pass as a lost answer where one was generated."""
    if billed is None or not isinstance(result, TransientError):
        return result
    return LostAnswer(str(result), billed, is_running=is_running)


def classify_listing_error(error: Exception, details: RequestDetails, now: datetime) -> LLMError:
    """Return the error of a server that does not list its models."""
    import openai

    reply = None
    if isinstance(error, openai.APIStatusError):
        reply = read_error(error.status_code, error.response.text)
    elif isinstance(error, MalformedResponse):
        reply = _error_in_reply(error)
    if reply and (message := listing_message(understand(reply), reply, details)):
        return LLMRejected(message, cause=FailureCause.URL)
    result = classify_error(error, details, now)
    if isinstance(result, UnsupportedMode):
        return result.error
    if isinstance(result, LLMError):
        return result
    cause = result.cause if isinstance(result, TransientError) else FailureCause.OUTAGE
    return LLMError(str(result), cause=cause)


def _error_in_reply(error: MalformedResponse) -> ServerError:
    """Return the error in a reply with status 200. Other text may be an answer: its words are not read."""
    is_answer = isinstance(error.body, str) and not error.body.lstrip().startswith("{")
    reply = read_error(200, None if is_answer and not is_page(str(error.body)) else error.body)
    return reply if reply.message else reply._replace(message=str(error))


def _by_refusal(
    reply: ServerError, headers: Mapping[str, str], details: RequestDetails, now: datetime
) -> ClassifiedError:
    """Return what the table of refusals says about a server's error."""
    refusal = understand(reply)
    if reply.is_page and refusal.cause is FailureCause.URL and _passes(reply, details):
        return TransientError("the model server's reply is broken: it is a web page")
    status = None if reply.status == 200 else reply.status
    if refusal.scope is Scope.RUN:
        return LLMRejected(run_message(refusal, reply, details), cause=refusal.cause, status=status)
    if refusal.scope is Scope.PAUSE:
        return _transient(refusal, reply, headers, details, now)
    final = LLMError(item_message(refusal, reply, details), cause=refusal.cause, status=status)
    in_size = refusal.cause in {FailureCause.FORMAT, FailureCause.CONTEXT}
    limit = answer_limit(reply.message, details.max_tokens) if in_size else None
    if limit or refusal.scope is Scope.REQUEST:
        return UnsupportedMode(reply.message, final, limit)
    return final


def _passes(page: ServerError, details: RequestDetails) -> bool:
    """Tell whether a web page is a failure that passes: a model has answered under the URL before."""
    return details.reached_before and page.status not in _NO_ENDPOINT_STATUS


def _transient(
    refusal: Refusal,
    reply: ServerError,
    headers: Mapping[str, str],
    details: RequestDetails,
    now: datetime,
) -> TransientError:
    shown = quoted(reply.message, details.secrets) or "nothing"
    answers = "'s reply is broken" if reply.status == 200 else f" answers {reply.status}"
    return TransientError(
        f"the model server{answers}: {shown}",
        refusal.cause,
        wait_s=requested_wait(headers, reply, now),
        unexplained=refusal.by_status and reply.status in _UNEXPLAINED_STATUS,
    )
