"""What runs log, a line each, as text or as JSON: run, feed and item, and never a secret."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipeline.config import Settings

FIELDS = ("run", "feed", "item")
"""What a record may be about, given as `extra`."""
_HIDDEN = "***"


class RedactingFormatter(logging.Formatter):
    """A line of text; stars where a secret would stand, whatever brought it there."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        # The longest first: one may be part of another.
        self._secrets = sorted({one for one in secrets if one}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        about = [f"{name}={value}" for name, value in self.about(record).items()]
        return " ".join([*self.redact(super().format(record)).split("\n"), *about])

    def about(self, record: logging.LogRecord) -> dict[str, str]:
        """Return what a record is about, where that is known."""
        said = {name: record.__dict__.get(name) for name in FIELDS}
        return {name: self.redact(str(value)) for name, value in said.items() if value}

    def redact(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


class JsonFormatter(RedactingFormatter):
    """One JSON object a line: at, level, logger, message, then run, feed and item where they are known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.redact(record.getMessage()),
            **self.about(record),
        }
        if record.exc_info:
            told["trouble"] = self.redact(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False)


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Have our own loggers write to stderr as the settings say; once, however often it is called."""
    ours = logging.getLogger("copydesk")
    if settings.log is None or any(isinstance(one.formatter, RedactingFormatter) for one in ours.handlers):
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((JsonFormatter if settings.log == "json" else RedactingFormatter)(secrets(settings)))
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False


def secrets(settings: Settings) -> list[str]:
    """Return every secret of the settings."""
    fields = [getattr(settings, name) for name in type(settings).model_fields]
    found = [*(one for one in fields if isinstance(one, SecretStr)), *settings.hooks.values()]
    passwords = [_password(url) for url in (settings.database_url, settings.base_url or "")]
    return [one.get_secret_value() for one in found] + passwords + [unquote(one) for one in passwords]


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:  # no URL: whoever uses it says so
        return ""
