"""Settings from the environment and the folder's `.env`."""

import os
import pwd
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.env_values import (
    ListenAddress,
    header,
    header_name,
    http_url,
    json_object,
    known_zone,
    listen_address,
    long_enough,
    names,
    path_list,
    rates,
    read_dotenv,
    secret,
    secret_url,
)
from pipeline.config.publish_targets import HOOK_PREFIX
from pipeline.config.yaml_source import did_you_mean, quoted, suggestion
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import VERIFIER_OFF
from pipeline.domain.urls import normalize_feed_url

ServerKind = Literal["openai", "openrouter", "ollama", "local"]
"""Kinds of model servers."""

VARIABLES = {
    "COPYDESK_FEEDS": "feeds_file",
    "COPYDESK_OUTPUT": "output",
    "COPYDESK_DATABASE_URL": "database_url",
    "COPYDESK_MODEL": "model",
    "OPENAI_BASE_URL": "base_url",
    "OPENAI_API_KEY": "api_key",
    "COPYDESK_VERIFIER": "verifier",
    "COPYDESK_TIMEZONE": "timezone",
    "COPYDESK_MAX_IN_FLIGHT": "max_in_flight",
    "COPYDESK_MAX_IN_FLIGHT_TOTAL": "max_in_flight_total",
    "COPYDESK_CALLS_PER_MINUTE": "calls_per_minute",
    "COPYDESK_WRITES_DRAFTS": "writes_drafts",
    "COPYDESK_MODEL_TIMEOUT": "model_timeout_s",
    "COPYDESK_MODEL_DEADLINE": "deadline_s",
    "COPYDESK_STOP_GRACE": "stop_grace_s",
    "COPYDESK_PREFECT": "prefect",
    "COPYDESK_PREFECT_PORT": "prefect_port",
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
    "COPYDESK_READING_WORDS_PER_S": "reading_words_per_s",
    "COPYDESK_REVIEW_TIMES": "review_times",
    "COPYDESK_ALERT_URL": "alert_url",
    "COPYDESK_ALERT_HOURS": "alert_hours",
    "COPYDESK_LOG": "log",
    "COPYDESK_METRICS_PORT": "metrics_port",
    "UNSPLASH_ACCESS_KEY": "unsplash_key",
}
"""Environment variables and the settings that they fill."""

UNSHOWN = {
    "alert_url", "api_key", "base_url", "database_url", "desk_token", "desk_user_secret", "unsplash_key",
}  # fmt: skip
"""Settings that hold or may hold a password: their values are not shown in messages."""


