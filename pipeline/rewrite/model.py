"""The one way to a model: any OpenAI-compatible server, through the official SDK.

The SDK's own retries are off; those here are the only ones.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, cast

import openai
from openai.types.chat import ChatCompletion
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
    wait_random,
)

from pipeline.errors import ModelError
from pipeline.models import Answer, Provenance, Usage
from pipeline.rewrite.prompt import Message
from pipeline.rewrite.text import encodable
from pipeline.rewrite.trouble import BrokenReplyError, UnansweredError, name_trouble, quoted
from pipeline.rewrite.wire import response_format

OPENAI_URL = "https://api.openai.com/v1"
ATTEMPTS = 8
_NO_KEY = "no-key-needed"

_backoff = wait_exponential_jitter(multiplier=0.5, max=30.0, jitter=0.5)
_spread = wait_random(0.0, 0.5)


class Model:
    """A model on a server; an async context manager that holds its connections.

    `timeout_s` is for each wait on the network, `deadline_s` for one item with all attempts and
    pauses. Every value is passed in: the SDK's own environment variables change nothing.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 120.0,
        deadline_s: float = 600.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self._key = api_key
        self._deadline_s = deadline_s
        self._sleep = sleep
        self._client = _client(base_url or OPENAI_URL, api_key or _NO_KEY, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self, messages: Sequence[Message], prompt_id: str) -> Answer:
        """Return the model's answer, verbatim, with what it cost.

        Asks again on lost connections, timeouts, 408, 409, 429, 5xx and broken replies: at most 8
        times, with growing jittered pauses or those that the server asks for, and never past the
        deadline. Raises ModelRefused after one request where the key, the quota or the model's name
        is refused (with the variable to fix), and ModelError for everything else.
        """
        last: list[str] = []
        try:
            async with asyncio.timeout(self._deadline_s):
                completion = await self._patiently(messages, last)
        except UnansweredError as error:
            raise ModelError(f"{error} (given up for now)", retry=True) from error
        except TimeoutError as error:
            reason = last[-1] if last else "the model server did not answer"
            message = f"{reason} (given up at the deadline of {self._deadline_s:g} s)"
            raise ModelError(message, retry=True) from error
        return self._answer(completion, prompt_id)

    async def check(self) -> str:
        """Say in a sentence whether the server is there and knows the model, without paying for an answer.

        One request for the list of models. Raises ModelRefused or ModelError like `ask`.
        """
        try:
            page = await self._client.models.list()
            names = [listed.id for listed in page.data]
        except openai.NotFoundError:
            return f"the server answers; it lists no models, so {self.model!r} is untried"
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            trouble = name_trouble(error, model=self.model, key=self._key, now=datetime.now(UTC))
            if isinstance(trouble, ModelError):
                raise trouble from error
            raise ModelError(str(trouble), retry=True) from error
        if self.model in names:
            return f"the server answers and knows {self.model!r}"
        return f"the server answers; {self.model!r} is not among the {len(names)} models that it lists"

    async def _patiently(self, messages: Sequence[Message], last: list[str]) -> ChatCompletion:
        retrying = AsyncRetrying(  # a new one for each item: its state is shared between coroutines
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(self._deadline_s),
            wait=_pause,
            retry=retry_if_exception_type(UnansweredError),
            before_sleep=lambda state: last.append(str(state.outcome.exception() if state.outcome else "")),
            reraise=True,
        )
        return await retrying(self._once, messages)

    async def _once(self, messages: Sequence[Message]) -> ChatCompletion:
        try:
            completion = await self._client.chat.completions.create(
                model=self.model,
                messages=cast(Any, list(messages)),
                response_format=cast(Any, response_format()),
            )
            _require_choice(completion)
        except (openai.OpenAIError, BrokenReplyError, ValueError, AttributeError, TypeError) as error:
            # The last three are what the SDK makes of a reply that is no JSON object.
            raise name_trouble(error, model=self.model, key=self._key, now=datetime.now(UTC)) from error
        return completion

    def _answer(self, completion: ChatCompletion, prompt_id: str) -> Answer:
        choice = completion.choices[0]
        answer = Answer(
            text=encodable(choice.message.content or ""),
            provenance=Provenance(rewritten=True, model=self.model, prompt=prompt_id),
            usage=_usage(completion),
        )
        if choice.message.refusal:
            said = quoted(str(choice.message.refusal), self._key)
            raise ModelError(f"the model refuses to write this article: {said}", retry=False, answer=answer)
        if choice.finish_reason == "content_filter":
            raise ModelError("the server's content filter withheld the answer", retry=False, answer=answer)
        if choice.finish_reason == "length":
            raise ModelError("the answer was cut off at the model's length limit", retry=True, answer=answer)
        if not answer.text.strip():
            raise ModelError("the model's answer is empty", retry=True, answer=answer)
        return answer


def _client(base_url: str, api_key: str, timeout_s: float) -> openai.AsyncOpenAI:
    """Return a client on which no environment variable of the SDK has an effect."""
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


def _pause(state: RetryCallState) -> float:
    """Return the seconds before the next attempt: what the server asked for, or ever longer ones."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, UnansweredError) else None
    return _backoff(state) if asked is None else asked + _spread(state)


def _require_choice(completion: ChatCompletion) -> None:
    """Raise BrokenReplyError unless there is something to read: the SDK checks nothing of a reply."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        said = getattr(completion, "error", None)
        message = said.get("message") if isinstance(said, dict) else said
        raise BrokenReplyError(str(message) if message else "it holds no choices")
    message = getattr(choices[0], "message", None)
    if message is None:
        raise BrokenReplyError("it holds no message")
    content = getattr(message, "content", None)
    if content is not None and not isinstance(content, str):
        raise BrokenReplyError("its message is no text")


def _usage(completion: ChatCompletion) -> Usage:
    """Return the tokens billed, 0 where a server does not say."""
    return Usage(
        prompt_tokens=_count(completion, "prompt_tokens"),
        completion_tokens=_count(completion, "completion_tokens"),
    )


def _count(completion: ChatCompletion, name: str) -> int:
    value = getattr(completion.usage, name, None)
    return value if isinstance(value, int) and value > 0 else 0
