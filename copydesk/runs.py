"""`copydesk run` and `copydesk backfill`: start a flow, show how it goes, say what came of it."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from copydesk.console import counted, err, machine, plain, say, table, trouble
from copydesk.publishing import published
from copydesk.sample import is_sample, serving
from pipeline.ledger import Ledger, dollars
from pipeline.publish import Outcome
from pipeline.settings import Settings, load_feeds, load_settings, parse_day

Report = dict[str, Any]


def ingest(feeds: list[str] | None, *, as_json: bool) -> None:
    """Run the ingest flow in this process and report."""
    with serving():
        _check()
        _quiet()
        from flows.ingest import ingest as flow

        report = _run(lambda: flow(feeds), as_json=as_json)
    _report(report, as_json=as_json)


def requests() -> None:
    """Run the requests flow in this process and report."""
    with serving():
        _check()
        _quiet()
        from flows.requests import requests as flow

        report = _run(flow, as_json=False)
    _report(report, as_json=False)


def backfill(
    feed: str, since: str | None, until: str | None, limit: int, *, dry_run: bool, as_json: bool
) -> None:
    """Run the backfill flow in this process and report."""
    with serving():
        settings = _check()
        start = parse_day(since, settings.timezone) if since else None
        end = parse_day(until, settings.timezone) if until else None
        _quiet()
        from flows.backfill import backfill as flow

        report = _run(lambda: flow(feed, start, end, limit, dry_run), as_json=as_json)
    if dry_run:
        _would(report["items"], report["estimate"], as_json=as_json)
    else:
        _report(report, as_json=as_json)


def _check() -> Settings:
    """Fail on a wrong setting, subscription or ledger before the seconds that Prefect takes to start."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Ledger.open(settings.database_url) as ledger:
        ledger.sync_feeds(subscriptions.feeds)
    return settings


def _quiet() -> None:
    """Silence Prefect's own lines unless somebody asks for them: the report says what happened."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")  # its workers speak of slow servers there
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")


def _run(start: Callable[[], Awaitable[Report]], *, as_json: bool) -> Report:
    from flows.room import listener

    with _progress(show=not as_json) as notify:
        token = listener.set(notify)
        try:
            return asyncio.run(_awaited(start))
        finally:
            listener.reset(token)


async def _awaited(start: Callable[[], Awaitable[Report]]) -> Report:
    return await start()


@contextlib.contextmanager
def _progress(*, show: bool) -> Iterator[Callable[[str, str], None]]:
    """Show a bar on a terminal, nothing elsewhere: the report at the end is plain lines."""
    if not (show and err.is_terminal):
        yield lambda _feed, _what: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("starting Prefect, polling feeds", total=None)
        claimed = 0

        def notify(feed: str, what: str) -> None:
            nonlocal claimed
            if what == "claimed":
                claimed += 1
                bar.update(task, total=claimed, description=f"drafting {plain(feed)}")
            else:
                bar.advance(task)

        yield notify


def _would(items: list[dict[str, Any]], estimate: Report, *, as_json: bool) -> None:
    if as_json:
        machine({"items": items, "estimate": estimate})
        return
    table(
        "Would be drafted",
        ("published", "title", "why"),
        ((i["published"], i["title"], i["why"]) for i in items),
    )
    say(f"Would draft {counted(len(items), 'item')}; nothing was written.")
    if estimate["likely"] is not None:
        likely, most = dollars(estimate["likely"]), dollars(estimate["most"])
        say(f"It would cost about {likely}, and at most {most} where each answer is right at once.")


def _report(report: Report, *, as_json: bool) -> None:
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
    said = trouble(feed["feed"], feed["error"] or feed["held"]) or (
        "nothing new" if not feed["new"] and not feed["drafts"] else "; ".join(feed["notes"])
    )
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
