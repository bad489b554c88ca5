"""`copydesk backfill`: says what a span of dates would cost, asks where that is much, and drafts it."""

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from copydesk.console import err, pluralize, print_json, print_line, printable, table
from copydesk.prefect_server import Report, beginning
from copydesk.run import Count, checked, print_report, run_flow
from copydesk.sample import serving
from pipeline.config import parse_span
from pipeline.domain.errors import ConfigError
from pipeline.storage import dollars

if TYPE_CHECKING:
    from pipeline.services.archive import BackfillPreview

_MANY = 20
"""Items that are drafted unasked where nobody knows the price."""


class Start(Protocol):
    """Carries out the backfill, dry or not, and returns its report; keeps up a count meanwhile."""

    def __call__(
        self,
        dry: bool,
        count: Count | None = None,
        planner: Callable[[Report], None] | None = None,
        found: "dict[str, BackfillPreview] | None" = None,
    ) -> Report:
        """Return a Plan or a RunReport, as JSON."""


def backfill(
    feed: str,
    since: str | None,
    until: str | None,
    limit: int,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    direct: bool = False,
) -> None:
    """Backfill a feed in this process and report; `direct`: without Prefect.

    Raises ConfigError for a span that nothing can be in, and where somebody has to agree to the costs and
    nobody can be asked.
    """
    with serving():
        settings = checked()
        dates = parse_span(since, until, settings.timezone)
        with beginning("backfill", settings, direct=direct) as start:

            def begin(
                dry: bool,
                count: Count | None = None,
                planner: Callable[[Report], None] | None = None,
                found: "dict[str, BackfillPreview] | None" = None,
            ) -> Report:
                given = (feed, *dates, limit, dry)
                return run_flow(start, *given, as_json=as_json, count=count, planner=planner, found=found)

            if dry_run:
                _would(begin(True), as_json=as_json)
                return
            dear = None if yes else settings.confirm
            report = _drafted(begin, dear, model=settings.model is not None)
    if report is None:
        err.print("Nothing was drafted, and nothing was written.")
    else:
        print_report(report, as_json=as_json)


def _drafted(begin: Start, dear: Decimal | None, *, model: bool) -> Report | None:
    """Draft a span once somebody agreed to what it costs; None where they did not.

    What the dry run before the question read is kept for the run after it. Whoever agreed beforehand (`dear`
    is None) has each page taken in as it is read.
    """
    count, found = Count(), dict[str, "BackfillPreview"]()

    def planned(plan: Report) -> None:
        count.expected = len(plan["items"])
        _announce(plan)

    if dear is not None:
        plan = begin(True, found=found)
        planned(plan)
        if must_ask(plan["estimate"], dear, model=model) and not _agreed(plan["estimate"]):
            return None
    return begin(False, count, planner=planned if dear is None else None, found=found)


def must_ask(estimate: Report, dear: Decimal, *, model: bool) -> bool:
    """Tell whether somebody has to agree: the likely cost is above `dear` US dollars, or anybody's guess."""
    if estimate["likely"] is None:
        return model and bool(estimate["items"] > _MANY)
    return bool(estimate["likely"] > dear * 1_000_000)


def _agreed(estimate: Report) -> bool:
    """Ask whether to go on. Raises ConfigError where there is no terminal to ask at."""
    if not (sys.stdin.isatty() and err.is_terminal):
        raise ConfigError(
            f"this would draft {_cost(estimate)}, and there is no terminal to ask at: add --yes to go on, "
            "--limit for fewer items, or set COPYDESK_CONFIRM to what needs no question, in US dollars",
            variable="COPYDESK_CONFIRM",
        )
    err.print("Go on? \\[y/N] ", end="")
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _announce(plan: Report) -> None:
    """Say what is going to be drafted, beside the report: that one may be for machines."""
    if plan["items"]:
        err.print(f"To be drafted: {_cost(plan['estimate'])}.")
        _say_left(plan, err.print)


def _cost(estimate: Report) -> str:
    items = pluralize(estimate["items"], "item")
    if estimate["likely"] is None:
        return items
    likely, most = dollars(estimate["likely"]), dollars(estimate["most"])
    return f"{items} for about {likely}, at most {most} where each answer is right at once"


def _say_left(plan: Report, said: Callable[[str], object]) -> None:
    if plan["left"]:
        more = pluralize(plan["left"], "more item")
        said(f"{more} of the span, and what may be further back, are left as they are: --limit is reached.")


def _would(plan: Report, *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    items, estimate = plan["items"], plan["estimate"]
    table(
        "Would be drafted",
        ("published", "title", "why"),
        ((i["published"], i["title"], i["why"]) for i in items),
    )
    for note in plan["notes"]:
        print_line(printable(note))
    print_line(f"Would draft {pluralize(len(items), 'item')}; nothing was written.")
    _say_left(plan, print_line)
    if estimate["likely"] is not None:
        likely, most = dollars(estimate["likely"]), dollars(estimate["most"])
        print_line(f"It would cost about {likely}, and at most {most} where each answer is right at once.")
