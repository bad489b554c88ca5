"""The client of any OpenAI-compatible server: retries with backoff, rate limits (429), deadline per item.

It uses the official SDK with the SDK's own retries turned off. It sends requests as they are: what to ask,
and whether an answer is usable, is decided in `structured_output`.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import openai

from pipeline.config import DEFAULT_NAMES, OPENAI_URL, ConnectionNames, ModelConnection
from pipeline.config.time_syntax import timezone_of
from pipeline.domain.errors import FailureCause, LLMError, LLMRejected, ShutdownRequested
from pipeline.llm.breaker import Breaker
from pipeline.llm.capabilities import LENGTH_FIELDS, KnownCapability, RequestMode, cached_mode, profile_of
from pipeline.llm.chat import LEAST_LIMIT, ChatResponse, ModelOptions, read_models, read_reply
from pipeline.llm.cooldown import Cooldown
from pipeline.llm.deadline import Deadline
from pipeline.llm.error_body import is_page
from pipeline.llm.errors import (
    LostAnswer,
    MalformedResponse,
    TransientError,
    UnsupportedMode,
    classify_error,
    classify_listing_error,
)
from pipeline.llm.refusal_messages import RequestDetails
from pipeline.llm.replies import is_event_stream
from pipeline.llm.retries import retrying
from pipeline.llm.sdk import as_unreached, is_broken_off, is_late, omitted_headers, open_sdk

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion


UNREADABLE = (
    openai.OpenAIError,
    MalformedResponse,
    ValueError,
    AttributeError,
    TypeError,
    RecursionError,
)
"""What the SDK and our own readers raise for a response that is an error, or is not what it should be."""

_PROBE_S = 10.0
"""Seconds for the answer to a request without messages. Chosen, not measured."""

SaveCapability = Callable[[KnownCapability], Awaitable[None]]
"""Stores the request mode that the server and model accept."""


async def discard_capability(_capability: KnownCapability) -> None:
    """Store nothing beyond this run."""


def never() -> bool:
    """Return False: the run is not stopped."""
    return False


@dataclass(frozen=True)
class ClientConfig:
    """A model server, and the limits of requests to it."""

    base_url: str = OPENAI_URL
    api_key: str | None = None
    profile: str | None = None
    """Name of a profile in `capabilities.PROFILES`; None: the one that matches the URL."""
    options: ModelOptions = field(default_factory=ModelOptions)
    capability: KnownCapability | None = None
    """What an earlier run stored about the server and model."""
    max_in_flight: int = 8
    """Requests at the same time."""
    timeout_s: float = 120.0
    """Seconds for each wait on the network."""
    deadline_s: float = 600.0
    """Seconds for one item, with all attempts and pauses."""
    timezone: str = "UTC"
    """IANA name of the zone of times in messages."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to every request, as is `query`. With headers and no `api_key`, no Authorization is made up."""
    query: Mapping[str, str] = field(default_factory=dict)
    names: ConnectionNames = DEFAULT_NAMES
    """What the user changes to correct an error, for messages."""
    secrets: tuple[str, ...] = ()
    """What no message may show, besides `api_key`."""


