"""The client of any OpenAI-compatible server: retries with backoff, rate limits (429), deadline per item.

It uses the official SDK with the SDK's own retries turned off. It sends requests as they are: what to ask,
and whether an answer is usable, is decided in `structured_output`.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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

from pipeline.config import Settings
from pipeline.domain.errors import ConfigError, FailureCause, LLMError, ShutdownRequested
from pipeline.http_client import require_usable_proxies, tls_context
from pipeline.llm.breaker import Breaker
from pipeline.llm.capabilities import KnownCapability, RequestMode, cached_mode, profile_of
from pipeline.llm.chat import ChatResponse, ModelOptions, read_models, read_reply
from pipeline.llm.errors import (
    AnswerTimeout,
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

    def left_s(self) -> float:
        """Return the seconds that are left; infinity if no deadline is set."""
        when = self._timeout.when()
        return math.inf if when is None else when - asyncio.get_running_loop().time()


OPENAI_URL = "https://api.openai.com/v1"
MAX_ATTEMPTS = 8
"""Attempts at one request. Chosen, not measured, as are the backoff and jitter below (seconds)."""
_NO_KEY = "no-key-needed"
_NOT_SENT = frozenset(("PoolTimeout", "WriteTimeout"))
"""The exceptions of the SDK's HTTP library, whichever that is, for a timeout before the request was sent."""
_DEADLINE_MARGIN_S = 0.05
"""A request ends so long before the item's deadline, so that it can be booked. Chosen, not measured."""

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
        self._key = config.api_key
        self.timeout_s = config.timeout_s
        self.breaker = Breaker()
        self._deadline_s = config.deadline_s
        self._sleep = sleep
        self._should_stop = should_stop
        self._cooldown = _Cooldown()
        self._slots = asyncio.Semaphore(config.max_in_flight)
        self._last_failure = ""
        self._was_busy = False
        self._client = _client(config.base_url, config.api_key or _NO_KEY, config.timeout_s)

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
            raise LLMError(message, retry=True, cause=self._cause()) from error

    async def remember_mode(self, mode: RequestMode) -> None:
        """Use this mode from now on, and store it: it led to a usable answer."""
        if mode != self.mode:
            self.mode = mode
            await self._save_capability(KnownCapability(manner=mode, at=datetime.now(UTC)))

    async def send(
        self, body: dict[str, Any], *, deadline: Deadline | None = None, timeout_s: float | None = None
    ) -> ChatResponse:
        """Return the server's response to one request; `timeout_s` replaces the configured one.

        Retries lost connections, 408, 409, 429, 5xx and malformed responses: at most MAX_ATTEMPTS
        attempts, with exponential backoff and jitter or the server's Retry-After, never past the deadline.
        The Retry-After of a 429 delays every request.

        Raises AnswerTimeout when the server took a request and did not answer within `timeout_s` or before
        `deadline`: it may still be generating, so the request is not repeated.

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
            return await retrying(self._send_once, body, deadline, timeout_s or self.timeout_s)
        except TransientError as error:
            self._was_busy = error.busy
            raise LLMError(f"{error} (given up for now)", retry=True, cause=self._cause()) from error

    async def probe(self) -> str:
        """Return a sentence that says whether the server answers and knows the model; nothing is billed.

        Raises LLMRejected or LLMError when the server is not usable.
        """
        try:
            response = await self._client.models.with_raw_response.list()
            names = read_models(response.text)
        except (openai.OpenAIError, MalformedResponse, ValueError, RecursionError) as error:
            if isinstance(error, openai.NotFoundError) and not is_page(error.response.text):
                return f"the server answers; it lists no models, so {self.model!r} is untried"
            raise classify_listing_error(
                _reached(error), model=self.model, key=self._key, now=datetime.now(UTC)
            ) from error
        if self.model in names:
            return f"the server answers and knows {self.model!r}"
        return f"the server answers; {self.model!r} is not among the {len(names)} models that it lists"

    async def _send_once(
        self, body: dict[str, Any], deadline: Deadline | None, timeout_s: float
    ) -> ChatResponse:
        await self._cooldown.wait(self._sleep)
        # As extra fields they skip the SDK's validation, which takes longer than all our own work.
        fields = {**body, **self._profile.extra, **self.options.extra}
        try:
            async with self._slots:
                if self._should_stop():
                    raise ShutdownRequested("the run ends before this request is sent")
                completion = await self._complete(fields, deadline, timeout_s)
            reply = read_reply(completion)
        except (openai.OpenAIError, MalformedResponse, ValueError, AttributeError, TypeError) as error:
            # The SDK raises the last three for a response that is not a JSON object.
            honest = _reached(error)
            if (
                isinstance(honest, openai.APITimeoutError)
                and type(honest.__cause__).__name__ not in _NOT_SENT
            ):
                raise AnswerTimeout(f"within {timeout_s:g} s; see COPYDESK_MODEL_TIMEOUT") from error
            now = datetime.now(UTC)
            result = classify_error(
                honest, model=self.model, key=self._key, now=now, reached_before=self._reached_before
            )
            if isinstance(result, TransientError) and result.busy and result.wait_s:
                self._cooldown.start(result.wait_s)
            raise result from error
        self._reached_before = True
        return reply

    async def _complete(self, fields: dict[str, Any], deadline: Deadline | None, timeout_s: float) -> Any:  # noqa: ANN401 - what servers send is often not what the SDK declares
        """Return what the SDK made of the response. Raises AnswerTimeout at the deadline."""
        left = None if deadline is None else deadline.left_s() - _DEADLINE_MARGIN_S
        try:
            async with asyncio.timeout(None if left == math.inf else left):
                return await self._client.chat.completions.create(
                    model=self.model, messages=(), extra_body=fields, timeout=timeout_s
                )
        except TimeoutError as error:
            raise AnswerTimeout(f"(given up at the deadline of {self._deadline_s:g} s)") from error

    def _note_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._last_failure = str(error or "")
        self._was_busy = isinstance(error, TransientError) and error.busy

    def _cause(self) -> FailureCause:
        return FailureCause.OVERLOAD if self._was_busy else FailureCause.OUTAGE


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


def _reached(error: Exception) -> Exception:
    """Return an error; a timeout of connecting is a server that cannot be reached.

    The transport on aiohttp gives that name to every connection that is refused or lost.
    """
    if isinstance(error, openai.APITimeoutError) and type(error.__cause__).__name__ == "ConnectTimeout":
        return openai.APIConnectionError(request=error.request)
    return error


def _client(base_url: str, api_key: str, timeout_s: float) -> openai.AsyncOpenAI:
    """Return a client that ignores the SDK's environment variables.

    Raises ConfigError when the environment names an unusable proxy.
    """
    require_usable_proxies()
    client = openai.AsyncOpenAI(
        api_key=api_key,
        admin_api_key="",
        base_url=base_url,
        timeout=timeout_s,
        max_retries=0,
        webhook_secret="",
        # On aiohttp: a third of the time for each answer, so that more of them are stored before a kill.
        http_client=openai.DefaultAioHttpClient(verify=tls_context()),
    )
    # Passed as None, the SDK would read these from OPENAI_ORG_ID, OPENAI_PROJECT_ID and
    # OPENAI_CUSTOM_HEADERS and send them to every server.
    client.organization = None
    client.project = None
    client._custom_headers = {}
    return client


def _seconds_to_wait(state: RetryCallState) -> float:
    """Return the seconds before the next attempt: the server's Retry-After, or exponential backoff."""
    error = state.outcome.exception() if state.outcome else None
    wait_s = error.wait_s if isinstance(error, TransientError) else None
    return _backoff(state) if wait_s is None else wait_s + _jitter(state)


