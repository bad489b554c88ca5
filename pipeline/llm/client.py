"""The client of any OpenAI-compatible server: retries with backoff, rate limits (429), deadline per item.

It uses the official SDK with the SDK's own retries turned off. It sends requests as they are: what to ask,
and whether an answer is usable, is decided in `structured_output`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
    wait_random,
)

from pipeline.config import DEFAULT_NAMES, OPENAI_URL, ConnectionNames, ModelConnection
from pipeline.domain.errors import FailureCause, LLMError, ShutdownRequested
from pipeline.http_client import require_usable_proxies, tls_context
from pipeline.llm.capabilities import KnownCapability, RequestMode, cached_mode, profile_of
from pipeline.llm.chat import ChatResponse, ModelOptions, read_models, read_reply
from pipeline.llm.errors import (
    MalformedResponse,
    TransientError,
    classify_error,
    classify_listing_error,
    is_page,
)


class Deadline:
    """A running timeout that can be paused."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time inside the block."""
        when = self._timeout.when()
        if when is None:  # no deadline is set
            yield
            return
        clock = asyncio.get_running_loop().time
        began = clock()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._timeout.reschedule(when + clock() - began)


MAX_ATTEMPTS = 8
"""Attempts at one request. Chosen, not measured, as are the backoff and jitter below (seconds)."""
_NO_KEY = "no-key-needed"

_backoff = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)
_jitter = wait_random(0.0, 0.5)

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
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to every request, as is `query`. With headers and no `api_key`, no Authorization is made up."""
    query: Mapping[str, str] = field(default_factory=dict)
    names: ConnectionNames = DEFAULT_NAMES
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
        self._reached_before = config.capability is not None
        self.names = config.names
        self._secrets = (*([config.api_key] if config.api_key else []), *config.secrets)
        self._deadline_s = config.deadline_s
        self._sleep = sleep
        self._should_stop = should_stop
        self._cooldown = _Cooldown()
        self._slots = asyncio.Semaphore(config.max_in_flight)
        self._last_failure: TransientError | None = None
        self._client = _client(config)
        # The key is in a header of its own: a server may refuse a request for what stands in another one.
        own_key = config.headers and not config.api_key
        named = {name.lower() for name in config.headers}
        omitted = own_key and "authorization" not in named
        self._headers = {"Authorization": openai.Omit()} if omitted else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    @contextlib.asynccontextmanager
    async def deadline(self) -> AsyncIterator[Deadline]:
        """Limit the time for one item. Raises LLMError (retry) with the last failure when it is over."""
        try:
            async with asyncio.timeout(self._deadline_s) as timeout:
                yield Deadline(timeout)
        except TimeoutError as error:
            reason = self._last_failure or "the model server did not answer"
            message = f"{reason} (given up at the deadline of {self._deadline_s:g} s)"
            cause = self._last_failure.cause if self._last_failure else FailureCause.OUTAGE
            raise LLMError(message, retry=True, cause=cause) from error

    async def remember_mode(self, mode: RequestMode) -> None:
        """Use this mode from now on, and store it: it led to a usable answer."""
        if mode != self.mode:
            self.mode = mode
            await self._save_capability(KnownCapability(manner=mode, at=datetime.now(UTC)))

    async def send(self, body: dict[str, Any]) -> ChatResponse:
        """Return the server's response to one request.

        Retries lost connections, timeouts, 408, 409, 429, 5xx and malformed responses: at most MAX_ATTEMPTS
        attempts, with exponential backoff and jitter or the server's Retry-After, never past the deadline.
        The Retry-After of a 429 delays every request.

        Raises LLMRejected after one attempt when the key, the quota, the model's name or the URL is wrong
        (with the variable to fix), UnsupportedMode when another request mode may help, ShutdownRequested when
        the run is stopped before an attempt, and LLMError for everything else.
        """
        retrying = AsyncRetrying(  # one per request, because coroutines would share its state
            sleep=self._sleep,
            stop=stop_after_attempt(MAX_ATTEMPTS) | stop_before_delay(self._deadline_s),
            wait=_seconds_to_wait,
            retry=retry_if_exception_type(TransientError),
            before_sleep=self._note_failure,
            reraise=True,
        )
        try:
            return await retrying(self._send_once, body)
        except TransientError as error:
            raise LLMError(f"{error} (given up for now)", retry=True, cause=error.cause) from error

    async def probe(self) -> str:
        """Return a sentence that says whether the server answers and knows the model; nothing is billed.

        Raises LLMRejected or LLMError when the server is not usable.
        """
        try:
            response = await self._client.models.with_raw_response.list(extra_headers=self._headers)
            names = read_models(response.text)
        except (openai.OpenAIError, MalformedResponse, ValueError, RecursionError) as error:
            if isinstance(error, openai.NotFoundError) and not is_page(error.response.text):
                return f"the server answers; it lists no models, so {self.model!r} is untried"
            raise classify_listing_error(
                error, model=self.model, key=self._secrets, now=datetime.now(UTC), names=self.names
            ) from error
        if self.model in names:
            return f"the server answers and knows {self.model!r}"
        return f"the server answers; {self.model!r} is not among the {len(names)} models that it lists"

    async def _send_once(self, body: dict[str, Any]) -> ChatResponse:
        await self._cooldown.wait(self._sleep)
        # As extra fields they skip the SDK's validation, which takes longer than all our own work.
        fields = {**body, **self._profile.extra, **self.options.extra}
        try:
            async with self._slots:
                if self._should_stop():
                    raise ShutdownRequested("the run ends before this request is sent")
                completion = await self._client.chat.completions.create(
                    model=self.model, messages=(), extra_body=fields, extra_headers=self._headers
                )
            reply = read_reply(completion)
        except (openai.OpenAIError, MalformedResponse, ValueError, AttributeError, TypeError) as error:
            # The SDK raises the last three for a response that is not a JSON object.
            now = datetime.now(UTC)
            result = classify_error(
                error,
                model=self.model,
                key=self._secrets,
                now=now,
                reached_before=self._reached_before,
                names=self.names,
            )
            if isinstance(result, TransientError) and result.busy and result.wait_s:
                self._cooldown.start(result.wait_s)
            raise result from error
        self._reached_before = True
        return reply

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._last_failure = error if isinstance(error, TransientError) else None


class _Cooldown:
    """The server's Retry-After, which delays every request to it."""

    def __init__(self) -> None:
        self._until = 0.0

    def start(self, seconds: float) -> None:
        """Delay requests for so many seconds from now."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    async def wait(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until the delay is over."""
        left = self._until - asyncio.get_running_loop().time()
        if left > 0:
            await sleep(left)


