"""`copydesk cost`: what model calls cost, by groups; remarks on costs for every command that shows them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from copydesk.console import pluralize, print_json, print_line, table
from pipeline.config import day_start, folder_settings, month_start, parse_day
from pipeline.domain.errors import ConfigError
from pipeline.storage import Database, LLMCall, cost_text, dollars

GROUPS = ("day", "feed", "profile", "model", "purpose")


def cost(by: str | None, since: str | None, *, as_json: bool) -> None:
    """Print the cost of model calls by groups, then the total and the use of the spending caps.

    Without `by`: by day, and by profile and model where there are several, and purpose with a second reader.
    """
    groups = [name.strip() for name in (by or "day").split(",") if name.strip()]
    if not groups or not set(groups) <= set(GROUPS):
        raise ConfigError(f"--by {by!r}: use one or more of {', '.join(GROUPS)}, separated by commas")
    settings = folder_settings()
    start = parse_day(since, settings.timezone) if since else None
    now = datetime.now(UTC)
    month = month_start(now, settings.timezone)
    with Database.open(settings.database_url) as db:
        calls, recent = db.budget.calls_since(start), db.budget.calls_since(month)
    if by is None:
        groups += _several(calls)
    rows = grouped(calls, groups, settings.timezone)
    if as_json:
        print_json(rows)
        return
    table("Cost", (*groups, *_COST_COLUMNS), (tuple(_cell(name, row[name]) for name in row) for row in rows))
    unknown = sum(call.micros is None for call in calls)
    print_line(f"\nTotal: {pluralize(len(calls), 'answer')}: {shown_cost(calls)}.")
    print_notes(unknown, sum(call.estimated for call in calls))
    spans = (
        ("Today", settings.cap_day, day_start(now, settings.timezone)),
        ("This month", settings.cap_month, month),
    )
    for name, cap, begun in spans:
        spent = shown_cost([call for call in recent if call.at >= begun])
        of = f" of {dollars(int(cap * 1_000_000))}" if cap is not None else ""
        print_line(f"{name}: {spent}{of}.")


def print_notes(unpriced: int, estimated: int) -> None:
    """Print what keeps the cost of so many answers from being known exactly."""
    if unpriced:
        print_line(
            f"The price of {pluralize(unpriced, 'answer')} is unknown; "
            "set COPYDESK_PRICE, or `price` of a profile in feeds.yaml, for the price of later answers."
        )
    if estimated:
        print_line(
            f"The server did not tell the whole usage of {pluralize(estimated, 'answer')}: "
            "what it left out is counted at its upper bound."
        )


_COST_COLUMNS = ("answers", "prompt", "cached", "completion", "reasoning", "estimated", "cost")


def _several(calls: Sequence[LLMCall]) -> list[str]:
    """Return the groups that tell calls apart: models, where there are several, and the second reader's."""
    profiles, models = {call.profile for call in calls}, {call.model for call in calls}
    groups = [name for name, values in (("profile", profiles), ("model", models)) if len(values) > 1]
    return [*groups, *(["purpose"] if any(call.purpose.startswith("verify") for call in calls) else [])]


def grouped(calls: Iterable[LLMCall], by: list[str], timezone: str) -> list[dict[str, object]]:
    """Return one row for each group of calls, sorted by group."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    keys: dict[str, Callable[[LLMCall], str]] = {
        "day": lambda call: call.at.astimezone(zone).date().isoformat(),
        "feed": lambda call: call.feed_key,
        "profile": lambda call: call.profile,
        "model": lambda call: call.model,
        "purpose": lambda call: call.purpose,
    }
    groups: dict[tuple[str, ...], list[LLMCall]] = defaultdict(list)
    for call in calls:
        groups[tuple(keys[name](call) for name in by)].append(call)
    return [dict(zip(by, key, strict=True)) | _cost_row(some) for key, some in sorted(groups.items())]


def _cost_row(calls: list[LLMCall]) -> dict[str, object]:
    return {
        "answers": len(calls),
        "prompt": sum(call.prompt_tokens for call in calls),
        "cached": sum(call.cached_tokens for call in calls),
        "completion": sum(call.completion_tokens for call in calls),
        "reasoning": sum(call.reasoning_tokens for call in calls),
        "estimated": sum(call.estimated for call in calls),
        "cost": None if all(call.micros is None for call in calls) else total(calls),
    }


def total(calls: Iterable[LLMCall]) -> int:
    """Return the cost of calls, in millionths of a US dollar."""
    return sum(call.micros or 0 for call in calls)


def shown_cost(calls: Sequence[LLMCall]) -> str:
    """Return the cost of calls for people."""
    return cost_text(total(calls), sum(call.micros is None for call in calls))


def _cell(name: str, value: object) -> object:
    if name != "cost":
        return f"{value:,}" if isinstance(value, int) else value
    return dollars(value) if isinstance(value, int) else "unknown"
