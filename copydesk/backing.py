"""`copydesk backup save` and `backup restore`: ledger and output folder, as they were at one time."""

from pathlib import Path

from copydesk.console import counted, err, plain, say
from pipeline.backup import back_up, unpack, write_missing
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.settings import Settings, desk_settings

_DUMP = 'pg_dump --format=custom --file=ledger.dump "$COPYDESK_DATABASE_URL"'
_LOAD = 'pg_restore --clean --if-exists --dbname="$COPYDESK_DATABASE_URL" ledger.dump'


def save(archive: Path) -> None:
    """Write a backup; runs and the desk may go on. Raises ConfigError for a file that exists."""
    settings = desk_settings()
    if archive.exists():
        raise ConfigError(f"{archive} exists; name another file")
    with Ledger.open(settings.database_url) as ledger:
        saved = back_up(ledger, settings.output, archive.absolute())
    kept = f"{counted(saved.files, 'file')}{' and the ledger' if saved.ledger else ''}"
    say(f"{plain(archive)}: {kept}. feeds.yaml, prompts and .env are yours to keep.")
    if not saved.ledger:
        err.print(f"The ledger is PostgreSQL's: dump it now, after the files: {_DUMP}", markup=False)


def restore(archive: Path) -> None:
    """Put a backup back, where nothing stands yet. Raises ConfigError, ReviewError."""
    settings = desk_settings()
    if not archive.is_file():
        raise ConfigError(f"{archive} does not exist")
    saved = unpack(archive.absolute(), settings.output, _database(settings))
    with Ledger.open(settings.database_url) as ledger:
        written = write_missing(ledger, settings.output)
    say(f"{counted(saved.files, 'file')} restored{', and the ledger' if saved.ledger else ''}.")
    if written:
        say(f"{counted(written, 'draft')} came while the backup was made: written from the ledger.")
    if not saved.ledger:
        err.print(f"The ledger is not part of it. PostgreSQL's is loaded by: {_LOAD}", markup=False)
        err.print("Say `copydesk backup restore` again after that, into an empty output folder.")
    say("The next run goes on from there.")


def _database(settings: Settings) -> Path | None:
    scheme, _, path = settings.database_url.partition(":///")
    return Path(path) if scheme == "sqlite" else None
