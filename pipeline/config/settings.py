"""The settings of one run, from the environment and the folder's `.env`."""

import os
import pwd
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.child_environment import NO_TELEMETRY, deploy_hook_urls, for_git, minimal
from pipeline.config.dotenv import read_dotenv
from pipeline.config.env_values import (
    header,
    header_name,
    http_url,
    json_object,
    known_zone,
    long_enough,
    names,
    path_list,
    rates,
    secret,
    secret_url,
)
from pipeline.config.publish_targets import HOOK_PREFIX
from pipeline.config.yaml_source import did_you_mean, quoted, suggestion
from pipeline.domain.errors import ConfigError

VARIABLES = {
    "COPYDESK_FEEDS": "feeds_file",
    "COPYDESK_OUTPUT": "output",
    "COPYDESK_DATABASE_URL": "database_url",
    "COPYDESK_MODEL": "model",
    "OPENAI_BASE_URL": "base_url",
    "OPENAI_API_KEY": "api_key",
    "COPYDESK_TIMEZONE": "timezone",
    "COPYDESK_MAX_IN_FLIGHT": "max_in_flight",
    "COPYDESK_MAX_IN_FLIGHT_TOTAL": "max_in_flight_total",
    "COPYDESK_CALLS_PER_MINUTE": "calls_per_minute",
    "COPYDESK_WRITES_DRAFTS": "writes_drafts",
    "COPYDESK_MODEL_TIMEOUT": "model_timeout_s",
    "COPYDESK_MODEL_DEADLINE": "deadline_s",
    "COPYDESK_STOP_GRACE": "stop_grace_s",
    "COPYDESK_SERVER": "server",
    "COPYDESK_MAX_TOKENS": "max_tokens",
    "COPYDESK_TEMPERATURE": "temperature",
    "COPYDESK_SEED": "seed",
    "COPYDESK_EXTRA_BODY": "extra_body",
    "COPYDESK_PRICE": "price",
    "COPYDESK_CAP_RUN": "cap_run",
    "COPYDESK_CAP_DAY": "cap_day",
    "COPYDESK_CAP_MONTH": "cap_month",
    "COPYDESK_CAP_BACKFILL": "cap_backfill",
    "COPYDESK_CONFIRM": "confirm",
    "COPYDESK_CONTACT": "contact",
    "COPYDESK_ALLOW_HOSTS": "allow_hosts",
    "COPYDESK_EDITOR": "editor",
    "COPYDESK_DESK_TOKEN": "desk_token",
    "COPYDESK_DESK_HOSTS": "desk_hosts",
    "COPYDESK_DESK_USER_HEADER": "desk_user_header",
    "COPYDESK_DESK_USER_SECRET": "desk_user_secret",
    "COPYDESK_DESK_URL": "desk_url",
    "COPYDESK_ALERT_URL": "alert_url",
    "COPYDESK_ALERT_HOURS": "alert_hours",
    "COPYDESK_LOG": "log",
    "UNSPLASH_ACCESS_KEY": "unsplash_key",
}
"""Every environment variable that is read, and the setting that it fills."""

UNSHOWN = {
    "alert_url", "api_key", "base_url", "database_url", "desk_token", "desk_user_secret", "unsplash_key",
}  # fmt: skip
"""Settings that hold or may hold a password, and so never stand in a message."""


