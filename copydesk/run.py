"""How far a run is: a bar on a terminal, nothing elsewhere, since the report at the end is plain lines.

`copydesk run`: starts a run, shows how it goes, says what came of it.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.text import Text

from copydesk.console import err, pluralize, print_error, print_json, print_line, printable, table
from copydesk.prefect_server import Begin, Report, beginning
from copydesk.publish import published
from copydesk.sample import is_sample, serving
from pipeline.config import Settings, load_settings
from pipeline.http_client import require_usable_proxies
from pipeline.publishing import TargetResult
from pipeline.storage import dollars

if TYPE_CHECKING:
    from pipeline.services.archive import BackfillPreview


@dataclass
class Count:
    """What a run has done so far."""

    expected: int = 0
    """Items that it is going to draft, where somebody knows."""
    read: int = 0
    """Pages of a feed's archive."""
    claimed: int = 0
    done: int = 0
    micros: int = 0
    """What it has cost, in millionths of a US dollar."""
    began: float | None = None
    """When the first item was begun, in seconds of any clock."""
    first: str = "polling feeds"
    """What is done before anything is known of a feed."""

    @property
    def total(self) -> int | None:
        """Return how many items there are, None before one is known of."""
        return max(self.expected, self.claimed) or None

    def note(self, what: str, micros: int, now: float) -> None:
        """Take note of what `Notify` tells."""
        self.micros = micros
        if what == "read":
            self.read += 1
        elif what == "claimed":
            self.claimed += 1
            self.began = now if self.began is None else self.began
        else:
            self.done += 1

    def pace(self, now: float) -> str:
        """Return items a minute, dollars so far and time left, as far as they can be told."""
        seconds = now - self.began if self.began is not None else 0.0
        told = [dollars(self.micros)] if self.micros else []
        if self.done and seconds > 0:
            left = ((self.total or 0) - self.done) * seconds / self.done
            told = [f"{60 * self.done / seconds:.0f} a minute", *told, f"{_clock(left)} left"]
        return " · ".join(told)

    def doing(self, feed: str) -> str:
        """Return what is done just now."""
        if self.claimed:
            return f"drafting {feed}"
        return f"reading {feed}, page {self.read}" if self.read else self.first


class _Pace(ProgressColumn):
    """What a count says of its pace, told anew whenever the bar is drawn."""

    def __init__(self, count: Count, clock: Callable[[], float]) -> None:
        super().__init__()
        self._count, self._clock = count, clock

    def render(self, _task: object) -> Text:
        return Text(self._count.pace(self._clock()))


@contextlib.contextmanager
def shown(
    count: Count,
    *,
    wanted: bool = True,
    console: Console = err,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[str, str, int], None]]:
    """Yield what is to be told of each item; what it counts is shown where that is wanted, on a terminal."""
    if not (wanted and console.is_terminal):
        yield lambda _feed, what, micros: count.note(what, micros, clock())
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, _Pace(count, clock), console=console, transient=True) as bar:
        task = bar.add_task(count.doing(""), total=None)

        def notify(feed: str, what: str, micros: int) -> None:
            count.note(what, micros, clock())
            doing = count.doing(printable(feed))
            bar.update(task, total=count.total, completed=count.done, description=doing)

        yield notify


