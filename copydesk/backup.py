"""`copydesk backup save` and `backup restore`: a consistent copy of database and output folder."""

import os
import stat
from pathlib import Path

from copydesk.console import pluralize, print_json, print_line, printable
from pipeline.config import Settings, desk_settings, load_settings, require_output_folder
from pipeline.domain.errors import ConfigError, ReviewError
from pipeline.services.backup import (
    RestoreSummary,
    create_backup,
    reconcile_database,
    restore_files,
    restore_into,
    verify_backup,
)
from pipeline.storage import Database, file_of

_LOAD = 'pg_restore --clean --if-exists --dbname="$COPYDESK_DATABASE_URL" copydesk.dump'
_NAME_ONE = "name a file that `copydesk backup save` has written"


def save(archive: Path, *, as_json: bool) -> None:
    """Write a backup while runs and the desk continue. Raises ConfigError if the file exists."""
    settings = desk_settings()
    if os.path.lexists(archive):
        raise ConfigError(f"{archive} exists; name another file")
    with Database.open(settings.database_url) as db:
        saved = create_backup(db, settings.output, archive.absolute())
    if as_json:
        print_json({"archive": str(archive), "files": saved.files, "database": saved.db})
        return
    contents = f"{pluralize(saved.files, 'file')} and the database"
    print_line(f"{printable(archive)}: {contents}. feeds.yaml, prompts and .env are not included.")


def restore(archive: Path, *, files_only: bool, as_json: bool) -> None:
    """Restore a backup where there is no data yet, or only the files of a database that is there.

    Raises ConfigError, ReviewError, OutputError, DatabaseError.
    """
    settings = load_settings()  # the folder may be empty
    require_output_folder(settings)
    _require_file(archive)
    saved = verify_backup(archive.absolute())
    with_database = saved.db and not files_only
    if with_database:
        _restore_all(settings, archive.absolute())
    else:
        _require_database(settings, dump=not saved.db)
        restore_files(archive.absolute(), settings.output, None)
    with Database.open(settings.database_url) as db:
        summary = reconcile_database(db, settings.output)
    if as_json:
        changes = {"written": summary.written, "left_out": summary.left_out}
        print_json({"archive": str(archive), "files": saved.files, "database": with_database} | changes)
        return
    print_line(f"{pluralize(saved.files, 'file')}{' and the database' if with_database else ''} restored.")
    _print_changes(summary)
    print_line("The next run continues from this state.")


def _require_file(archive: Path) -> None:
    """Raise ConfigError where there is no file."""
    try:
        is_file = stat.S_ISREG(archive.stat().st_mode)
    except OSError as error:
        raise ConfigError(f"{archive}: {error.strerror}; {_NAME_ONE}", file=str(archive)) from error
    if not is_file:
        raise ConfigError(f"{archive} is no file; {_NAME_ONE}", file=str(archive))


def _restore_all(settings: Settings, archive: Path) -> None:
    """Restore files and database; the archive may be of either kind of database, and so may the target."""
    file = file_of(settings.database_url)
    if file is not None:
        restore_files(archive, settings.output, file)
        return
    with Database.open(settings.database_url) as db:
        restore_into(db, archive, settings.output)


def _require_database(settings: Settings, *, dump: bool) -> None:
    """Raise ReviewError if the database that belongs to the archive is missing or empty."""
    file = file_of(settings.database_url)
    if file is None or os.path.lexists(file):  # opening would create the file
        with Database.open(settings.database_url) as db:
            if db.feeds.item_counts():
                return
    if dump and file is not None:
        fix = (
            "the archive contains no database: an earlier Copydesk made it beside PostgreSQL; set "
            "COPYDESK_DATABASE_URL to that database"
        )
    elif dump:
        fix = f"the archive contains no database, and yours is empty; load the database dump first: {_LOAD}"
    else:
        fix = "your database is empty; leave out --files-only to restore the one of the archive"
    raise ReviewError(fix)


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