class Settings(BaseModel):
    """What one run works with; made by `load_settings`, handed to everything, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Path
    """Absolute; relative paths in settings are meant from here."""
    feeds_file: Path
    output: Path
    database_url: str = Field(repr=False)
    """SQLAlchemy's form: `sqlite:////absolute/path` or `postgresql+psycopg://…`."""
    model: str | None = None
    """None: no model, articles are offline briefs."""
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(default=None, repr=False)
    api_key: Annotated[SecretStr, AfterValidator(secret)] | None = None
    timezone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    """IANA name; day limits and `--since/--until` are meant in it."""
    max_in_flight: int = Field(default=8, ge=1, le=256)
    """Model calls of one run at one time."""
    max_in_flight_total: int | None = Field(default=None, ge=1, le=100_000)
    """Model calls of all runs on this ledger at one time."""
    calls_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Model calls of all runs on this ledger in any minute."""
    writes_drafts: bool = True
    """Whether drafts are written to the output folder of this machine; else another one writes them."""
    model_timeout_s: float = Field(default=120.0, gt=0, le=3600, allow_inf_nan=False)
    """Seconds for one attempt."""
    deadline_s: float = Field(default=600.0, gt=0, le=86_400, allow_inf_nan=False)
    """Seconds for one item, with all its attempts."""
    stop_grace_s: float = Field(default=60.0, ge=0, le=3600, allow_inf_nan=False)
    """Seconds that answers under way are waited for after a run is told to end."""
    server: Literal["openai", "openrouter", "ollama", "local"] | None = None
    """Which kind of server is asked; None: what its URL says."""
    max_tokens: int | None = Field(default=None, ge=16, le=1_000_000)
    """Tokens that an answer may take; four times as many after one was cut off."""
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    seed: int | None = None
    extra_body: Annotated[dict[str, Any], BeforeValidator(json_object)] = Field(default_factory=dict)
    """Further fields of every request, as the server knows them."""
    price: Annotated[tuple[Decimal, Decimal, Decimal], BeforeValidator(rates)] | None = None
    """US dollars for a million tokens: prompt, cached prompt, completion."""
    cap_run: Annotated[Decimal, Field(ge=0)] | None = None
    """US dollars that one run may spend on the model."""
    cap_day: Annotated[Decimal, Field(ge=0)] | None = None
    cap_month: Annotated[Decimal, Field(ge=0)] | None = None
    cap_backfill: Annotated[Decimal, Field(ge=0)] | None = None
    """US dollars that backfills may cost in a calendar day."""
    confirm: Decimal = Field(default=Decimal(1), ge=0)
    """US dollars; a backfill that is likely to cost more asks first."""
    contact: Annotated[str, AfterValidator(header)] | None = None
    """A URL or an address for publishers, part of the User-Agent."""
    allow_hosts: Annotated[frozenset[str], BeforeValidator(path_list)] = frozenset()
    """`host:port` outside the public internet that may be fetched from all the same."""
    editor: str | None = None
    """Who signs verdicts; the desk asks everybody for a name of their own."""
    desk_token: Annotated[SecretStr, AfterValidator(long_enough)] | None = None
    """Opens the desk, the same one whenever it starts; None: a new one each time."""
    desk_hosts: Annotated[frozenset[str], BeforeValidator(names)] = frozenset()
    """Names that the desk is reached by besides loopback, with the port where a browser shows one."""
    desk_user_header: Annotated[str, AfterValidator(header_name)] | None = None
    """Header in which a reverse proxy on this machine names the editor that it signed in."""
    desk_user_secret: Annotated[SecretStr, AfterValidator(long_enough)] | None = None
    """What that proxy sends in X-Copydesk-Secret: without it the header is not believed."""
    desk_url: Annotated[str, AfterValidator(http_url)] = "http://127.0.0.1:8484"
    """Where a browser finds the desk: reports link drafts there."""
    alert_url: Annotated[SecretStr, AfterValidator(secret_url)] | None = None
    """A webhook that is told what somebody has to look at."""
    alert_hours: float = Field(default=24, gt=0, le=8760, allow_inf_nan=False)
    """Hours after which a draft that waits is such a thing."""
    log: Literal["text", "json"] | None = None
    """How each item and run is logged to stderr; None: not at all."""
    unsplash_key: Annotated[SecretStr, AfterValidator(secret)] | None = None
    """Access key of the cover search."""
    hooks: dict[str, SecretStr] = Field(default_factory=dict)
    """URLs of deploy hooks, by the variable that holds each."""


def base_folder() -> Path:
    """Return the folder that settings are read for where none is named: the current one."""
    return Path.cwd().absolute()


def minimal_environment() -> dict[str, str]:
    """Return what Python needs to start, and no key or password, for a process that reads hostile text."""
    return minimal(os.environ)


def no_telemetry() -> None:
    """Have this process and all that it starts from now on report their use to nobody.

    An operator's own value wins. Prefect reads these variables when it is first imported.
    """
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)


def git_environment() -> dict[str, str]:
    """Return what git is started with: nothing but what it needs, and it asks nobody for a password."""
    return for_git(os.environ)


def user_agent(settings: Settings) -> str:
    """Return how we name ourselves to publishers: program, version and whom to write to."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"Copydesk/{version('copydesk')}{contact}"


def require_output_folder(settings: Settings) -> None:
    """Raise ConfigError on a machine that has no drafts of its own."""
    if not settings.writes_drafts:
        raise ConfigError(
            "this machine writes no drafts (COPYDESK_WRITES_DRAFTS=no); do this on the one that does",
            variable="COPYDESK_WRITES_DRAFTS",
        )


def require_user_secret(settings: Settings) -> None:
    """Raise ConfigError where a proxy's header is named and no secret tells the proxy from anybody else."""
    if settings.desk_user_header and not settings.desk_user_secret:
        raise ConfigError(
            "COPYDESK_DESK_USER_HEADER is set without COPYDESK_DESK_USER_SECRET: any program of this machine "
            "could name any editor; set COPYDESK_DESK_USER_SECRET to 16 characters or more, and have the "
            "proxy send them in the header X-Copydesk-Secret",
            variable="COPYDESK_DESK_USER_SECRET",
        )


