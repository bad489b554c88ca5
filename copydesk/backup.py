"""`copydesk backup save` and `backup restore`: a consistent copy of database and output folder."""

from pathlib import Path

from copydesk.console import err, pluralize, print_json, print_line, printable
from pipeline.config import Settings, desk_settings
from pipeline.domain.errors import ConfigError, ReviewError
from pipeline.services.backup import (
    RestoreSummary,
    create_backup,
    reconcile_database,
    restore_files,
    verify_backup,
)
from pipeline.storage import Database, file_of

_DUMP = 'pg_dump --format=custom --file=copydesk.dump "$COPYDESK_DATABASE_URL"'
_LOAD = 'pg_restore --clean --if-exists --dbname="$COPYDESK_DATABASE_URL" copydesk.dump'


def save(archive: Path, *, as_json: bool) -> None:
    """Write a backup while runs and the desk continue. Raises ConfigError if the file exists."""
    settings = desk_settings()
    if archive.exists():
        raise ConfigError(f"{archive} exists; name another file")
    with Database.open(settings.database_url) as db:
        saved = create_backup(db, settings.output, archive.absolute())
    if as_json:
        print_json({"archive": str(archive), "files": saved.files, "database": saved.db})
        return
    contents = f"{pluralize(saved.files, 'file')}{' and the database' if saved.db else ''}"
    print_line(f"{printable(archive)}: {contents}. feeds.yaml, prompts and .env are not included.")
    if not saved.db:
        err.print(f"The PostgreSQL database is not included: dump it now: {_DUMP}", markup=False)


def restore(archive: Path, *, as_json: bool) -> None:
    """Restore a backup where there is no data yet. Raises ConfigError, ReviewError, OutputError."""
    settings = desk_settings()
    if not archive.is_file():
        raise ConfigError(f"{archive} does not exist")
    saved = verify_backup(archive.absolute())
    database = _sqlite_file(settings, db=saved.db)
    if not saved.db:
        _require_database(settings)
    restore_files(archive.absolute(), settings.output, database)
    with Database.open(settings.database_url) as db:
        summary = reconcile_database(db, settings.output)
    if as_json:
        changes = {"written": summary.written, "left_out": summary.left_out}
        print_json({"archive": str(archive), "files": saved.files, "database": saved.db} | changes)
        return
    print_line(f"{pluralize(saved.files, 'file')}{' and the database' if saved.db else ''} restored.")
    _print_changes(summary)
    print_line("The next run continues from this state.")


def _sqlite_file(settings: Settings, *, db: bool) -> Path | None:
    """Return the file for the archive's SQLite database; None if it holds none. Raises ConfigError."""
    file = file_of(settings.database_url)
    if db and file is None:
        raise ConfigError(
            "the archive contains a SQLite database, but COPYDESK_DATABASE_URL names PostgreSQL; "
            "remove COPYDESK_DATABASE_URL from .env to restore the archive",
            variable="COPYDESK_DATABASE_URL",
        )
    return file if db else None


def _require_database(settings: Settings) -> None:
    """Raise ReviewError if the database that belongs to the archive is missing or empty."""
    file = file_of(settings.database_url)
    if file is None or file.exists():  # opening would create the file
        with Database.open(settings.database_url) as db:
            if db.feeds.item_counts():
                return
    raise ReviewError(
        f"the archive contains no database, and yours is empty; load the database dump first: {_LOAD}"
    )


def _print_changes(summary: RestoreSummary) -> None:
    """Print which files differ from the archive because the database is newer."""
    if summary.written:
        print_line(f"{pluralize(len(summary.written), 'file')} written from the database, which is newer.")
    if summary.left_out:
        first = ", ".join(summary.left_out[:3]) + (" …" if len(summary.left_out) > 3 else "")
        print_line(
            f"{pluralize(len(summary.left_out), 'file')} not restored (reviewed or forgotten later): "
            f"{printable(first)}"
        )