def build_client(
    settings: Settings,
    capability: KnownCapability | None = None,
    save_capability: SaveCapability = discard_capability,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    should_stop: Callable[[], bool] = never,
) -> LLMClient:
    """Return the client for the settings, not yet entered. Raises ConfigError when no model is set.

    `capability` is what an earlier run stored about the server and model.
    """
    if settings.model is None:
        raise ConfigError("no model is set: set COPYDESK_MODEL", variable="COPYDESK_MODEL")
    config = ClientConfig(
        base_url=settings.base_url or OPENAI_URL,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        profile=settings.server,
        options=options_of(settings),
        capability=capability,
        max_in_flight=settings.max_in_flight,
        timeout_s=settings.model_timeout_s,
        deadline_s=settings.deadline_s,
    )
    return LLMClient(
        settings.model, config, save_capability=save_capability, sleep=sleep, should_stop=should_stop
    )


def options_of(settings: Settings, **hints: float | None) -> ModelOptions:
    """Return the operator's options, completed by the hints of a prompt."""
    settings_values = {name: getattr(settings, name) for name in ("max_tokens", "temperature", "seed")}
    values = hints | {name: value for name, value in settings_values.items() if value is not None}
    fields = {name: value for name, value in values.items() if value is not None}
    return ModelOptions.model_validate(fields | {"extra": settings.extra_body})