class Settings(BaseModel):
    """The settings of one process; made by `load_settings`, passed as arguments, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: Path
    """Absolute; relative paths in settings are resolved against it."""
    feeds_file: Path
    output: Path
    database_url: str = Field(repr=False)
    """SQLAlchemy URL: `sqlite:////absolute/path` or `postgresql+psycopg://…`."""
    model: str | None = None
    """None: articles are offline briefs."""
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(default=None, repr=False)
    api_key: Annotated[SecretStr, AfterValidator(secret)] | None = None
    verifier: str = VERIFIER_OFF
    """Profile of the second reader."""
    timezone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    """IANA name of the zone of day limits and of `--since/--until`."""
    max_in_flight: int = Field(default=8, ge=1, le=256)
    """Model calls of one run at the same time."""
    max_in_flight_total: int | None = Field(default=None, ge=1, le=100_000)
    """Model calls of all runs on this database at the same time."""
    calls_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Model calls of all runs on this database in any minute (rate limit)."""
    writes_drafts: bool = True
    """Whether this machine writes drafts to its output folder; if not, another machine does."""
    model_timeout_s: float = Field(default=120.0, gt=0, le=3600, allow_inf_nan=False)
    """Seconds for one attempt."""
    deadline_s: float = Field(default=600.0, gt=0, le=86_400, allow_inf_nan=False)
    """Seconds for one item, all attempts included."""
    stop_grace_s: float = Field(default=60.0, ge=0, le=3600, allow_inf_nan=False)
    """Seconds to wait for running model calls after a run is told to end (graceful shutdown)."""
    prefect: bool = True
    """Whether a run is a Prefect flow run; else it runs without Prefect."""
    prefect_port: int | None = Field(default=None, ge=1, le=65_535)
    """Port of the Prefect server that `serve` starts; None: any free one."""
    server: ServerKind | None = None
    """Kind of the model server; None: derived from its URL."""
    max_tokens: int | None = Field(default=None, ge=16, le=1_000_000)
    """Tokens that an answer may take; four times as many after a truncated answer."""
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    seed: int | None = None
    extra_body: Annotated[dict[str, Any], BeforeValidator(json_object)] = Field(default_factory=dict)
    """Further fields of every request to the model server."""
    price: Annotated[tuple[Decimal, Decimal, Decimal], BeforeValidator(rates)] | None = None
    """US dollars per million tokens: prompt, cached prompt, completion."""
    cap_run: Annotated[Decimal, Field(ge=0)] | None = None
    """US dollars that one run may spend on the model."""
    cap_day: Annotated[Decimal, Field(ge=0)] | None = None
    cap_month: Annotated[Decimal, Field(ge=0)] | None = None
    cap_backfill: Annotated[Decimal, Field(ge=0)] | None = None
    """US dollars that backfills may spend in a calendar day."""
    confirm: Decimal = Field(default=Decimal(1), ge=0)
    """US dollars; a backfill whose estimated cost is higher asks first."""
    contact: Annotated[str, AfterValidator(header)] | None = None
    """A URL or an email address for publishers, part of the User-Agent."""
    allow_hosts: Annotated[frozenset[str], BeforeValidator(path_list)] = frozenset()
    """`host:port` outside the public internet that requests may go to (exceptions of the SSRF guard)."""
    editor: str | None = None
    """Name of the editor in reviews; the desk asks each editor for a name."""
    desk_token: Annotated[SecretStr, AfterValidator(long_enough)] | None = None
    """Login token of the desk; None: a new one at each start."""
    desk_hosts: Annotated[frozenset[str], BeforeValidator(names)] = frozenset()
    """Host names of the desk besides loopback, with the port where a browser shows one."""
    desk_user_header: Annotated[str, AfterValidator(header_name)] | None = None
    """Header in which a reverse proxy on this machine names the signed-in editor."""
    desk_user_secret: Annotated[SecretStr, AfterValidator(long_enough)] | None = None
    """Value of X-Copydesk-Secret that the proxy sends: without it the header is ignored."""
    desk_url: Annotated[str, AfterValidator(http_url)] = "http://127.0.0.1:8484"
    """URL of the desk for a browser: reports link drafts there."""
    reading_words_per_s: float = Field(default=15, ge=0, le=1000, allow_inf_nan=False)
    """Words a second: a section counts as shown after it was on screen for its new words divided by this.

    0: no time is needed. Chosen, not measured.
    """
    review_times: bool = True
    """Whether the times of what editors were shown and decided are stored, for the record of each review."""
    alert_url: Annotated[SecretStr, AfterValidator(secret_url)] | None = None
    """A webhook that gets alerts."""
    alert_hours: float = Field(default=24, gt=0, le=8760, allow_inf_nan=False)
    """Hours after which a waiting draft is an alert."""
    log: Literal["text", "json"] | None = None
    """Format of the log on stderr; None: no log."""
    metrics_port: Annotated[ListenAddress, BeforeValidator(listen_address)] | None = None
    """Where `copydesk serve` answers monitoring; None: nowhere."""
    unsplash_key: Annotated[SecretStr, AfterValidator(secret)] | None = None
    """Access key of the cover search."""
    hooks: dict[str, SecretStr] = Field(default_factory=dict)
    """URLs of deploy hooks by variable."""
    variables: dict[str, SecretStr] = Field(default_factory=dict, repr=False, exclude=True)
    """Every variable that is set: a model profile names those that hold its secrets."""

    @property
    def prompts(self) -> Path:
        """Folder of the operator's prompts; one that is not there is the packaged one."""
        return self.base / "prompts"


def base_folder() -> Path:
    """Return the default folder of settings: the current one."""
    return Path.cwd().absolute()


def own_version() -> str:
    """Return the version of the installed package."""
    return version("copydesk")


