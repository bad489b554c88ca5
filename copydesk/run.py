"""`copydesk run`: starts a run, shows its progress on a terminal, prints its report."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.text import Text

from copydesk import costs
from copydesk.console import (
    err,
    pluralize,
    print_json,
    print_line,
    printable,
    program,
    table,
    without_feed_key,
)
from copydesk.log_output import load_logged_settings
from copydesk.prefect_server import Report, RunStarter, run_starter
from copydesk.publish import print_results
from copydesk.sample import is_sample, serve_sample_feeds
from pipeline.config import Settings
from pipeline.http_client import require_usable_proxies
from pipeline.publishing import TargetResult
from pipeline.services.causes import RunCause
from pipeline.storage import cost_text

if TYPE_CHECKING:
    from pipeline.services.archive import BackfillPreview


@dataclass
class Count:
    """Progress of a run."""

    expected: int = 0
    """Items to draft; 0 if unknown."""
    read: int = 0
    """Pages read of a feed's archive."""
    claimed: int = 0
    done: int = 0
    cost: str = ""
    """Cost so far; empty: none."""
    began: float | None = None
    """Start of the first item, in seconds of the caller's clock."""
    first: str = "polling feeds"
    """Text before the first item."""

    @property
    def total(self) -> int | None:
        """Number of items; None before the first one."""
        return max(self.expected, self.claimed) or None

    def note(self, what: str, cost: str, now: float) -> None:
        """Count a progress event: `read`, `claimed` or any other for a finished item."""
        self.cost = cost
        if what == "read":
            self.read += 1
        elif what == "claimed":
            self.claimed += 1
            self.began = now if self.began is None else self.began
        else:
            self.done += 1

    def pace(self, now: float) -> str:
        """Return items per minute, cost so far and time left, as far as they are known."""
        seconds = now - self.began if self.began is not None else 0.0
        parts = [self.cost] if self.cost else []
        if self.done and seconds > 0:
            left = ((self.total or 0) - self.done) * seconds / self.done
            parts = [f"{60 * self.done / seconds:.0f} per minute", *parts, f"{_format_duration(left)} left"]
        return " · ".join(parts)

    def doing(self, feed: str) -> str:
        """Return the current step."""
        if self.claimed:
            return f"drafting {feed}"
        return f"reading {feed}, page {self.read}" if self.read else self.first


class _Pace(ProgressColumn):
    """Column with the pace, computed at each drawing of the bar."""

    def __init__(self, count: Count, clock: Callable[[], float]) -> None:
        super().__init__()
        self._count, self._clock = count, clock

    def render(self, _task: object) -> Text:
        return Text(self._count.pace(self._clock()))


@contextlib.contextmanager
def progress_bar(
    count: Count,
    *,
    show: bool = True,
    console: Console = err,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[str, str, str], None]]:
    """Yield a progress callback that updates `count`; `show` draws a bar if `console` is a terminal."""
    if not (show and console.is_terminal):
        yield lambda _feed, what, cost: count.note(what, cost, clock())
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, _Pace(count, clock), console=console, transient=True) as bar:
        task = bar.add_task(count.doing(""), total=None)

        def notify(feed: str, what: str, cost: str) -> None:
            count.note(what, cost, clock())
            doing = count.doing(printable(feed))
            bar.update(task, total=count.total, completed=count.done, description=doing)

        yield notify


def _format_duration(seconds: float) -> str:
    """Return a duration as h:mm:ss, or m:ss below one hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def ingest(feeds: list[str] | None, *, as_json: bool, direct: bool = False) -> None:
    """Poll feeds and draft new items in this process, and print the report; `direct`: without Prefect."""
    with serve_sample_feeds(), run_starter("ingest", load_checked_settings(), direct=direct) as begin:
        report = run_flow(begin, feeds, as_json=as_json)
    print_report(report, as_json=as_json)
    exit_as(report)


def requests(*, direct: bool = False, as_json: bool = False) -> Report:
    """Carry out the requests of editors in this process and return the report; `direct`: without Prefect."""
    with serve_sample_feeds(), run_starter("requests", load_checked_settings(), direct=direct) as begin:
        return run_flow(begin, as_json=as_json)


def load_checked_settings() -> Settings:
    """Return the settings. Raises ConfigError, also if the environment names an unusable proxy."""
    settings = load_logged_settings()
    require_usable_proxies()
    return settings


def run_flow(
    starter: RunStarter,
    *parameters: object,
    as_json: bool,
    count: Count | None = None,
    planner: Callable[[Report], None] | None = None,
    previews: "dict[str, BackfillPreview] | None" = None,
) -> Report:
    """Carry out a run with the given parameters; returns its report as JSON.

    `count` is updated while it runs. `planner` and `previews` are for the Ports of a backfill.
    """
    from pipeline.services.run import Ports

    count = count or Count()
    count.first = starter.first
    with progress_bar(count, show=not as_json) as notify:
        ports = Ports(
            listener=notify,
            say=lambda message: err.print(f"copydesk: {message}"),
            on_plan=planner and (lambda plan: planner(plan.model_dump(mode="json"))),
            previews=previews,
        )
        return starter.carry_out(parameters, ports)


def print_report(report: Report, *, as_json: bool) -> None:
    """Print the report of a run."""
    if as_json:
        print_json(report)
    else:
        _print_feeds(report)
        _print_summary(report)
    print_problems(report)


def print_problems(report: Report) -> None:
    """Print on stderr what feeds.yaml should have otherwise, and why a run ended early."""
    for warning in report["warnings"]:
        err.print(f"copydesk: {printable(warning)}")
    if report["alert_error"]:
        err.print(f"copydesk: no alert could be sent: {printable(report['alert_error'])}")
    if report["stopped"]:
        err.print(f"copydesk: {printable(report['stopped'])}")


def exit_as(report: Report) -> None:
    """Exit with a run's exit code if that is not 0."""
    if report["exit_code"]:
        sys.exit(report["exit_code"])


