"""A model profile with its secrets: what a client needs, and what messages call the settings to change."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import Field, SecretStr

from pipeline.config.env_values import header
from pipeline.config.model_profiles import ModelProfile
from pipeline.config.secret_texts import SecretTemplate
from pipeline.config.settings import ServerKind, Settings
from pipeline.config.yaml_source import did_you_mean, quoted
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import DEFAULT_PROFILE, VERIFIER_OFF, Beat, FeedConfig, FrozenModel

OPENAI_URL = "https://api.openai.com/v1"


class ConnectionNames(NamedTuple):
    """What messages call the settings of a connection, so that a user finds the one to change."""

    key: str = "OPENAI_API_KEY"
    model: str = "COPYDESK_MODEL"
    url: str = "OPENAI_BASE_URL"
    extra: str = "COPYDESK_EXTRA_BODY"
    timeout: str = "COPYDESK_MODEL_TIMEOUT"
    max_tokens: str = "COPYDESK_MAX_TOKENS"
    price: str = "COPYDESK_PRICE"
    deadline: str = "COPYDESK_MODEL_DEADLINE"

    def fill(self, text: str) -> str:
        """Return a message of ours with `{key}` and the like replaced; not for a server's words."""
        return text.format(**self._asdict())


DEFAULT_NAMES = ConnectionNames()
"""The variables of `.env`."""


class ModelConnection(FrozenModel):
    """A model on a server, with everything that requests to it need."""

    profile: str = DEFAULT_PROFILE
    model: str
    base_url: str = Field(default=OPENAI_URL, repr=False)
    api_key: SecretStr | None = None
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    query: dict[str, SecretStr] = Field(default_factory=dict)
    secrets: tuple[SecretStr, ...] = ()
    """Values that no message and no log may show."""
    server: ServerKind | None = None
    price: tuple[Decimal, Decimal, Decimal] | None = None
    """US dollars per million tokens: prompt, cached prompt, completion."""
    max_in_flight: int = 8
    calls_per_minute: int | None = None
    """Of this profile; the limit of all profiles together is one of the settings."""
    timeout_s: float = 120.0
    deadline_s: float = 600.0
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    extra_body: dict[str, Any] = Field(default_factory=dict)
    timezone: str = "UTC"
    """IANA name of the zone of times in messages."""
    names: ConnectionNames = DEFAULT_NAMES
    missing: str | None = None
    """A variable that it needs and that is not set; see `require_secrets`."""

    @property
    def cache_key(self) -> str:
        """What its stored capabilities are filed under, besides the model's name."""
        return self.base_url if self.profile == DEFAULT_PROFILE else f"{self.base_url} {self.profile}"


def _connect_default(settings: Settings, model: str) -> ModelConnection:
    """Return the connection that `.env` describes."""
    same = (
        "server",
        "price",
        "max_in_flight",
        "deadline_s",
        "max_tokens",
        "temperature",
        "seed",
        "extra_body",
        "timezone",
    )
    return ModelConnection(
        model=model,
        base_url=settings.base_url or OPENAI_URL,
        api_key=settings.api_key,
        secrets=(settings.api_key,) if settings.api_key else (),
        timeout_s=settings.model_timeout_s,
        **{name: getattr(settings, name) for name in same},
    )


def connect_profile(settings: Settings, profile: ModelProfile) -> ModelConnection:
    """Return the connection of a profile of feeds.yaml.

    Raises ConfigError, which shows no value, where a variable has what no header can carry.
    """
    own_server = profile.base_url is not None
    key_variable = profile.key_variable or (None if own_server else "OPENAI_API_KEY")
    keys = [key_variable] if key_variable else []
    named = _variables(profile)
    values = {name: _value(settings, name) for name in (*keys, *named)}
    needed = (keys if _needs_key(settings, profile) else []) + named
    key = values.get(key_variable or "")
    limits = ("server", "price", "calls_per_minute", "max_tokens", "temperature", "seed", "extra_body")
    return ModelConnection(
        profile=profile.name,
        model=profile.model,
        base_url=profile.base_url or settings.base_url or OPENAI_URL,
        api_key=SecretStr(key) if key else None,
        headers=_filled(profile.headers, values),
        query=_filled(profile.query, values),
        secrets=tuple(SecretStr(value) for value in dict.fromkeys(values.values()) if value),
        max_in_flight=profile.max_in_flight or settings.max_in_flight,
        timeout_s=profile.timeout or settings.model_timeout_s,
        deadline_s=profile.deadline or settings.deadline_s,
        timezone=settings.timezone,
        names=_names(profile, keys + named),
        missing=next((name for name in needed if not values[name]), None),
        **{name: getattr(profile, name) for name in limits},
    )


def require_secrets(connection: ModelConnection) -> None:
    """Raise ConfigError, naming the variable, where a profile's key is not set."""
    if connection.missing:
        raise ConfigError(
            f"models: {connection.profile}: in feeds.yaml needs {connection.missing}, which is not set: "
            f"put {connection.missing}=… into .env, or remove the profile from the feeds that name it",
            variable=connection.missing,
            profile=connection.profile,
        )


