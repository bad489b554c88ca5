"""How long one item may take, all its requests together; waiting for others' calls does not count.

The one way to a model: any OpenAI-compatible server, through the official SDK.

The SDK's own retries are off; those here are the only ones. What is asked, and what an answer is worth, is
`asking`'s business.

The model that the settings name.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
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
from pipeline.domain.errors import ConfigError, LLMError, ShutdownRequested
from pipeline.http_client import require_usable_proxies
from pipeline.llm.capabilities import KnownCapability, RequestMode, cached_mode, profile_of
from pipeline.llm.chat import ChatResponse, ModelOptions, read_models, read_reply
from pipeline.llm.errors import MalformedResponse, TransientError, classify_error, is_page, no_models


class Deadline:
    """A running timeout that can stand still."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock until the block is left."""
        when = self._timeout.when()
        if when is None:  # it has no end
            yield
            return
        clock = asyncio.get_running_loop().time
        began = clock()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._timeout.reschedule(when + clock() - began)


OPENAI_URL = "https://api.openai.com/v1"
MAX_ATTEMPTS = 8
_NO_KEY = "no-key-needed"

_backoff = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)
_spread = wait_random(0.0, 0.5)

Remember = Callable[[KnownCapability], Awaitable[None]]
"""Keeps what was learned of the server and the model."""


async def no_memory(_learned: KnownCapability) -> None:
    """Keep nothing beyond this run."""


def never() -> bool:
    """Tell that nobody ends this run."""
    return False


class LLMClient:
    """A model on a server; an async context manager that holds its connections.

    `timeout_s` is for each wait on the network, `deadline_s` for one item with all attempts and pauses, and
    `in_flight` bounds the requests under way; none is begun once `ended` tells that the run is to end. Every
    value is passed in: the SDK's own environment variables change nothing.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        profile: str | None = None,
        options: ModelOptions | None = None,
        learned: KnownCapability | None = None,
        remember: Remember = no_memory,
        in_flight: int = 8,
        timeout_s: float = 120.0,
        deadline_s: float = 600.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        ended: Callable[[], bool] = never,
    ) -> None:
        self.model = model
        self.base_url = base_url or OPENAI_URL
        self.options = options or ModelOptions()
        self._profile = profile_of(self.base_url, profile)
        self.manner = cached_mode(
            learned, datetime.now(UTC), RequestMode(length_field=self._profile.length_field)
        )
        self._remember = remember
        self._met = learned is not None
        self._key = api_key
        self._deadline_s = deadline_s
        self._sleep = sleep
        self._ended = ended
        self._pause = _Cooldown()
        self._slots = asyncio.Semaphore(in_flight)
        self._last = ""
        self._client = _client(self.base_url, api_key or _NO_KEY, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    @contextlib.asynccontextmanager
    async def deadline(self) -> AsyncIterator[Deadline]:
        """Bound what is done about one item. Raises ModelError (retry) with the last trouble."""
        try:
            async with asyncio.timeout(self._deadline_s) as timeout:
                yield Deadline(timeout)
        except TimeoutError as error:
            reason = self._last or "the model server did not answer"
            message = f"{reason} (given up at the deadline of {self._deadline_s:g} s)"
            raise LLMError(message, retry=True) from error

    async def remember_mode(self, manner: RequestMode) -> None:
        """Ask in this manner from now on: it brought an answer."""
        if manner != self.manner:
            self.manner = manner
            await self._remember(KnownCapability(manner=manner, at=datetime.now(UTC)))

    async def send(self, body: dict[str, Any]) -> ChatResponse:
        """Return what the server answers to one request.

        Asks again on lost connections, timeouts, 408, 409, 429, 5xx and broken replies: at most 8 times, with
        growing jittered pauses or those that the server asks for, which hold for every request, and never
        past the deadline. Raises ModelRefused after one request where the key, the quota or the model's name
        is refused, or no model is at this address (with the variable to fix), FormatRefusedError where
        another manner of asking may do, Interrupted where the run is told to end before the request, or
        another attempt at it, is begun, and ModelError for everything else.
        """
        retrying = AsyncRetrying(  # a new one for each request: its state is shared between coroutines
            sleep=self._sleep,
            stop=stop_after_attempt(MAX_ATTEMPTS) | stop_before_delay(self._deadline_s),
            wait=_wait,
            retry=retry_if_exception_type(TransientError),
            before_sleep=self._note,
            reraise=True,
        )
        try:
            return await retrying(self._once, body)
        except TransientError as error:
            raise LLMError(f"{error} (given up for now)", retry=True) from error

    async def probe(self) -> str:
        """Say in a sentence whether the server is there and knows the model, without paying for an answer.

        Raises ModelRefused or ModelError where it is not usable.
        """
        try:
            answer = await self._client.models.with_raw_response.list()
            names = read_models(answer.text)
        except (openai.OpenAIError, MalformedResponse, ValueError, RecursionError) as error:
            if isinstance(error, openai.NotFoundError) and not is_page(error.response.text):
                return f"the server answers; it lists no models, so {self.model!r} is untried"
            raise no_models(error, model=self.model, key=self._key, now=datetime.now(UTC)) from error
        if self.model in names:
            return f"the server answers and knows {self.model!r}"
        return f"the server answers; {self.model!r} is not among the {len(names)} models that it lists"

    async def _once(self, body: dict[str, Any]) -> ChatResponse:
        await self._pause.over(self._sleep)
        extra = {**body, **self._profile.extra, **self.options.extra}
        try:
            async with self._slots:
                if self._ended():
                    raise ShutdownRequested("the run ends before this request is sent")
                # As extra fields, they are spared the SDK's walk through them, longer than all our own work.
                completion = await self._client.chat.completions.create(
                    model=self.model, messages=(), extra_body=extra
                )
            reply = read_reply(completion)
        except (openai.OpenAIError, MalformedResponse, ValueError, AttributeError, TypeError) as error:
            # The last three are what the SDK makes of a reply that is no JSON object.
            now = datetime.now(UTC)
            trouble = classify_error(error, model=self.model, key=self._key, now=now, met=self._met)
            if isinstance(trouble, TransientError) and trouble.busy and trouble.wait_s:
                self._pause.begin(trouble.wait_s)
            raise trouble from error
        self._met = True
        return reply

    def _note(self, state: RetryCallState) -> None:
        self._last = str(state.outcome.exception() if state.outcome else "")


class _Cooldown:
    """Until when a server asked to be left alone: holds for every request to it."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        """Let nothing begin for so long, from now."""
        self._until = max(self._until, asyncio.get_running_loop().time() + seconds)

    async def over(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until it is over."""
        left = self._until - asyncio.get_running_loop().time()
        if left > 0:
            await sleep(left)


