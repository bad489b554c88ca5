"""`copydesk backup save` and `backup restore`: ledger and output folder, as they were at one time."""

from pathlib import Path

from copydesk.console import err, pluralize, print_line, printable
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

_DUMP = 'pg_dump --format=custom --file=ledger.dump "$COPYDESK_DATABASE_URL"'
_LOAD = 'pg_restore --clean --if-exists --dbname="$COPYDESK_DATABASE_URL" ledger.dump'


def save(archive: Path) -> None:
    """Write a backup; runs and the desk may go on. Raises ConfigError for a file that exists."""
    settings = desk_settings()
    if archive.exists():
        raise ConfigError(f"{archive} exists; name another file")
    with Database.open(settings.database_url) as db:
        saved = create_backup(db, settings.output, archive.absolute())
    contents = f"{pluralize(saved.files, 'file')}{' and the ledger' if saved.db else ''}"
    print_line(f"{printable(archive)}: {contents}. feeds.yaml, prompts and .env are yours to keep.")
    if not saved.db:
        err.print(f"The ledger is PostgreSQL's: dump it now, after the files: {_DUMP}", markup=False)


def restore(archive: Path) -> None:
    """Put a backup back, where nothing stands yet. Raises ConfigError, ReviewError, OutputError."""
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
    print_line(f"{pluralize(saved.files, 'file')} restored{', and the ledger' if saved.db else ''}.")
    _print_changes(summary)
    print_line("The next run goes on from there.")


def _sqlite_file(settings: Settings, *, db: bool) -> Path | None:
    """Return where an archive's ledger goes, None where it holds none. Raises ConfigError."""
    file = file_of(settings.database_url)
    if db and file is None:
        raise ConfigError(
            "the archive holds a ledger of SQLite, and COPYDESK_DATABASE_URL names PostgreSQL; "
            "take it out of .env to restore that ledger",
            variable="COPYDESK_DATABASE_URL",
        )
    return file if db else None


def _require_database(settings: Settings) -> None:
    """Raise ReviewError where the ledger that an archive goes with is not there."""
    file = file_of(settings.database_url)
    if file is None or file.exists():  # nothing is made where there is none
        with Database.open(settings.database_url) as db:
            if db.feeds.item_counts():
                return
    raise ReviewError(f"the archive holds no ledger, and yours is empty; load its dump first: {_LOAD}")


def _print_changes(summary: RestoreSummary) -> None:
    """Say what the ledger knew better."""
    if summary.written:
        print_line(
            f"{pluralize(len(summary.written), 'file')} written from the ledger: it is newer than the copy."
        )
    if summary.left_out:
        some = ", ".join(summary.left_out[:3]) + (" …" if len(summary.left_out) > 3 else "")
        print_line(
            f"{pluralize(len(summary.left_out), 'file')} left out, since decided on or forgotten: "
            f"{printable(some)}"
        )