def _client(config: ClientConfig) -> openai.AsyncOpenAI:
    """Return a client that ignores the SDK's environment variables.

    Raises ConfigError when the environment names an unusable proxy.
    """
    require_usable_proxies()
    client = openai.AsyncOpenAI(
        api_key=config.api_key or _NO_KEY,
        admin_api_key="",
        base_url=config.base_url,
        default_query=dict(config.query),
        timeout=config.timeout_s,
        max_retries=0,
        webhook_secret="",
        http_client=openai.DefaultAsyncHttpxClient(verify=tls_context()),
    )
    # Passed as None, the SDK would read these from OPENAI_ORG_ID, OPENAI_PROJECT_ID and
    # OPENAI_CUSTOM_HEADERS and send them to every server.
    client.organization = None
    client.project = None
    client._custom_headers = dict(config.headers)
    return client


def _seconds_to_wait(state: RetryCallState) -> float:
    """Return the seconds before the next attempt: the server's Retry-After, or exponential backoff."""
    error = state.outcome.exception() if state.outcome else None
    wait_s = error.wait_s if isinstance(error, TransientError) else None
    return _backoff(state) if wait_s is None else wait_s + _jitter(state)


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
        headers={name: value.get_secret_value() for name, value in connection.headers.items()},
        query={name: value.get_secret_value() for name, value in connection.query.items()},
        names=connection.names,
        secrets=tuple(secret.get_secret_value() for secret in connection.secrets),
    )
    return LLMClient(
        connection.model, config, save_capability=save_capability, sleep=sleep, should_stop=should_stop
    )


def options_of(connection: ModelConnection, **hints: float | None) -> ModelOptions:
    """Return the operator's options, completed by the hints of a prompt."""
    own_values = {name: getattr(connection, name) for name in ("max_tokens", "temperature", "seed")}
    values = hints | {name: value for name, value in own_values.items() if value is not None}
    fields = {name: value for name, value in values.items() if value is not None}
    return ModelOptions.model_validate(fields | {"extra": connection.extra_body})
