"""`copydesk cost`: what the model was paid, by day, feed, model and purpose."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from copydesk.console import counted, machine, say, table
from pipeline.errors import ConfigError
from pipeline.ledger import CallRow, Ledger, dollars
from pipeline.settings import day_start, load_settings, month_start, parse_day

GROUPS = ("day", "feed", "model", "purpose")


def cost(by: str, since: str | None, *, as_json: bool) -> None:
    """Show what was paid, grouped; with the caps, and how much of them is spent."""
    wanted = [word.strip() for word in by.split(",") if word.strip()]
    if not wanted or not set(wanted) <= set(GROUPS):
        raise ConfigError(f"--by {by!r}: write some of {', '.join(GROUPS)}, with commas between")
    settings = load_settings()
    start = parse_day(since, settings.timezone) if since else None
    now = datetime.now(UTC)
    month = month_start(now, settings.timezone)
    with Ledger.open(settings.database_url) as ledger:
        calls, recent = ledger.calls_since(start), ledger.calls_since(month)
    rows = grouped(calls, wanted, settings.timezone)
    if as_json:
        machine(rows)
        return
    table("Cost", (*wanted, *_FIGURES), (tuple(_cell(name, row[name]) for name in row) for row in rows))
    unknown = sum(call.micros is None for call in calls)
    say(f"\n{counted(len(calls), 'answer')} for {dollars(total(calls))}.")
    if unknown:
        say(
            f"The price of {counted(unknown, 'answer')} is not known; COPYDESK_PRICE sets that of later ones."
        )
    spans = (
        ("day", settings.cap_day, day_start(now, settings.timezone)),
        ("month", settings.cap_month, month),
    )
    for name, cap, begun in spans:
        spent = total(call for call in recent if call.at >= begun)
        of = f" of {dollars(int(cap * 1_000_000))}" if cap is not None else ""
        say(f"This {name}: {dollars(spent)}{of}.")


_FIGURES = ("answers", "prompt", "cached", "completion", "reasoning", "cost")


def grouped(calls: Iterable[CallRow], by: list[str], timezone: str) -> list[dict[str, object]]:
    """Return a row for each group of calls, in the groups' order."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    keys: dict[str, Callable[[CallRow], str]] = {
        "day": lambda call: call.at.astimezone(zone).date().isoformat(),
        "feed": lambda call: call.feed_key,
        "model": lambda call: call.model,
        "purpose": lambda call: call.purpose,
    }
    groups: dict[tuple[str, ...], list[CallRow]] = defaultdict(list)
    for call in calls:
        groups[tuple(keys[name](call) for name in by)].append(call)
    return [dict(zip(by, key, strict=True)) | _figures(some) for key, some in sorted(groups.items())]


def _figures(calls: list[CallRow]) -> dict[str, object]:
    return {
        "answers": len(calls),
        "prompt": sum(call.prompt_tokens for call in calls),
        "cached": sum(call.cached_tokens for call in calls),
        "completion": sum(call.completion_tokens for call in calls),
        "reasoning": sum(call.reasoning_tokens for call in calls),
        "cost": None if all(call.micros is None for call in calls) else total(calls),
    }


def total(calls: Iterable[CallRow]) -> int:
    """Return what calls cost, in millionths of a US dollar."""
    return sum(call.micros or 0 for call in calls)


def _cell(name: str, value: object) -> object:
    if name != "cost":
        return f"{value:,}" if isinstance(value, int) else value
    return dollars(value) if isinstance(value, int) else "not known"