def _client(base_url: str, api_key: str, timeout_s: float) -> openai.AsyncOpenAI:
    """Return a client on which no environment variable of the SDK has an effect.

    Raises ConfigError where the environment names a proxy that cannot be used.
    """
    require_usable_proxies()
    client = openai.AsyncOpenAI(
        api_key=api_key,
        admin_api_key="",
        base_url=base_url,
        timeout=timeout_s,
        max_retries=0,
        webhook_secret="",
    )
    # Given as None these would be read from OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS,
    # and sent to whatever server the operator has named.
    client.organization = None
    client.project = None
    client._custom_headers = {}
    return client


def _wait(state: RetryCallState) -> float:
    """Return the seconds before the next attempt: what the server asked for, or ever longer ones."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, TransientError) else None
    return _backoff(state) if asked is None else asked + _spread(state)


def build_client(
    settings: Settings,
    learned: KnownCapability | None = None,
    remember: Remember = no_memory,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ended: Callable[[], bool] = never,
) -> LLMClient:
    """Return the model, closed; `learned` is what earlier runs found out of its server.

    `ended` tells whether the run is to end: no request is begun then. `sleep` waits between attempts.
    Raises ConfigError where no model is set.
    """
    if settings.model is None:
        raise ConfigError("no model is set: set COPYDESK_MODEL", variable="COPYDESK_MODEL")
    return LLMClient(
        model=settings.model,
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        profile=settings.server,
        options=options_of(settings),
        learned=learned,
        remember=remember,
        in_flight=settings.max_in_flight,
        timeout_s=settings.model_timeout_s,
        deadline_s=settings.deadline_s,
        sleep=sleep,
        ended=ended,
    )


def options_of(settings: Settings, **hints: float | None) -> ModelOptions:
    """Return what the operator wishes of an answer, over the hints of a prompt."""
    chosen = {name: getattr(settings, name) for name in ("max_tokens", "temperature", "seed")}
    wishes = hints | {name: value for name, value in chosen.items() if value is not None}
    told = {name: value for name, value in wishes.items() if value is not None}
    return ModelOptions.model_validate(told | {"extra": settings.extra_body})