def user_agent(settings: Settings) -> str:
    """Return the User-Agent: program, version and contact."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    return f"Copydesk/{own_version()}{contact}"


def require_output_folder(settings: Settings) -> None:
    """Raise ConfigError where this machine writes no drafts."""
    if not settings.writes_drafts:
        raise ConfigError(
            "this machine writes no drafts (COPYDESK_WRITES_DRAFTS=no); do this on the one that does",
            variable="COPYDESK_WRITES_DRAFTS",
        )


def require_prefect(settings: Settings) -> None:
    """Raise ConfigError where runs are not to be flow runs, for what is one by its nature."""
    if not settings.prefect:
        raise ConfigError(
            "schedules need Prefect, and COPYDESK_PREFECT is off: set COPYDESK_PREFECT=on, or have cron or a "
            "systemd timer start `copydesk run`",
            variable="COPYDESK_PREFECT",
        )


def require_user_secret(settings: Settings) -> None:
    """Raise ConfigError where a user header is set without the secret that identifies the proxy."""
    if settings.desk_user_header and not settings.desk_user_secret:
        raise ConfigError(
            "COPYDESK_DESK_USER_HEADER is set without COPYDESK_DESK_USER_SECRET: any program of this machine "
            "could name any editor; set COPYDESK_DESK_USER_SECRET to 16 characters or more, and have the "
            "proxy send them in the header X-Copydesk-Secret",
            variable="COPYDESK_DESK_USER_SECRET",
        )


def load_settings(environ: Mapping[str, str] | None = None, base: Path | None = None) -> Settings:
    """Return the settings from `environ` (default: the process's) and `.env` in `base` (default: here).

    The environment overrides `.env`, also with an empty value, which means the default. Raises ConfigError
    that names the variable, its value unless that may be a secret, and the fix.
    """
    environ = os.environ if environ is None else environ
    base = (base or base_folder()).absolute()
    merged = {**read_dotenv(base / ".env"), **environ}
    _refuse_unknown(merged)
    raw = {field: merged.get(name, "").strip() for name, field in VARIABLES.items()}
    values: dict[str, object] = {field: value for field, value in raw.items() if value}
    values |= {
        "base": base,
        "feeds_file": _path("COPYDESK_FEEDS", raw["feeds_file"] or "feeds.yaml", base),
        "output": _path("COPYDESK_OUTPUT", raw["output"] or "output", base),
        "database_url": _database_url(raw["database_url"], base),
        "model": None if raw["model"].lower() in {"", "offline"} else raw["model"],
        "editor": raw["editor"] or _login_name(merged),
        "hooks": _hook_urls(merged),
        "variables": {name: SecretStr(text) for name, value in merged.items() if (text := value.strip())},
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise _config_error(error) from None  # its text may hold a key
    return _require_model_server(settings)


def _refuse_unknown(merged: Mapping[str, str]) -> None:
    own_names = (name for name in merged if name.startswith("COPYDESK_") and not name.startswith(HOOK_PREFIX))
    unknown = sorted(name for name in own_names if name not in VARIABLES)
    if unknown:
        known_names = [name for name in VARIABLES if name.startswith("COPYDESK_")]
        raise ConfigError(
            f"{unknown[0]} is not a setting of Copydesk; {did_you_mean(unknown[0], known_names)}",
            variable=unknown[0],
            problems=tuple(unknown),
        )


def _hook_urls(merged: Mapping[str, str]) -> dict[str, SecretStr]:
    """Return the URLs of deploy hooks by variable. Raises ConfigError, whose message shows no URL."""
    urls = {}
    for name, value in merged.items():
        if not name.startswith(HOOK_PREFIX) or not (url := value.strip()):
            continue
        if normalize_feed_url(url) is None:
            raise ConfigError(
                f"{name} (its value is not shown) is no http(s) URL; write the one that your host gave you",
                variable=name,
            )
        urls[name] = SecretStr(url)
    return urls


def _require_model_server(settings: Settings) -> Settings:
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
    except RuntimeError as error:  # ~name of a user that does not exist
        raise ConfigError(
            f"{variable} {quoted(text)} names no folder of this machine; write a full path", variable=variable
        ) from error


def _database_url(url: str, base: Path) -> str:
    """Return the SQLAlchemy URL: SQLite paths are resolved against `base`, PostgreSQL uses psycopg 3."""
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


def _login_name(environ: Mapping[str, str]) -> str | None:
    for name in ("LOGNAME", "USER"):
        if environ.get(name):
            return environ[name]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return None


def _config_error(error: ValidationError) -> ConfigError:
    problems = tuple(_describe(detail) for detail in error.errors(include_url=False))
    more = f" (and {len(problems) - 1} more settings are wrong)" if len(problems) > 1 else ""
    return ConfigError(problems[0] + more, problems=problems)


def _describe(detail: ErrorDetails) -> str:
    field = str(detail["loc"][0])
    variable = next(name for name, filled in VARIABLES.items() if filled == field)
    value = "(its value is not shown)" if field in UNSHOWN else quoted(detail["input"])
    return f"{variable} {value} {suggestion(detail)}"