def _print_feeds(report: Report) -> None:
    columns = (
        "feed", "before", "new", "drafted", "merged", "skipped", "failed", "waiting", "queued", "message",
    )  # fmt: skip
    table("Feeds", columns, (_row(feed) for feed in report["feeds"]))
    for cause in report["causes"]:
        print_line(printable(RunCause.model_validate(cause).line))


def _row(feed: Report) -> tuple[object, ...]:
    quiet = ["nothing new"] if not feed["new"] and not feed["drafts"] else []
    changed = [f"{pluralize(feed['updated'], 'source')} changed"] if feed["updated"] else []
    notes = "; ".join([*(changed or quiet), *feed["notes"]])
    message = without_feed_key(feed["feed"], feed["error"] or feed["held"]) or notes
    return (
        feed["feed"],
        feed["before"],
        feed["new"],
        len(feed["drafts"]),
        feed["merged"],
        feed["skipped"],
        len(feed["failed"]) + feed["failed_before"],
        feed["waiting"],
        feed["queued"],
        message,
    )


def _print_summary(report: Report) -> None:
    drafts = [path for feed in report["feeds"] for path in feed["drafts"]]
    print_line()
    if not report["feeds"] and report["flow"] != "requests":
        print_line("No feed is enabled: add or enable one in feeds.yaml.")
    elif drafts:
        briefs = len(drafts) - sum(report["models"].values())
        kinds = _rewritten(report["models"])
        kinds += [pluralize(briefs, "offline brief")] if briefs else []
        folder = _relative_folder(report["output"])
        print_line(f"[bold]{pluralize(len(drafts), 'draft')}[/bold] ({', '.join(kinds)}) in {folder}/drafts")
    elif changed := sum(feed["updated"] for feed in report["feeds"]):
        print_line(
            f"No new draft; [bold]{pluralize(changed, 'source')} changed[/bold]. The review desk shows which."
        )
    elif report["flow"] == "requests":
        print_line("This run has written no draft.")
    elif report["feeds"] and all(feed["error"] for feed in report["feeds"]):
        print_line("[bold]No feed could be read.[/bold]")
    elif any(feed["new"] or feed["before"] for feed in report["feeds"]):
        print_line("[bold]No draft was added or changed.[/bold]")
    else:
        print_line("[bold]Nothing new:[/bold] no draft was added or changed.")
    if report["micros"] or report["unpriced"]:
        print_line(f"Cost of the model: {cost_text(report['micros'], report['unpriced'])}.")
    costs.print_notes(report["unpriced"], report["estimated"])
    for line in _remaining(report["feeds"]):
        print_line(line)
    print_results(TargetResult.model_validate(result) for result in report["published"])
    _print_next_steps(report)


def _remaining(feeds: list[Report]) -> Iterator[str]:
    """Yield what becomes of the items that have no draft."""
    if queued := sum(feed["queued"] for feed in feeds):
        yield f"{pluralize(queued, 'item')} left in the queue for the next run."
    to_retry = sum(feed["to_retry"] for feed in feeds)
    failed = sum(len(feed["failed"]) + feed["failed_before"] for feed in feeds)
    if to_retry:
        yield f"{pluralize(to_retry, 'failed item')} left for the next run, which tries again."
    if failed > to_retry:
        count = pluralize(failed - to_retry, "failed item")
        advice = "`copydesk retry` queues items without a draft, `copydesk redraft` requests a rewrite again."
        yield f"{count} not tried again by later runs: {advice}"
    earlier = sum(feed["waiting"] for feed in feeds) - sum(
        cause["count"] for feed in feeds for cause in feed["causes"] if cause["kind"] == "waits"
    )
    if earlier > 0:
        yield f"{pluralize(earlier, 'more item')} waiting since earlier runs: `copydesk status` says why."


def _rewritten(counts: dict[str, int]) -> list[str]:
    """Return how many drafts each model wrote; the first phrase says `rewritten`."""
    phrases = [f"{count} by {printable(model)}" for model, count in sorted(counts.items())]
    return [phrases[0].replace(" by ", " rewritten by ", 1), *phrases[1:]] if phrases else []


def _print_next_steps(report: Report) -> None:
    own = printable(program())
    command = f"{own} --sample" if is_sample() else own
    print_line("\nNext:")
    print_line(f"  list the drafts  {command} drafts list")
    print_line(f"  review them      {command} desk, or {command} review")
    if report["model"] == "the offline brief":
        print_line("  use a model      set COPYDESK_MODEL and a key or base URL in .env (`copydesk init`)")
    if is_sample():
        print_line(f"  use your feeds   {own} init, edit feeds.yaml, then {own} doctor and {own} run")


def _relative_folder(path: str) -> str:
    folder = Path(path)
    with contextlib.suppress(ValueError):
        return printable(folder.relative_to(Path.cwd()))
    return printable(folder)
