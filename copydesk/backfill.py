"""`copydesk backfill`: estimates the cost of a date range, asks if it is high, and drafts the items."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

from copydesk.console import ask_to_continue, err, pluralize, print_json, print_line, printable, table
from copydesk.prefect_server import Report, run_starter
from copydesk.run import Count, exit_as, load_checked_settings, print_report, run_flow
from copydesk.sample import serve_sample_feeds
from pipeline.config import has_writer, load_feeds, parse_span
from pipeline.services.cost_question import needs_confirmation
from pipeline.storage import dollars

if TYPE_CHECKING:
    from pipeline.services.archive import BackfillPreview


class StartBackfill(Protocol):
    """Runs the backfill, as a dry run or not, and updates `count` meanwhile."""

    def __call__(
        self,
        dry: bool,
        count: Count | None = None,
        planner: Callable[[Report], None] | None = None,
        previews: "dict[str, BackfillPreview] | None" = None,
    ) -> Report:
        """Return a Plan or a RunReport, as JSON."""


class BackfillRequest(NamedTuple):
    """What the command line asks for."""

    feed: str
    since: str | None
    """First day or time, as the user wrote it."""
    until: str | None
    limit: int
    """Items at most."""
    dry_run: bool


def backfill(request: BackfillRequest, *, yes: bool, as_json: bool, direct: bool) -> None:
    """Backfill a feed in this process and print the report; `direct`: without Prefect, `yes`: no question.

    Raises ConfigError for an empty date range, and if the cost needs a confirmation and there is no terminal.
    """
    with serve_sample_feeds():
        settings = load_checked_settings()
        dates = parse_span(request.since, request.until, settings.timezone)
        with run_starter("backfill", settings, direct=direct) as start:

            def run(
                dry: bool,
                count: Count | None = None,
                planner: Callable[[Report], None] | None = None,
                previews: "dict[str, BackfillPreview] | None" = None,
            ) -> Report:
                parameters = (request.feed, *dates, request.limit, dry)
                return run_flow(
                    start, *parameters, as_json=as_json, count=count, planner=planner, previews=previews
                )

            if request.dry_run:
                _print_plan(run(True), as_json=as_json)
                return
            limit_usd = None if yes else settings.confirm
            feed = load_feeds(settings.feeds_file).feed(request.feed)
            report = _confirm_and_draft(run, limit_usd, model=has_writer(settings, feed))
    if report is None:
        err.print("Stopped: nothing was drafted or written.")
    else:
        print_report(report, as_json=as_json)
        exit_as(report)


def _confirm_and_draft(run: StartBackfill, limit_usd: Decimal | None, *, model: bool) -> Report | None:
    """Draft the items after the user confirmed the cost; returns None if the user did not.

    The dry run before the question leaves its pages in `previews` for the run after it. Without a question
    (`limit_usd` is None) each page is stored as soon as it is read.
    """
    count, previews = Count(), dict[str, "BackfillPreview"]()

    def planned(plan: Report) -> None:
        count.expected = len(plan["items"])
        _print_plan_summary(plan)

    if limit_usd is not None:
        plan = run(True, previews=previews)
        planned(plan)
        cost = plan["estimate"]
        must_ask = needs_confirmation(cost["items"], cost["likely"], limit_usd, model=model)
        if must_ask and not _ask_user(cost):
            return None
    return run(False, count, planner=planned if limit_usd is None else None, previews=previews)


def _ask_user(estimate: Report) -> bool:
    """Return the user's answer to `Continue?`. Raises ConfigError if there is no terminal."""
    would = f"this would draft {_cost(estimate)}"
    return ask_to_continue(would, "add --yes to continue, use --limit for fewer items")


def _print_plan_summary(plan: Report) -> None:
    """Print what will be drafted, on stderr: stdout may be JSON."""
    if plan["items"]:
        err.print(f"To be drafted: {_cost(plan['estimate'])}.")
        _print_remaining(plan, err.print)


def _cost(estimate: Report) -> str:
    items = pluralize(estimate["items"], "item")
    if estimate["likely"] is None:
        return items
    likely, highest = dollars(estimate["likely"]), dollars(estimate["most"])
    likely += _of_it(estimate)
    return f"{items} for about {likely}, at most {highest} if no request has to be repeated"


def _of_it(estimate: Report) -> str:
    """Return the second reader's part of the likely cost; empty if none reads."""
    part = estimate["verifying"]
    return "" if part is None else f" ({dollars(part)} of it for the second reader)"


def _print_remaining(plan: Report, print_text: Callable[[str], object]) -> None:
    if plan["left"]:
        more = pluralize(plan["left"], "more item")
        print_text(f"{more} of the date range, and possibly older ones, are not drafted: --limit is reached.")


def _print_plan(plan: Report, *, as_json: bool) -> None:
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
    _print_remaining(plan, print_line)
    if estimate["likely"] is not None:
        likely, highest = dollars(estimate["likely"]), dollars(estimate["most"])
        likely += _of_it(estimate)
        print_line(f"It would cost about {likely}, at most {highest} if no request has to be repeated.")