def has_writer(settings: Settings, feed: FeedConfig) -> bool:
    """Return whether a model writes a feed's drafts; else they are offline briefs."""
    return feed.profiles[0] != DEFAULT_PROFILE or settings.model is not None


def verifier_of(settings: Settings, profiles: Collection[str], beat: Beat) -> str | None:
    """Return the profile of a beat's second reader; None where none reads, or its model is not set.

    Raises ConfigError where the settings name a profile that is not under `models:`.
    """
    name = beat.verifier or settings.verifier
    if name == VERIFIER_OFF or (name == DEFAULT_PROFILE and settings.model is None):
        return None
    if name not in {*profiles, DEFAULT_PROFILE}:
        choices = (*profiles, DEFAULT_PROFILE, VERIFIER_OFF)
        raise ConfigError(
            f"COPYDESK_VERIFIER {quoted(name)} is no profile of feeds.yaml; {did_you_mean(name, choices)}",
            variable="COPYDESK_VERIFIER",
        )
    return name


def used_profiles(settings: Settings, feeds: Iterable[FeedConfig]) -> list[str]:
    """Return the names of the writers and fallbacks of the enabled ones of these feeds, each once."""
    writing = (feed for feed in feeds if feed.enabled and has_writer(settings, feed))
    return list(dict.fromkeys(name for feed in writing for name in feed.profiles))


def used_verifiers(
    settings: Settings, profiles: Collection[str], beats: Mapping[str, Beat], feeds: Iterable[FeedConfig]
) -> list[str]:
    """Return the profiles of the second readers of the enabled ones of these feeds, each once.

    Raises ConfigError.
    """
    written = dict.fromkeys(feed.beat for feed in feeds if feed.enabled and has_writer(settings, feed))
    names = (verifier_of(settings, profiles, beats[beat]) for beat in written)
    return list(dict.fromkeys(name for name in names if name))


def profile_secrets(settings: Settings, profiles: Iterable[ModelProfile]) -> list[SecretStr]:
    """Return the values of all variables that these profiles name, as far as they are set."""
    named = (name for profile in profiles for name in (profile.key_variable or "", *_variables(profile)))
    return [settings.variables[name] for name in named if name in settings.variables]


def connection_named(settings: Settings, profiles: Mapping[str, ModelProfile], name: str) -> ModelConnection:
    """Return the connection of a profile of feeds.yaml, or of `default`.

    Raises ConfigError where feeds.yaml has no such profile, or `.env` sets no model.
    """
    if name in profiles:
        return connect_profile(settings, profiles[name])
    if name != DEFAULT_PROFILE:
        hint = did_you_mean(name, {DEFAULT_PROFILE, *profiles})
        raise ConfigError(f"feeds.yaml has no model {name!r} under models; {hint}", profile=name)
    if settings.model is None:
        raise ConfigError(
            f"{DEFAULT_PROFILE} is the model of .env, and no model is set there: set COPYDESK_MODEL",
            variable="COPYDESK_MODEL",
        )
    return _connect_default(settings, settings.model)


def _variables(profile: ModelProfile) -> list[str]:
    """Return the variables that a profile's headers and query name."""
    texts = (*profile.headers.values(), *profile.query.values())
    return [variable for text in texts for variable in SecretTemplate(text).variables]


def _needs_key(settings: Settings, profile: ModelProfile) -> bool:
    """Return whether requests fail without a key: only a server of one's own may need none."""
    if profile.key_variable:
        return True
    return profile.base_url is None and settings.base_url is None


def _value(settings: Settings, variable: str) -> str:
    """Return a variable's value, empty where it is not set. Raises ConfigError."""
    if variable == "OPENAI_API_KEY":
        return settings.api_key.get_secret_value() if settings.api_key else ""
    value = settings.variables[variable].get_secret_value() if variable in settings.variables else ""
    try:
        return header(value)
    except ValueError as error:
        raise ConfigError(f"{variable} (its value is not shown) {error}", variable=variable) from None


def _filled(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, SecretStr]:
    return {name: SecretStr(SecretTemplate(text).substitute(values)) for name, text in texts.items()}


def _names(profile: ModelProfile, variables: list[str]) -> ConnectionNames:
    where = f"of models: {profile.name}: in feeds.yaml"
    key = (
        f"{' and '.join(dict.fromkeys(variables))}, the key {where}" if variables else f"key_variable {where}"
    )
    return ConnectionNames(
        key=key,
        model=f"model {where}",
        url=f"base_url {where}" if profile.base_url else f"OPENAI_BASE_URL, or base_url {where}",
        extra=f"extra_body {where}",
        timeout=f"timeout {where}",
        max_tokens=f"max_tokens {where}",
        price=f"price {where}",
        deadline=f"deadline {where}",
    )
