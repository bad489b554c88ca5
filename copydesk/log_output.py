"""Starts the log of a command, and has a command's messages be entries of a JSON log."""

import io
import logging
import os
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from pydantic import SecretStr

from copydesk import console
from pipeline.config import Settings, load_settings
from pipeline.config.logging import configure_logging, configure_terminal, log_to
from pipeline.domain.errors import ConfigError

if TYPE_CHECKING:
    from typing import TextIO

_log = logging.getLogger("copydesk.console")


class LogLines(io.TextIOBase):
    """A text stream whose lines become entries of the log."""

    def __init__(self, level: int) -> None:
        self._level, self._rest = level, ""

    def write(self, text: str) -> int:
        """Log each line that is complete and not empty."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in filter(str.strip, lines):
            _log.log(self._level, "%s", line.removeprefix("copydesk: ").strip())
        return len(text)


def load_logged_settings() -> Settings:
    """Return the settings, and log as they say. Raises ConfigError.

    So errors before a command calls `start_logging` with the secrets of feeds.yaml are entries of the log,
    too, and with COPYDESK_LOG=json in the environment also mistakes in the settings themselves.
    """
    try:
        settings = load_settings()
    except ConfigError:
        if os.environ.get("COPYDESK_LOG") == "json":
            log_to(sys.stderr, (), as_json=True)
            _capture_messages()
        raise
    start_logging(settings)
    return settings


def start_logging(settings: Settings, *, serves: bool = False, secrets: Collection[SecretStr] = ()) -> None:
    """Log as the settings say; `serves`: the process runs until it is stopped, and logs warnings in any case.

    `secrets` are those that feeds.yaml names: they are redacted, besides those of the settings. With JSON the
    messages on stderr are entries of the log, those of a process that serves on stdout, too.
    """
    configure_logging(settings, secrets=secrets)
    if settings.log == "json":
        _capture_messages()
        if serves:
            console.out.file = cast("TextIO", LogLines(logging.INFO))
    elif serves:
        configure_terminal(settings, secrets)


def _capture_messages() -> None:
    console.err.file = cast("TextIO", LogLines(logging.WARNING))
