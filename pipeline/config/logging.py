"""Log output, one line per entry as text or JSON, with run, feed and item; secrets are redacted."""

import contextlib
import json
import logging
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipeline.config import (
    Settings,
    Subscriptions,
    feed_secrets,
    load_feeds,
    load_settings,
    profile_secrets,
)
from pipeline.config.env_values import set_defaults
from pipeline.domain.errors import ConfigError
from pipeline.domain.urls import without_userinfo

FIELDS = ("run", "feed", "item")
"""Fields of an entry, passed as `extra`."""
_REDACTED = "***"


class RedactingFormatter(logging.Formatter):
    """Formats an entry as a line of text, with `***` in place of every secret."""

    def __init__(self, secrets: Iterable[str], form: str = "%(asctime)s %(levelname)s %(message)s") -> None:
        super().__init__(form)
        self._secrets: list[str] = []
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Redact these secrets too."""
        # The longest first: one secret may be part of another.
        every = {*self._secrets, *(secret for secret in secrets if secret)}
        self._secrets = sorted(every, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        about = [f"{name}={value}" for name, value in self.about(record).items()]
        return " ".join([*self.redact(super().format(record)).split("\n"), *about])

    def about(self, record: logging.LogRecord) -> dict[str, str]:
        """Return the run, feed and item of a record, where it has them."""
        fields = {name: record.__dict__.get(name) for name in FIELDS}
        return {name: self.redact(str(value)) for name, value in fields.items() if value}

    def redact(self, text: str) -> str:
        """Return the text with `***` in place of every secret, and no login in URLs."""
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return without_userinfo(text)


class TerminalFormatter(RedactingFormatter):
    """Formats an entry for a terminal, with its traceback in lines of its own."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(secrets, "%(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        return self.redact(logging.Formatter.format(self, record))


class JsonFormatter(RedactingFormatter):
    """Formats an entry as one JSON object: at, level, logger, message, and run, feed, item where known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.redact(record.getMessage()),
            **self.about(record),
        }
        if record.exc_info:
            entry["trouble"] = self.redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class PrefectJsonFormatter(JsonFormatter):
    """The same entries from Prefect's loggers, in its server and in flow runs, which Prefect starts."""

    def __init__(self, *_arguments: object, **_named: object) -> None:
        super().__init__(())
        with contextlib.suppress(ConfigError):  # Prefect's server starts all the same
            settings = load_settings()
            self.hide(secrets_of(settings))
            named = secrets_named(settings, load_feeds(settings.feeds_file))
            self.hide(secret.get_secret_value() for secret in named)


PREFECT_VARIABLES = {
    "PREFECT_LOGGING_FORMATTERS_JSON_CLASS": f"{__name__}.PrefectJsonFormatter",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER": "json",
    "PREFECT_LOGGING_HANDLERS_DEBUG_FORMATTER": "json",
    "PREFECT_LOGGING_COLORS": "false",
}
"""Source: https://docs.prefect.io/v3/advanced/logging-customization: keys of its logging.yml as variables."""


def configure_logging(
    settings: Settings, stream: TextIO | None = None, secrets: Iterable[SecretStr] = ()
) -> None:
    """Send the `copydesk` loggers to `stream` (default: stderr) as the settings say. Idempotent.

    As JSON also warnings of other loggers and of Python, and Prefect's in processes that start later.
    `secrets` are redacted, besides those of the settings.
    """
    if settings.log is not None:
        redacted = [*secrets_of(settings), *(secret.get_secret_value() for secret in secrets)]
        log_to(stream or sys.stderr, redacted, as_json=settings.log == "json")


def log_to(stream: TextIO, redacted: Iterable[str], *, as_json: bool) -> None:
    """Send the `copydesk` loggers to `stream`, without these secrets. Idempotent."""
    logger = logging.getLogger("copydesk")
    for existing in logger.handlers:
        if isinstance(existing.formatter, RedactingFormatter):
            existing.formatter.hide(redacted)
            return
    handler = logging.StreamHandler(stream)
    handler.setFormatter((JsonFormatter if as_json else RedactingFormatter)(redacted))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if as_json:
        _capture_others(handler)


def _capture_others(handler: logging.Handler) -> None:
    """Send what other loggers, Python's warnings and uncaught exceptions say to the handler."""
    root = logging.getLogger()
    for other in [each for each in root.handlers if isinstance(each, logging.StreamHandler)]:
        root.removeHandler(other)  # it writes text to the same stream
    root.addHandler(handler)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda raised: _log_uncaught(
        raised.exc_type, raised.exc_value or raised.exc_type(), raised.exc_traceback
    )
    set_defaults(PREFECT_VARIABLES)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    message = "unexpected error, please report it: %s: %s"
    logging.getLogger("copydesk").critical(message, kind.__name__, error, exc_info=(kind, error, trace))


def configure_terminal(settings: Settings, secrets: Iterable[SecretStr]) -> None:
    """Print the warnings of all loggers that have no output of their own on stderr, with secrets redacted."""
    handler = logging.StreamHandler()
    named = (secret.get_secret_value() for secret in secrets)
    handler.setFormatter(TerminalFormatter([*secrets_of(settings), *named]))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def secrets_named(settings: Settings, subscriptions: Subscriptions) -> list[SecretStr]:
    """Return every secret that feeds.yaml names: of feeds, of logins in URLs, and of models."""
    of_feeds = feed_secrets(settings, subscriptions.feeds, subscriptions.logins)
    return of_feeds + profile_secrets(settings, subscriptions.models.values())


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret of the settings, passwords in URLs included."""
    fields = [getattr(settings, name) for name in type(settings).model_fields]
    values = [*(field for field in fields if isinstance(field, SecretStr)), *settings.hooks.values()]
    passwords = [_password(url) for url in (settings.database_url, settings.base_url or "")]
    return [value.get_secret_value() for value in values] + passwords + list(map(unquote, passwords))


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:  # not a URL: its user reports that
        return ""
