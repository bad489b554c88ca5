"""`copydesk run`: starts a flow, shows how it goes, says what came of it."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from copydesk.console import counted, err, machine, plain, say, table, trouble
from copydesk.progress import Count, shown
from copydesk.publishing import published
from copydesk.sample import is_sample, serving
from copydesk.server import small_server
from flows.api import require_api, require_api_url
from pipeline.ledger import Ledger, dollars
from pipeline.net import require_usable_proxies
from pipeline.publish import Outcome
from pipeline.settings import Settings, load_feeds, load_settings

Report = dict[str, Any]


def ingest(feeds: list[str] | None, *, as_json: bool) -> None:
    """Run the ingest flow in this process and report."""
    with serving():
        settings = checked()
        quieten()
        with small_server(settings.base) as ready:
            from flows.ingest import ingest as flow

            report = carried_out(lambda: flow(feeds), ready, as_json=as_json)
    tell(report, as_json=as_json)


def requests() -> None:
    """Run the requests flow in this process and report."""
    with serving():
        settings = checked()
        quieten()
        with small_server(settings.base) as ready:
            from flows.requests import requests as flow

            report = carried_out(flow, ready, as_json=False)
    tell(report, as_json=False)


def checked() -> Settings:
    """Fail on a wrong setting, subscription or ledger before the seconds that Prefect takes to start.

    So it does on proxies and a Prefect server of the environment that cannot be used. Raises ConfigError,
    LedgerError.
    """
    settings = load_settings()
    require_usable_proxies()
    require_api_url()
    subscriptions = load_feeds(settings.feeds_file)
    with Ledger.open(settings.database_url) as ledger:
        ledger.sync_feeds(subscriptions.feeds)
    return settings


def quieten() -> None:
    """Silence Prefect's own lines unless somebody asks for them: the report says what happened."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")  # its workers speak of slow servers there
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")


def carried_out(
    start: Callable[[], Awaitable[Report]],
    ready: Callable[[], None],
    *,
    as_json: bool,
    count: Count | None = None,
) -> Report:
    """Run a flow in this process once Prefect's server is `ready`, and return what it returns.

    `count` is kept up while it runs.
    """
    from flows.room import listener, teller

    count = count or Count()
    with shown(count, wanted=not as_json) as notify:
        ready()
        tokens = listener.set(notify), teller.set(lambda said: err.print(f"copydesk: {said}"))
        try:
            return asyncio.run(_awaited(start))
        finally:
            listener.reset(tokens[0])
            teller.reset(tokens[1])


async def _awaited(start: Callable[[], Awaitable[Report]]) -> Report:
    await require_api()
    return await start()


def tell(report: Report, *, as_json: bool) -> None:
    """Say what came of a run, and end with its exit code where that is not 0."""
    if as_json:
        machine(report)
    else:
        _feeds(report["feeds"])
        _summary(report)
    if report["stopped"]:
        err.print(f"copydesk: {plain(report['stopped'])}")
    if report["exit_code"]:
        sys.exit(report["exit_code"])


def _feeds(feeds: list[Report]) -> None:
    columns = ("feed", "new", "drafted", "merged", "skipped", "failed", "queued", "said")
    table("Feeds", columns, (_row(feed) for feed in feeds))
    for feed in feeds:
        for reason in feed["failed"]:
            say(f"failed in {plain(feed['feed'])}: {plain(reason)}")


def _row(feed: Report) -> tuple[object, ...]:
    quiet = ["nothing new"] if not feed["new"] and not feed["drafts"] else []
    changed = [f"{counted(feed['updated'], 'source')} changed"] if feed["updated"] else []
    told = "; ".join([*(changed or quiet), *feed["notes"]])
    said = trouble(feed["feed"], feed["error"] or feed["held"]) or told
    return (
        feed["feed"],
        feed["new"],
        len(feed["drafts"]),
        feed["merged"],
        feed["skipped"],
        len(feed["failed"]),
        feed["queued"],
        said,
    )


def _summary(report: Report) -> None:
    drafts = [path for feed in report["feeds"] for path in feed["drafts"]]
    rewritten = sum(feed["rewritten"] for feed in report["feeds"])
    queued = sum(feed["queued"] for feed in report["feeds"])
    say()
    if not report["feeds"]:
        say("No feed is enabled: add one to feeds.yaml.")
    elif drafts:
        briefs = len(drafts) - rewritten
        kinds = [f"{rewritten} rewritten by {plain(report['model'])}"] if rewritten else []
        kinds += [counted(briefs, "offline brief")] if briefs else []
        folder = _shown(report["output"])
        say(f"[bold]{counted(len(drafts), 'draft')}[/bold] ({', '.join(kinds)}) in {folder}/drafts")
    elif changed := sum(feed["updated"] for feed in report["feeds"]):
        say(f"No draft was added; [bold]{counted(changed, 'source')} changed[/bold]. The desk shows which.")
    else:
        say("[bold]Nothing new:[/bold] no draft was added or changed.")
    if micros := sum(feed["micros"] for feed in report["feeds"]):
        say(f"The model cost {dollars(micros)}.")
    if queued:
        say(f"{counted(queued, 'item')} left for the next run.")
    published(Outcome.model_validate(one) for one in report["published"])
    _next_steps(report)


def _next_steps(report: Report) -> None:
    prefix = "copydesk --sample" if is_sample() else "copydesk"
    binary = "" if Path(sys.prefix, "bin").as_posix() in os.environ.get("PATH", "") else ".venv/bin/"
    say("\nNext:")
    say(f"  read them        {binary}{prefix} drafts list")
    say(f"  decide           {binary}{prefix} approve DRAFT, or reject DRAFT --note why")
    if report["model"] == "the offline brief":
        say("  use a model      set COPYDESK_MODEL and a key or base URL in .env: see .env.example")
    if is_sample():
        say(f"  your own feeds   edit feeds.yaml, then {binary}copydesk doctor and {binary}copydesk run")


def _shown(path: str) -> str:
    folder = Path(path)
    with contextlib.suppress(ValueError):
        return plain(folder.relative_to(Path.cwd()))
    return plain(folder)
