"""`copydesk approve`, `reject`, `redraft`, `versions`, `restore`: decisions on drafts, and their versions."""

import sys
import time
from collections.abc import Callable

from copydesk.console import err, format_time, pluralize, print_json, print_line, printable, table
from pipeline.config import Settings, desk_settings, has_writer
from pipeline.domain.errors import ConfigError, CopydeskError, OutputError, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.services.subscriptions import load_subscriptions
from pipeline.storage import Database

_POLL_S = 0.5
_MAX_WAIT_S = 900.0
"""After it the lease of a dead process on another machine has expired."""
DONE = {"approve": "approved", "reject": "rejected"}


def review_drafts(decision: str, drafts: list[str], note: str | None, *, as_json: bool = False) -> None:
    """Approve or reject drafts; a draft that cannot be reviewed does not stop the others.

    Exits with the exit code of the first error.
    """
    settings = desk_settings()
    beats = load_subscriptions(settings)
    failed: list[CopydeskError] = []
    done: list[str] = []
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, beats, settings.editor, review_times=settings.review_times)
        for ref in drafts:
            try:
                path = review.submit_review(ctx, ref, ReviewDecision(decision), note=note, light=True)
                done.append(path)
                if not as_json:
                    print_line(f"{DONE[decision]}: {printable(path)}")
            except (ReviewError, OutputError) as error:
                failed.append(error)
                err.print(f"not {DONE[decision]}: {printable(error.message)}")
    if as_json:
        print_json({DONE[decision]: done, "errors": [error.message for error in failed]})
    elif done and decision == "approve" and beats.publish:
        print_line("The next run publishes approved articles; `copydesk publish` publishes them now.")
    if failed:
        sys.exit(failed[0].exit_code)


def redraft(
    ref: str | None,
    note: str | None,
    section: str | None,
    *,
    offline: bool,
    later: bool,
    direct: bool = False,
    as_json: bool = False,
) -> None:
    """Request a redraft of a draft, or of all unedited offline briefs, and carry it out unless `later`.

    `direct`: without Prefect.
    """
    from pipeline.services import redraft as redraft_module

    settings = desk_settings()
    beats = load_subscriptions(settings)
    if offline == (ref is not None):
        raise ConfigError("name one draft, or use --offline for all unedited offline briefs")
    with Database.open(settings.database_url) as db:
        rows = redraft_module.offline_briefs(db, settings.output) if offline else [db.drafts.get(ref or "")]
        # A removed feed is an error: no run carries out requests of it.
        feeds = beats.feeds if offline else [beats.feed(row.feed_key) for row in rows]
        has_model = {feed.key for feed in feeds if has_writer(settings, feed)}
        if offline:  # without a model a brief would be a brief again
            rows = [row for row in rows if row.feed_key in has_model]
        if not has_model and (offline or section):
            raise ConfigError(
                "no model is set, and this redraft needs one: set COPYDESK_MODEL", variable="COPYDESK_MODEL"
            )
        ctx = EditorContext(db, settings.output, beats, settings.editor, review_times=settings.review_times)
        requested = {
            redraft_module.request_redraft(ctx, row.external_id, note=note, section=section): row.path
            for row in rows
        }
    if later or not rows:
        _print_requested(list(requested.values()), as_json=as_json)
    else:
        _carry_out(settings, requested, direct=direct, as_json=as_json)


def _print_requested(paths: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"requested": paths, "report": None, "others": []})
    elif paths:
        print_line(f"{pluralize(len(paths), 'redraft')} requested for the next `copydesk run`.")
    else:
        print_line("There are no unedited offline briefs.")


def _carry_out(settings: Settings, requested: dict[int, str], *, direct: bool, as_json: bool) -> None:
    """Carry out requests, given with the paths of their drafts, and print what became of each."""
    from copydesk import run

    report = run.requests(direct=direct, as_json=as_json)
    drafted = {path for feed in report["feeds"] for path in feed["drafts"]}
    if not as_json:
        run.print_report(report, as_json=False)
    others = {number: path for number, path in requested.items() if path not in drafted}
    lines: list[str] = []
    with Database.open(settings.database_url) as db:
        await_other_processes(db, others, tell=lines.append if as_json else print_line)
    if as_json:
        print_json({"requested": list(requested.values()), "report": report, "others": lines})
        run.print_problems(report)
    run.exit_as(report)


def await_other_processes(
    db: Database,
    requested: dict[int, str],
    *,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str], object] = print_line,
) -> None:
    """Wait for the redrafts that another process carries out, and `tell` what became of each.

    `requested` are the drafts' paths, by the ids of their requests.
    """
    until = time.monotonic() + _MAX_WAIT_S
    announced: set[int] = set()
    pending = dict(requested)
    while pending and time.monotonic() < until:
        progress = db.redrafts.progress(list(pending))
        pending = {number: path for number, path in pending.items() if number in progress}  # else erased
        for number, state in progress.items():
            path = printable(pending[number])
            if not state.in_progress:
                del pending[number]
                tell(_outcome_line(path, state.outcome))
            elif number not in announced:
                announced.add(number)
                tell(f"Another process is rewriting {path}. Waiting; Ctrl-C leaves it to that process.")
        if pending:
            sleep(_POLL_S)
    for path in pending.values():
        tell(f"Another process is still rewriting {printable(path)}.")


def _outcome_line(path: str, outcome: str | None) -> str:
    if outcome is None:
        return f"{path} waits for the next `copydesk run`."
    if outcome == "written":
        return f"{path} was rewritten by another process."
    return f"{path} was not rewritten: {printable(outcome)}"


def versions(ref: str, *, as_json: bool) -> None:
    """Print the list of a draft's versions."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        row = db.drafts.get(ref)
        texts = db.versions.list(row.item_id)
    if as_json:
        print_json({"draft": row.path, "versions": [version.model_dump() for version in texts]})
        return
    print_line(f"[bold]{printable(row.path)}[/bold]")
    rows = (
        (version.label, version.cause, format_time(version.at), f"{len(version.text.split()):,}")
        for version in texts
    )
    table("Versions", ("version", "cause", "written", "words"), rows)
    print_line("\n`copydesk restore DRAFT VERSION` restores a version as the newest one.")


def restore(ref: str, label: str, *, as_json: bool) -> None:
    """Restore an earlier version of a draft as its newest version."""
    from pipeline.services import redraft as redraft_module

    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        ctx = EditorContext(
            db,
            settings.output,
            load_subscriptions(settings),
            settings.editor,
            review_times=settings.review_times,
        )
        chosen = redraft_module.restore_version(ctx, ref, label)
        row = db.drafts.get(ref)
    if as_json:
        print_json({"draft": row.path, "restored": chosen.label, "version": row.version})
    else:
        print_line(f"Version {chosen.label} is restored, as version {row.version}.")
