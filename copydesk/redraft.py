"""`copydesk redraft`, `versions` and `restore`: what an editor asks for beside a verdict."""

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
    """Ask for a draft, or for every untouched brief, to be written anew; carry it out unless told not to.

    `direct`: it is carried out without Prefect.
    """
    settings = desk_settings()
    beats = load_feeds(settings.feeds_file)
    if offline == (ref is not None):
        raise ConfigError("name a draft, or say --offline for every brief that no model has written yet")
    if settings.model is None and (offline or section):
        raise ConfigError(
            "no model is set that could write it: set COPYDESK_MODEL", variable="COPYDESK_MODEL"
        )
    with Database.open(settings.database_url) as db:
        rows = redraft_module.offline_briefs(db, settings.output) if offline else [db.drafts.get(ref or "")]
        for row in [] if offline else rows:
            beats.feed(row.feed_key)  # nobody would carry it out for a feed that is gone
        ctx = EditorContext(db, settings.output, beats, settings.editor)
        for row in rows:
            redraft_module.request_redraft(ctx, row.external_id, note=note, section=section)
    if not rows:
        print_line("No brief waits for a model.")
        return
    if later:
        print_line(f"{pluralize(len(rows), 'redraft')} asked for; the next `copydesk run` carries it out.")
        return
    from copydesk import run

    run.requests(direct=direct)


def versions(ref: str) -> None:
    """List every text that a draft has had."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        row = db.drafts.get(ref)
        every = db.versions.list(row.item_id)
    print_line(f"[bold]{printable(row.path)}[/bold]")
    rows = ((one.label, one.cause, format_time(one.at), f"{len(one.text.split()):,}") for one in every)
    table("Versions", ("version", "cause", "written", "words"), rows)
    print_line("\n`copydesk restore DRAFT VERSION` puts one back, as the next version.")


def restore(ref: str, label: str) -> None:
    """Put an earlier text of a draft back."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        ctx = EditorContext(db, settings.output, load_feeds(settings.feeds_file), settings.editor)
        chosen = redraft_module.restore_version(ctx, ref, label)
        print_line(f"Version {chosen.label} stands again, as version {db.drafts.get(ref).version}.")