def _clock(seconds: float) -> str:
    """Return a span as h:mm:ss, without hours where there are none."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def ingest(feeds: list[str] | None, *, as_json: bool, direct: bool = False) -> None:
    """Poll feeds and draft what is new, in this process, and report; `direct`: without Prefect."""
    with serving(), beginning("ingest", checked(), direct=direct) as begin:
        report = run_flow(begin, feeds, as_json=as_json)
    print_report(report, as_json=as_json)


def requests(*, direct: bool = False) -> None:
    """Carry out what editors asked for, in this process, and report; `direct`: without Prefect."""
    with serving(), beginning("requests", checked(), direct=direct) as begin:
        report = run_flow(begin, as_json=False)
    print_report(report, as_json=False)


def checked() -> Settings:
    """Return the settings. Raises ConfigError, also for proxies of the environment that cannot be used."""
    settings = load_settings()
    require_usable_proxies()
    return settings


def run_flow(
    begin: Begin,
    *given: object,
    as_json: bool,
    count: Count | None = None,
    planner: Callable[[Report], None] | None = None,
    found: "dict[str, BackfillPreview] | None" = None,
) -> Report:
    """Carry out a run that is given these parameters, and return its report as JSON.

    `count` is kept up while it runs. `planner` and `found` are the Ports' of a backfill.
    """
    from pipeline.services.run import Ports

    count = count or Count()
    count.first = begin.first
    with shown(count, wanted=not as_json) as notify:
        ports = Ports(
            listener=notify,
            say=lambda said: err.print(f"copydesk: {said}"),
            on_plan=planner and (lambda plan: planner(plan.model_dump(mode="json"))),
            previews=found,
        )
        return begin.carry_out(given, ports)


def print_report(report: Report, *, as_json: bool) -> None:
    """Say what came of a run, and end with its exit code where that is not 0."""
    if as_json:
        print_json(report)
    else:
        _feeds(report["feeds"])
        _summary(report)
    if report["stopped"]:
        err.print(f"copydesk: {printable(report['stopped'])}")
    if report["exit_code"]:
        sys.exit(report["exit_code"])


def _feeds(feeds: list[Report]) -> None:
    columns = ("feed", "new", "drafted", "merged", "skipped", "failed", "queued", "said")
    table("Feeds", columns, (_row(feed) for feed in feeds))
    for feed in feeds:
        for reason in feed["failed"]:
            print_line(f"failed in {printable(feed['feed'])}: {printable(reason)}")


def _row(feed: Report) -> tuple[object, ...]:
    quiet = ["nothing new"] if not feed["new"] and not feed["drafts"] else []
    changed = [f"{pluralize(feed['updated'], 'source')} changed"] if feed["updated"] else []
    told = "; ".join([*(changed or quiet), *feed["notes"]])
    said = print_error(feed["feed"], feed["error"] or feed["held"]) or told
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
    print_line()
    if not report["feeds"]:
        print_line("No feed is enabled: add one to feeds.yaml.")
    elif drafts:
        briefs = len(drafts) - rewritten
        kinds = [f"{rewritten} rewritten by {printable(report['model'])}"] if rewritten else []
        kinds += [pluralize(briefs, "offline brief")] if briefs else []
        folder = _shown(report["output"])
        print_line(f"[bold]{pluralize(len(drafts), 'draft')}[/bold] ({', '.join(kinds)}) in {folder}/drafts")
    elif changed := sum(feed["updated"] for feed in report["feeds"]):
        print_line(
            f"No draft was added; [bold]{pluralize(changed, 'source')} changed[/bold]. The desk shows which."
        )
    else:
        print_line("[bold]Nothing new:[/bold] no draft was added or changed.")
    if micros := sum(feed["micros"] for feed in report["feeds"]):
        print_line(f"The model cost {dollars(micros)}.")
    if queued:
        print_line(f"{pluralize(queued, 'item')} left for the next run.")
    published(TargetResult.model_validate(one) for one in report["published"])
    _next_steps(report)


def _next_steps(report: Report) -> None:
    prefix = "copydesk --sample" if is_sample() else "copydesk"
    binary = "" if Path(sys.prefix, "bin").as_posix() in os.environ.get("PATH", "") else ".venv/bin/"
    print_line("\nNext:")
    print_line(f"  read them        {binary}{prefix} drafts list")
    print_line(f"  decide           {binary}{prefix} approve DRAFT, or reject DRAFT --note why")
    if report["model"] == "the offline brief":
        print_line("  use a model      set COPYDESK_MODEL and a key or base URL in .env: see .env.example")
    if is_sample():
        print_line(
            f"  your own feeds   edit feeds.yaml, then {binary}copydesk doctor and {binary}copydesk run"
        )


def _shown(path: str) -> str:
    folder = Path(path)
    with contextlib.suppress(ValueError):
        return printable(folder.relative_to(Path.cwd()))
    return printable(folder)
