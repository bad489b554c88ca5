"""Output of the command line: tables and colours on a terminal, plain lines otherwise, JSON on demand."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.domain.errors import UNEXPECTED, ConfigError, CopydeskError

out = Console(highlight=False, soft_wrap=True)
NUMERIC_COLUMNS = {
    "before", "new", "drafted", "merged", "skipped", "failed", "waiting", "queued", "items", "open",
    "approved", "rejected", "forgotten", "findings", "words", "of source", "repeated", "tokens",
}  # fmt: skip
"""Right-aligned columns."""
err = Console(stderr=True, highlight=False, soft_wrap=True)


def program(folder: Path | None = None) -> str:
    """Return the command as a user would type it in a folder (default: this one): its name, or its path."""
    executable, *arguments = own_command()
    return " ".join([_typed(Path(executable), (folder or Path.cwd()).absolute()), *arguments])


def own_command() -> list[str]:
    """Return the command of this installation: its executable with the full path, and first arguments."""
    script = shutil.which(sys.argv[0])
    if script and Path(script).stem == "copydesk":
        return [str(Path(script).absolute())]
    return [sys.executable, "-m", "copydesk"]


def _typed(path: Path, folder: Path) -> str:
    """Return a program's name if the shell finds it by that, else its path, relative below the folder."""
    by_name = shutil.which(path.name)
    if by_name and Path(by_name).absolute() == path:
        return path.name
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def print_line(text: str = "") -> None:
    """Print a line with Rich markup; text from feeds and files goes through `printable` first."""
    out.print(text)


def printable(text: object) -> str:
    """Return text without control characters and Rich markup, which feeds and files may contain."""
    visible = "".join(char if char.isprintable() else " " for char in str(text))
    return escape(visible)


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 item` or `2 items`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_time(time: datetime | None) -> str:
    """Return a time in UTC to the minute; `never` for None."""
    return f"{time:%Y-%m-%d %H:%M}Z" if time else "never"


def without_feed_key(feed: str, message: str | None) -> str:
    """Return an error message without the feed's key at its start, for a row that names the feed."""
    return (message or "").removeprefix(f"{feed}: ")


def error_message(error: Exception) -> str:
    """Return an error as one line; for an unexpected error with its type."""
    if isinstance(error, CopydeskError):
        return error.message
    details = " ".join(str(error).split())[:300]
    return f"{UNEXPECTED}: {type(error).__name__}: {details}"


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever json can hold
    """Print one JSON document."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on a terminal, tab-separated lines elsewhere."""
    if not out.is_terminal:
        for row in (columns, *rows):
            out.print("\t".join(printable(cell) for cell in row))
        return
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, justify="right" if column in NUMERIC_COLUMNS else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(printable(cell) for cell in row))
    out.print(grid)


def ask_to_continue(would: str, advice: str) -> bool:
    """Return the user's answer to `Continue?`, before something costs money.

    `would` is a clause about what it costs. Raises ConfigError if there is no terminal.
    """
    # Not `err`: with COPYDESK_LOG=json its lines become entries of the log.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            f"{would}; there is no terminal to confirm that: {advice}, or set COPYDESK_CONFIRM to the "
            "highest cost without a question, in US dollars",
            variable="COPYDESK_CONFIRM",
        )
    print("Continue? [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False
