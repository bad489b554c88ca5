"""The model that the settings name."""

import asyncio
from collections.abc import Awaitable, Callable

from pipeline.errors import ConfigError
from pipeline.rewrite.ladder import Learned
from pipeline.rewrite.model import Model, Remember, forget, never
from pipeline.rewrite.request import Options
from pipeline.settings import Settings


def model_of(
    settings: Settings,
    learned: Learned | None = None,
    remember: Remember = forget,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ended: Callable[[], bool] = never,
) -> Model:
    """Return the model, closed; `learned` is what earlier runs found out of its server.

    `ended` tells whether the run is to end: no request is begun then. `sleep` waits between attempts.
    Raises ConfigError where no model is set.
    """
    if settings.model is None:
        raise ConfigError("no model is set: set COPYDESK_MODEL", variable="COPYDESK_MODEL")
    return Model(
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


def options_of(settings: Settings, **hints: float | None) -> Options:
    """Return what the operator wishes of an answer, over the hints of a prompt."""
    chosen = {name: getattr(settings, name) for name in ("max_tokens", "temperature", "seed")}
    wishes = hints | {name: value for name, value in chosen.items() if value is not None}
    told = {name: value for name, value in wishes.items() if value is not None}
    return Options.model_validate(told | {"extra": settings.extra_body})
