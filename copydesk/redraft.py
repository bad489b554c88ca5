"""`copydesk redraft`, `versions` and `restore`: new and earlier texts of a draft."""

from copydesk.console import format_time, pluralize, print_line, printable, table
from pipeline.config import desk_settings, load_feeds
from pipeline.domain.errors import ConfigError
from pipeline.services import redraft as redraft_module
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database


def redraft(
    ref: str | None,
    note: str | None,
    section: str | None,
    *,
    offline: bool,
    later: bool,
    direct: bool = False,
) -> None:
    """Request a redraft of a draft, or of all unedited offline briefs, and carry it out unless `later`.

    `direct`: without Prefect.
    """
    settings = desk_settings()
    beats = load_feeds(settings.feeds_file)
    if offline == (ref is not None):
        raise ConfigError("name one draft, or use --offline for all unedited offline briefs")
    if settings.model is None and (offline or section):
        raise ConfigError(
            "no model is set, and this redraft needs one: set COPYDESK_MODEL", variable="COPYDESK_MODEL"
        )
    with Database.open(settings.database_url) as db:
        rows = redraft_module.offline_briefs(db, settings.output) if offline else [db.drafts.get(ref or "")]
        for row in [] if offline else rows:
            beats.feed(row.feed_key)  # no run carries out requests of a removed feed
        ctx = EditorContext(db, settings.output, beats, settings.editor)
        for row in rows:
            redraft_module.request_redraft(ctx, row.external_id, note=note, section=section)
    if not rows:
        print_line("There are no unedited offline briefs.")
        return
    if later:
        print_line(f"{pluralize(len(rows), 'redraft')} requested for the next `copydesk run`.")
        return
    from copydesk import run

    run.requests(direct=direct)


def versions(ref: str) -> None:
    """Print the list of a draft's versions."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        row = db.drafts.get(ref)
        texts = db.versions.list(row.item_id)
    print_line(f"[bold]{printable(row.path)}[/bold]")
    rows = (
        (version.label, version.cause, format_time(version.at), f"{len(version.text.split()):,}")
        for version in texts
    )
    table("Versions", ("version", "cause", "written", "words"), rows)
    print_line("\n`copydesk restore DRAFT VERSION` restores a version as the newest one.")


def restore(ref: str, label: str) -> None:
    """Restore an earlier version of a draft as its newest version."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        ctx = EditorContext(db, settings.output, load_feeds(settings.feeds_file), settings.editor)
        chosen = redraft_module.restore_version(ctx, ref, label)
        print_line(f"Version {chosen.label} is restored, as version {db.drafts.get(ref).version}.")
