"""How the command line speaks: tables and colours on a terminal, plain lines otherwise, JSON on demand."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.domain.errors import CopydeskError

out = Console(highlight=False, soft_wrap=True)
NUMERIC_COLUMNS = {"new", "drafted", "merged", "skipped", "failed", "queued", "items", "open", "seen", "answered"}
NUMERIC_COLUMNS |= {"approved", "rejected"}
NUMERIC_COLUMNS |= {"findings", "words", "of source", "repeated", "tokens"}
"""Columns of figures."""

err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_line(text: str = "") -> None:
    """Print a line of our own; text from elsewhere goes through `plain` first."""
    out.print(text)


def printable(text: object) -> str:
    """Return text from a feed or file so that neither Rich nor the terminal obeys it."""
    visible = "".join(char if char.isprintable() else " " for char in str(text))
    return escape(visible)


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_time(time: datetime | None) -> str:
    """Return a time to the minute, in UTC; `never` where there is none."""
    return f"{time:%Y-%m-%d %H:%M}Z" if time else "never"


def without_feed_key(feed: str, message: str | None) -> str:
    """Return a feed's trouble for a row that names the feed already."""
    return (message or "").removeprefix(f"{feed}: ")


def error_message(error: Exception) -> str:
    """Return what an examination says of its trouble, in a line; trouble that nobody foresaw by its name."""
    if isinstance(error, CopydeskError):
        return error.message
    details = " ".join(str(error).split())[:300]
    return f"unexpected trouble, please report it: {type(error).__name__}: {details}"


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