class LLMClient:
    """A model on a server; an async context manager that holds its connections.

    No request is sent once `should_stop` returns True; `sleep` waits between attempts. The SDK's own
    environment variables have no effect.
    """

    def __init__(
        self,
        model: str,
        config: ClientConfig,
        *,
        save_capability: SaveCapability = discard_capability,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        should_stop: Callable[[], bool] = never,
    ) -> None:
        self.model = model
        self.options = config.options
        self._profile = profile_of(config.base_url, config.profile)
        default = RequestMode(length_field=self._profile.length_field)
        self.mode = cached_mode(config.capability, datetime.now(UTC), default)
        self._save_capability = save_capability
        self._was_reached = config.capability is not None
        self.timeout_s = config.timeout_s
        self.names = config.names
        self.breaker = Breaker(config.names)
        self._deadline_s = config.deadline_s
        keys = (config.api_key,) if config.api_key else ()
        self._details = RequestDetails(model, (*keys, *config.secrets), names=config.names)
        self._sleep = sleep
        self._should_stop = should_stop
        self._cooldown = Cooldown(config.deadline_s, timezone_of(config.timezone))
        self._slots = asyncio.Semaphore(config.max_in_flight)
        self._formats_answered = set[str | None]()
        self._client = open_sdk(
            config.base_url, config.api_key, config.timeout_s, config.headers, config.query
        )
        self._headers = omitted_headers(config.api_key, config.headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    def deadline(self) -> Deadline:
        """Return the deadline of one item, which begins now."""
        return Deadline(self._deadline_s)

    async def remember_mode(self, mode: RequestMode, *, after_misfit: bool = False) -> None:
        """Use this mode from now on, and store it: it led to a usable answer.

        `after_misfit`: it was tried because an answer did not fit. Where the mode in use has led to a usable
        answer in this run, that was an exception, and it stays.
        """
        if mode != self.mode and not (after_misfit and self.breaker.proven):
            self.mode = mode
            await self._save_capability(KnownCapability(manner=mode, at=datetime.now(UTC)))

    async def send(
        self, body: dict[str, Any], *, deadline: Deadline | None = None, timeout_s: float | None = None
    ) -> ChatResponse:
        """Return the server's response to one request; `timeout_s` replaces the configured one.

        Retries refused connections, 409, 429, 5xx and malformed responses: at most MAX_ATTEMPTS
        attempts, with exponential backoff and jitter or the server's Retry-After, never past the deadline.
        The wait that an overloaded server asks for delays every request.

        Raises LostAnswer when the server took a request, and its answer did not arrive within `timeout_s` or
        before `deadline`, was cut off or cannot be read: it may be billed, so the request is not repeated.

        Raises LLMRejected after one attempt when the key, the quota, the model's name or the URL is wrong
        (with the variable to fix) or the server asks to be left alone for longer than the deadline;
        UnsupportedMode when another request may help, ShutdownRequested when the run is stopped before an
        attempt, and LLMError for everything else.
        """
        deadline = deadline or self.deadline()
        attempts = retrying(  # one per request, because coroutines would share its state
            deadline, self._sleep, mode_may_fail=lambda error: self._mode_may_fail(error, body)
        )
        try:
            async with asyncio.timeout_at(deadline.at):
                return await attempts(self._send_once, body, deadline, timeout_s or self.timeout_s)
        except TransientError as error:
            final = LLMError(f"{error} (given up for now)", cause=error.cause)
            if self._mode_may_fail(error, body):
                raise UnsupportedMode(str(error), final) from error
            raise final from error
        except TimeoutError as error:
            given_up = f"(given up at the deadline of {self._deadline_s:g} s)"
            if deadline.in_flight:
                raise LostAnswer(f"the model server did not answer {given_up}", is_running=True) from error
            reason = deadline.last_failure or "the model server was busy, and no request was sent"
            cause = deadline.last_failure.cause if deadline.last_failure else FailureCause.OVERLOAD
            raise LLMError(f"{reason} {given_up}", cause=cause) from error

    async def probe(self) -> str:
        """Return a sentence that says whether the server answers and knows the model; nothing is billed.

        Raises LLMRejected or LLMError when the server is not usable.
        """
        try:
            response = await self._client.models.with_raw_response.list(extra_headers=self._headers)
            names = read_models(response.text)
        except UNREADABLE as error:
            if isinstance(error, openai.NotFoundError) and not is_page(error.response.text):
                await self._require_endpoint()
                return f"the server answers; it lists no models, so {self.model!r} is untried"
            raise classify_listing_error(as_unreached(error), self._details, datetime.now(UTC)) from error
        # Gemini lists its models with a prefix, Ollama with a tag.
        if {self.model, f"models/{self.model}", f"{self.model}:latest"}.intersection(names):
            return f"the server answers and knows {self.model!r}"
        await self._require_endpoint()  # servers of one model take any name; others refuse it
        return (
            f"the server answers; {self.model!r} is not among the {len(names)} models that it lists, and was "
            f"not refused: check {self.names.model}"
        )

    async def _require_endpoint(self) -> None:
        """Raise LLMRejected where a request without messages, which no model answers, shows what is wrong."""
        fields = {"messages": [], "max_tokens": 1, "stream": False}
        try:
            await self._complete(fields, self.deadline(), min(_PROBE_S, self.timeout_s))
        except UNREADABLE as error:
            result = classify_error(as_unreached(error), self._details, datetime.now(UTC))
            if isinstance(result, LLMRejected):
                raise result from error

    async def _send_once(self, body: dict[str, Any], deadline: Deadline, timeout_s: float) -> ChatResponse:
        # As extra fields they skip the SDK's validation, which takes longer than all our own work. Some
        # servers stream unless they are told not to.
        fields = {**body, **self._profile.extra, **self.options.extra, "stream": False}
        async with self._slots:
            await self._cooldown.wait(self._sleep)
            self._raise_if_over()
            try:
                started = time.monotonic()
                completion = await self._complete(fields, deadline, timeout_s)
                reply = read_reply(completion, time.monotonic() - started)
            except UNREADABLE as error:
                honest = as_unreached(error)
                if is_late(honest):
                    message = f"the model server did not answer within {timeout_s:g} s"
                    raise LostAnswer(f"{message}; see {self.names.timeout}", is_running=True) from error
                if is_broken_off(honest):
                    raise LostAnswer("the model server's reply is broken: it is cut off") from error
                raise self._classified(honest, body) from error
        self._formats_answered.add(_format_of(body))
        return reply

    async def _complete(
        self, fields: dict[str, Any], deadline: Deadline, timeout_s: float
    ) -> "ChatCompletion | str":
        """Return the server's completion, or its text where that is a stream of events."""
        deadline.in_flight = True  # and so it stays at a cancellation
        try:
            completion: ChatCompletion | str = await self._client.chat.completions.create(
                model=self.model,
                messages=(),
                extra_body=fields,
                extra_headers=self._headers,
                timeout=timeout_s,
            )
        except Exception as error:
            deadline.in_flight = False
            if isinstance(error, json.JSONDecodeError) and is_event_stream(error.doc):
                return error.doc  # although its content type says JSON
            raise
        deadline.in_flight = False
        return completion

    def _raise_if_over(self) -> None:
        """Raise if no further request is to be sent: the run ends, or the breaker has ended it."""
        if self._should_stop():
            raise ShutdownRequested("the run ends before this request is sent")
        self.breaker.require_closed()

    def _classified(self, error: Exception, body: dict[str, Any]) -> Exception:
        """Return the error to raise, and note what it means for later requests."""
        limits = (body.get(name) for name in LENGTH_FIELDS)
        details = self._details._replace(
            max_tokens=next((limit for limit in limits if limit), None),
            reached_before=self._was_reached or self.breaker.proven,
        )
        result: Exception = classify_error(error, details, datetime.now(UTC))
        if isinstance(result, TransientError) and result.cause is FailureCause.OVERLOAD and result.wait_s:
            result = self._cooldown.start(result.wait_s, str(result)) or result
        # Before the other items' requests, which wait for this one's place.
        return self.breaker.fail(result) if isinstance(result, LLMRejected) else result

    def _mode_may_fail(self, error: TransientError, body: dict[str, Any]) -> bool:
        """Tell whether the request's output mode may be why the server fails: no answer came in it."""
        output_format = _format_of(body)
        return error.unexplained and output_format not in {None, *self._formats_answered}


def _format_of(body: dict[str, Any]) -> str | None:
    """Return the kind of the response format that a request asks for."""
    output_format = body.get("response_format")
    return output_format.get("type") if output_format else None


def build_client(
    connection: ModelConnection,
    capability: KnownCapability | None = None,
    save_capability: SaveCapability = discard_capability,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    should_stop: Callable[[], bool] = never,
) -> LLMClient:
    """Return the client of a connection, not yet entered. Raises ConfigError when a proxy is unusable.

    `capability` is what an earlier run stored about the server and model.
    """
    config = ClientConfig(
        base_url=connection.base_url,
        api_key=connection.api_key.get_secret_value() if connection.api_key else None,
        profile=connection.server,
        options=options_of(connection),
        capability=capability,
        max_in_flight=connection.max_in_flight,
        timeout_s=connection.timeout_s,
        deadline_s=connection.deadline_s,
        timezone=connection.timezone,
        headers={name: value.get_secret_value() for name, value in connection.headers.items()},
        query={name: value.get_secret_value() for name, value in connection.query.items()},
        names=connection.names,
        secrets=tuple(secret.get_secret_value() for secret in connection.secrets),
    )
    return LLMClient(
        connection.model, config, save_capability=save_capability, sleep=sleep, should_stop=should_stop
    )


def options_of(connection: ModelConnection, **hints: float | None) -> ModelOptions:
    """Return the operator's options, completed by the hints of a prompt.

    A limit among the extra fields counts as the operator's own, so that costs and longer answers follow it.
    """
    own_values = {name: getattr(connection, name) for name in ("max_tokens", "temperature", "seed")}
    values = hints | {name: value for name, value in own_values.items() if value is not None}
    fields = {name: value for name, value in values.items() if value is not None}
    extra = dict(connection.extra_body)
    for name in LENGTH_FIELDS:
        if isinstance(extra.get(name), int):
            fields["max_tokens"] = max(LEAST_LIMIT, extra.pop(name))
    return ModelOptions.model_validate(fields | {"extra": extra})