def load_settings(environ: Mapping[str, str] | None = None, base: Path | None = None) -> Settings:
    """Return the settings from `environ` (default: the process's) and `.env` in `base` (default: here).

    The environment wins over `.env`, also with an empty value, which means the default. Raises
    ConfigError naming the variable, its value unless that may be a secret, and the fix.
    """
    environ = os.environ if environ is None else environ
    base = (base or base_folder()).absolute()
    merged = {**read_dotenv(base / ".env"), **environ}
    _refuse_unknown(merged)
    given = {field: merged.get(name, "").strip() for name, field in VARIABLES.items()}
    values: dict[str, object] = {field: value for field, value in given.items() if value}
    values |= {
        "base": base,
        "feeds_file": _path("COPYDESK_FEEDS", given["feeds_file"] or "feeds.yaml", base),
        "output": _path("COPYDESK_OUTPUT", given["output"] or "output", base),
        "database_url": _database(given["database_url"], base),
        "model": None if given["model"].lower() in {"", "offline"} else given["model"],
        "editor": given["editor"] or _login(merged),
        "hooks": deploy_hook_urls(merged),
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _failure(error) from None  # its text may hold a key
    return _callable_model(settings)


def desk_settings() -> Settings:
    """Return the settings for what is done to drafts themselves. Raises ConfigError where there are none."""
    settings = load_settings()
    require_output_folder(settings)
    return settings


def _refuse_unknown(merged: Mapping[str, str]) -> None:
    ours = (name for name in merged if name.startswith("COPYDESK_") and not name.startswith(HOOK_PREFIX))
    unknown = sorted(name for name in ours if name not in VARIABLES)
    if unknown:
        known = [name for name in VARIABLES if name.startswith("COPYDESK_")]
        raise ConfigError(
            f"{unknown[0]} is not a setting of Copydesk; {did_you_mean(unknown[0], known)}",
            variable=unknown[0],
            problems=tuple(unknown),
        )


def _callable_model(settings: Settings) -> Settings:
    if settings.model and not settings.api_key and not settings.base_url:
        raise ConfigError(
            f"COPYDESK_MODEL is {quoted(settings.model)}, but no server can be asked: set OPENAI_API_KEY, "
            "or OPENAI_BASE_URL for a server that needs no key, or COPYDESK_MODEL=offline for briefs",
            variable="COPYDESK_MODEL",
        )
    return settings


def _path(variable: str, text: str, base: Path) -> Path:
    try:
        return base / Path(text).expanduser()
    except RuntimeError as error:  # ~somebody, who has no home here
        raise ConfigError(
            f"{variable} {quoted(text)} names no folder of this machine; write a full path", variable=variable
        ) from error


def _database(url: str, base: Path) -> str:
    """SQLite's relative paths are meant from `base`, and PostgreSQL is spoken to by psycopg 3."""
    scheme, colon, rest = url.partition("://")
    if not url:
        return f"sqlite:///{base / '.copydesk' / 'ledger.db'}"
    if scheme == "sqlite" and rest.startswith("/"):
        path = rest.removeprefix("/")
        special = path in {"", ":memory:"} or path.startswith(("?", "file:"))
        return url if special else f"sqlite:///{base / path}"
    if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and colon and rest:
        return f"postgresql+psycopg://{rest}"
    raise ConfigError(
        "COPYDESK_DATABASE_URL is neither SQLite nor PostgreSQL (its value is not shown: it may hold a "
        "password); write sqlite:///ledger.db or postgresql://user@host/name",
        variable="COPYDESK_DATABASE_URL",
    )


def _login(environ: Mapping[str, str]) -> str | None:
    for name in ("LOGNAME", "USER"):
        if environ.get(name):
            return environ[name]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's nameless user
        return None


def _failure(error: ValidationError) -> ConfigError:
    problems = tuple(_sentence(detail) for detail in error.errors(include_url=False))
    more = f" (and {len(problems) - 1} more settings are wrong)" if len(problems) > 1 else ""
    return ConfigError(problems[0] + more, problems=problems)


def _sentence(detail: ErrorDetails) -> str:
    field = str(detail["loc"][0])
    variable = next(name for name, filled in VARIABLES.items() if filled == field)
    value = "(its value is not shown)" if field in UNSHOWN else quoted(detail["input"])
    return f"{variable} {value} {suggestion(detail)}"
