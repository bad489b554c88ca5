"""`copydesk eval --field`: how editors ended the findings of each check, and its rate of false alarms."""

from collections.abc import Mapping, Sequence

from copydesk.console import pluralize, print_json, print_line, table
from pipeline.config import folder_settings
from pipeline.domain.errors import ConfigError
from pipeline.domain.reviews import OTHER_REASON, PRESETS
from pipeline.storage import Database, KindOutcomes

COLUMNS = ("check", "decided", *PRESETS, OTHER_REASON, "taken", "edited", "passed", "false alarms")


def count_outcomes(others: Mapping[str, object], *, as_json: bool) -> None:
    """Print the ends of findings by kind, over all drafts and editors.

    `others` are the other options, of which none may be given. Raises ConfigError.
    """
    if conflicting := [name for name, value in others.items() if value]:
        raise ConfigError(f"--field counts what editors did: leave out {', '.join(conflicting)}")
    settings = folder_settings()
    with Database.open(settings.database_url) as db:
        counted = db.findings.outcomes()
    if as_json:
        print_json([_as_json(each) for each in counted])
        return
    if not counted:
        print_line("No finding has an end yet: dismiss one at the desk, or approve a draft.")
        return
    table("Findings", COLUMNS, [_row(each) for each in counted])
    print_line(f"\n{summary(counted)}")


def summary(counted: Sequence[KindOutcomes]) -> str:
    """Return one line about all checks; empty where no finding has an end."""
    decided = sum(each.decided for each in counted)
    if not decided:
        return ""
    alarms = sum(each.false_alarms for each in counted)
    return f"False alarms: {alarms} of {pluralize(decided, 'decided finding')} ({alarms / decided:.0%})."


def _row(each: KindOutcomes) -> tuple[object, ...]:
    dismissed = [each.dismissed.get(preset, 0) for preset in (*PRESETS, OTHER_REASON)]
    ends = (*dismissed, each.taken, each.edited, each.passed)
    return (each.kind, each.decided, *ends, f"{each.false_alarm_rate:.0%}")


def _as_json(each: KindOutcomes) -> dict[str, object]:
    totals = {"decided": each.decided, "false_alarms": each.false_alarms}
    return {**each.model_dump(), **totals, "false_alarm_rate": each.false_alarm_rate}
