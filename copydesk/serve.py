"""`copydesk serve`: runs the flows on their schedules, with Prefect's server unless one is named."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from copydesk.child_processes import end_process, start_process
from copydesk.console import pluralize, print_line, printable
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
        _desk_process(desk, settings.feeds_file),
        full_server(settings.base, settings.prefect_port) as server,
    ):
        from flows.serve import serve_flows

        print_line(f"Folder: {printable(settings.base)}")
        if server.page:
            print_line(f"Prefect's user interface: {server.page}")
        if metrics_port:
            print_line(f"Monitoring: /health, /ready and /metrics at port {metrics_port}")
        _print_schedules(feeds.subscriptions)
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(serve_flows(feeds, server.keep))


def _print_schedules(subscriptions: Subscriptions) -> None:
    from flows.schedules import groups

    for group in groups(subscriptions.feeds):
        feeds = f"{pluralize(len(group.feeds), 'feed')}: {printable(', '.join(group.feeds))}"
        print_line(f"{printable(group.schedule):>16}  {feeds}")
    print_line(
        "Rewrites begin when editors request them, other requests within a minute. Ctrl-C stops the server."
    )


@contextlib.contextmanager
def _desk_process(port: int | None, feeds_file: Path) -> Iterator[None]:
    """Run the review desk in its own process, so that it responds while runs are busy."""
    if port is None:
        yield
        return
    command = [sys.executable, "-m", "copydesk", "desk", "--port", str(port)]
    process = start_process(command, extra_env={"COPYDESK_FEEDS": str(feeds_file)})
    try:
        yield
    finally:
        end_process(process, "The desk")
