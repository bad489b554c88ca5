"""Log output, one line per entry as text or JSON, with run, feed and item; secrets are redacted."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipeline.config import Settings
from pipeline.domain.urls import without_userinfo

FIELDS = ("run", "feed", "item")
"""Fields of an entry, passed as `extra`."""
_REDACTED = "***"


class RedactingFormatter(logging.Formatter):
    """Formats an entry as a line of text, with `***` in place of every secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        # The longest first: one secret may be part of another.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

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


def configure_logging(
    settings: Settings, stream: TextIO | None = None, secrets: Iterable[SecretStr] = ()
) -> None:
    """Send the `copydesk` loggers to `stream` (default: stderr) as the settings say. Idempotent.

    `secrets` are redacted, besides those of the settings.
    """
    logger = logging.getLogger("copydesk")
    if settings.log is None or any(
        isinstance(existing.formatter, RedactingFormatter) for existing in logger.handlers
    ):
        return
    handler = logging.StreamHandler(stream or sys.stderr)
    redacted = [*secrets_of(settings), *(secret.get_secret_value() for secret in secrets)]
    handler.setFormatter((JsonFormatter if settings.log == "json" else RedactingFormatter)(redacted))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


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
