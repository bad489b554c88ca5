"""`copydesk desk`: serves the review desk and prints the link that signs a browser in."""

import logging
import os
import socket
import webbrowser
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import cast

from copydesk.console import err, out
from copydesk.log_output import load_logged_settings, start_logging
from pipeline.config import (
    Settings,
    Subscriptions,
    desk_settings,
    has_writer,
    load_feeds,
    private_files,
    require_user_secret,
)
from pipeline.config.logging import secrets_named
from pipeline.domain.errors import ConfigError
from pipeline.storage import Database

SERVE_TOKEN = "_COPYDESK_SERVE_TOKEN"  # noqa: S105 - a variable's name
"""Variable with the token that `serve` made, so that the link is the same when it starts the desk anew."""
_LOG_SIZE = 5_000_000
"""Bytes of one file of the audit log; six files are kept. Chosen, not measured."""


def serve(host: str, port: int, *, browser: bool) -> None:
    """Serve the desk until it is interrupted. Raises ConfigError, DatabaseError before it starts."""
    settings = desk_settings(load_logged_settings)
    require_user_secret(settings)
    subscriptions = load_feeds(settings.feeds_file)
    Database.open(settings.database_url).close()
    import uvicorn

    from desk import create_app
    from desk.auth import AccessPolicy

    listening = _listen(host, port)
    port = listening.getsockname()[1]
    access = AccessPolicy(
        port=port,
        token=_token(settings),
        hosts=settings.desk_hosts,
        user_header=settings.desk_user_header,
        user_secret=settings.desk_user_secret,
    )
    _configure_logging(settings, subscriptions)
    config = uvicorn.Config(
        create_app(settings, access), log_level="warning", access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=5, ws="none",
        log_config=None,  # its log goes to ours, which redacts secrets
    )  # fmt: skip
    link = f"http://{_shown(host)}:{port}/?token={access.token}"
    _print_link(link, model=any(has_writer(settings, feed) for feed in subscriptions.feeds))
    if browser:
        webbrowser.open(link)
    uvicorn.Server(config).run(sockets=[listening])


def _token(settings: Settings) -> str:
    from desk.auth import new_token

    of_serve = os.environ.pop(SERVE_TOKEN, None)  # child processes of the desk do not get it
    return settings.desk_token.get_secret_value() if settings.desk_token else of_serve or new_token()


class _PrivateLog(RotatingFileHandler):
    """A rotating log whose files only their owner can read."""

    def _open(self) -> TextIOWrapper:
        opened = open(self.baseFilename, self.mode, encoding=self.encoding, opener=private_files.opener)  # noqa: SIM115
        return cast(TextIOWrapper, opened)


def _configure_logging(settings: Settings, subscriptions: Subscriptions) -> None:
    """Log warnings to the terminal, and the audit log (who changed what) to a private file."""
    start_logging(settings, serves=True, secrets=secrets_named(settings, subscriptions))
    path = settings.base / ".copydesk" / "desk-audit.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _PrivateLog(path, maxBytes=_LOG_SIZE, backupCount=5, encoding="utf-8")
    except OSError as error:
        message = f"{path}: {error.strerror}; the desk writes its audit log there: make the file writable"
        raise ConfigError(message, path=str(path)) from error
    audit = logging.getLogger("copydesk.desk.audit")
    audit.setLevel(logging.INFO)
    audit.propagate = False
    audit.addHandler(handler)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections; port 0 means any free port. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # who opens the link before the server has started waits for it
    except (OSError, OverflowError) as error:
        listening.close()
        message = (
            f"the desk cannot listen at {host}:{port} ({error}); if another desk uses the port, "
            "choose another one with --port"
        )
        raise ConfigError(message, port=port) from error
    return listening


def _shown(host: str) -> str:
    """Return the host for a browser on this machine."""
    if host in {"", "0.0.0.0", "::", "localhost"}:  # noqa: S104 - a comparison
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _print_link(link: str, *, model: bool) -> None:
    out.print(f"The desk is open: {link}", markup=False, highlight=False, soft_wrap=True)
    err.print("The link signs your browser in: do not share it. Ctrl-C stops the desk.", style="dim")
    if not model:
        err.print("No model is set (COPYDESK_MODEL): redrafts are offline briefs.", style="dim")
