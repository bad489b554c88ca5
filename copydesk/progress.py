"""How far a run is: a bar on a terminal, nothing elsewhere, since the report at the end is plain lines."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.text import Text

from copydesk.console import err, plain
from pipeline.ledger import dollars


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
        return f"reading {feed}, page {self.read}" if self.read else "starting Prefect, polling feeds"


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
            doing = count.doing(plain(feed))
            bar.update(task, total=count.total, completed=count.done, description=doing)

        yield notify


def _clock(seconds: float) -> str:
    """Return a span as h:mm:ss, without hours where there are none."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
