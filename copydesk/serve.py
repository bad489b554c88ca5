"""`copydesk serve`: runs the flows on their schedules, with Prefect's server unless one is named."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from copydesk.child_processes import EndedTooOften, RestartedProcess, start_process
from copydesk.console import pluralize, print_line, printable
from copydesk.desk import SERVE_TOKEN
from copydesk.log_output import load_logged_settings, start_logging
from copydesk.monitoring import monitoring_port
from copydesk.prefect_server import full_server
from copydesk.sample import serve_sample_feeds
from flows.prefect_api import require_api, require_api_url
from pipeline.config import Settings, Subscriptions, load_settings, require_prefect
from pipeline.config.logging import secrets_named
from pipeline.http_client import require_usable_proxies
from pipeline.services.watched_feeds import WatchedFeeds, served_copy
from pipeline.storage import Database

_DESK_PAUSE_S = 60.0
"""Seconds between two starts of the desk, at least. Chosen: its own message comes once a minute at most."""
log = logging.getLogger("copydesk.serve")


def serve(desk: int | None = None) -> None:
    """Serve the flows until interrupted, and the desk at port `desk` if that is given.

    Raises ConfigError, DatabaseError before it starts.
    """
    with serve_sample_feeds():
        settings = load_logged_settings()
        require_prefect(settings)
        require_usable_proxies()
        require_api_url()
        feeds = WatchedFeeds(settings.feeds_file)
        Database.open(settings.database_url).close()
        start_logging(settings, serves=True, secrets=secrets_named(settings, feeds.subscriptions))
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
        if os.environ.get("PREFECT_API_URL"):  # otherwise `full_server` sets it before Prefect is imported
            asyncio.run(require_api())
        _serve(settings, feeds, desk)
    print_line("Stopped. No data is lost; the next run continues from here.")


def _serve(settings: Settings, feeds: WatchedFeeds, desk: int | None) -> None:
    with (
        served_copy(settings.feeds_file, feeds.checked),
        monitoring_port(load_settings()) as metrics_port,  # with the copy as feeds.yaml, as in the runs
        _desk_process(desk, settings.feeds_file) as keep_desk,
        full_server(settings.base, settings.prefect_port) as server,
    ):
        from flows.serve import serve_flows

        print_line(f"Folder: {printable(settings.base)}")
        if server.page:
            print_line(f"Prefect's user interface: {server.page}")
        if metrics_port:
            print_line(f"Monitoring: /health, /ready and /metrics at port {metrics_port}")
        _print_schedules(feeds.subscriptions)

        def keep() -> None:
            server.keep()
            keep_desk()

        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(serve_flows(feeds, keep))


def _print_schedules(subscriptions: Subscriptions) -> None:
    from flows.schedules import groups

    for group in groups(subscriptions.feeds):
        feeds = f"{pluralize(len(group.feeds), 'feed')}: {printable(', '.join(group.feeds))}"
        print_line(f"{printable(group.schedule):>16}  {feeds}")
    print_line(
        "Rewrites begin when editors request them, other requests within a minute. Ctrl-C stops the server."
    )


@contextlib.contextmanager
def _desk_process(port: int | None, feeds_file: Path) -> Iterator[Callable[[], None]]:
    """Run the review desk in its own process, so that it responds while runs are busy.

    Yields a function that starts it anew where it has ended, with the same link.
    """
    if port is None:
        yield lambda: None
        return
    command = [sys.executable, "-m", "copydesk", "desk", "--port", str(port)]
    start = partial(start_process, command, extra_env=desk_variables(feeds_file))
    desk = RestartedProcess("The desk", start, _DESK_PAUSE_S)
    try:
        yield partial(keep_desk, desk)
    finally:
        desk.end()


def desk_variables(feeds_file: Path) -> dict[str, str]:
    """Return the environment variables of the desk: each start with them has the same token."""
    from desk.auth import new_token

    return {"COPYDESK_FEEDS": str(feeds_file), SERVE_TOKEN: new_token()}


def keep_desk(desk: RestartedProcess) -> None:
    """Start the desk anew if it has ended; log one line where it ended too often, and go on."""
    try:
        desk.keep()
    except EndedTooOften as ended:
        log.warning(
            "%s: the feeds are served without it, and it is started anew in ten minutes; correct what its "
            "last lines say",
            ended,
        )
