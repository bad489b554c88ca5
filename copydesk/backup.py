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
    kept = f"{pluralize(saved.files, 'file')}{' and the ledger' if saved.db else ''}"
    print_line(f"{printable(archive)}: {kept}. feeds.yaml, prompts and .env are yours to keep.")
    if not saved.db:
        err.print(f"The ledger is PostgreSQL's: dump it now, after the files: {_DUMP}", markup=False)


def restore(archive: Path) -> None:
    """Put a backup back, where nothing stands yet. Raises ConfigError, ReviewError, OutputError."""
    settings = desk_settings()
    if not archive.is_file():
        raise ConfigError(f"{archive} does not exist")
    saved = verify_backup(archive.absolute())
    database = _place(settings, db=saved.db)
    if not saved.db:
        _require_database(settings)
    restore_files(archive.absolute(), settings.output, database)
    with Database.open(settings.database_url) as db:
        amended = reconcile_database(db, settings.output)
    print_line(f"{pluralize(saved.files, 'file')} restored{', and the ledger' if saved.db else ''}.")
    _tell(amended)
    print_line("The next run goes on from there.")


def _place(settings: Settings, *, db: bool) -> Path | None:
    """Return where an archive's ledger goes, None where it holds none. Raises ConfigError."""
    place = file_of(settings.database_url)
    if db and place is None:
        raise ConfigError(
            "the archive holds a ledger of SQLite, and COPYDESK_DATABASE_URL names PostgreSQL; "
            "take it out of .env to restore that ledger",
            variable="COPYDESK_DATABASE_URL",
        )
    return place if db else None


def _require_database(settings: Settings) -> None:
    """Raise ReviewError where the ledger that an archive goes with is not there."""
    place = file_of(settings.database_url)
    if place is None or place.exists():  # nothing is made where there is none
        with Database.open(settings.database_url) as db:
            if db.feeds.item_counts():
                return
    raise ReviewError(f"the archive holds no ledger, and yours is empty; load its dump first: {_LOAD}")


def _tell(amended: RestoreSummary) -> None:
    """Say what the ledger knew better."""
    if amended.written:
        print_line(
            f"{pluralize(len(amended.written), 'file')} written from the ledger: it is newer than the copy."
        )
    if amended.left_out:
        some = ", ".join(amended.left_out[:3]) + (" …" if len(amended.left_out) > 3 else "")
        print_line(
            f"{pluralize(len(amended.left_out), 'file')} left out, since decided on or forgotten: "
            f"{printable(some)}"
        )
