"""The database: one repository per noun over one engine; repositories' methods are one transaction each."""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipeline.storage.budget import BudgetRepository
from pipeline.storage.caches import CacheRepository
from pipeline.storage.daily import DailyRepository
from pipeline.storage.drafts import DraftRepository
from pipeline.storage.engine import Transactions, explained, is_sqlite, open_engine
from pipeline.storage.erasure import ErasureRepository
from pipeline.storage.feeds import FeedRepository
from pipeline.storage.files import FileRepository
from pipeline.storage.finding_counts import FindingCountRepository
from pipeline.storage.findings import FindingRepository
from pipeline.storage.items import ItemRepository
from pipeline.storage.leases import LeaseRepository
from pipeline.storage.metrics import MetricsRepository
from pipeline.storage.page_texts import PageTextRepository
from pipeline.storage.processes import current_owner
from pipeline.storage.publications import PublicationRepository
from pipeline.storage.published_articles import PublishedRepository
from pipeline.storage.readings import ReadingRepository
from pipeline.storage.redraft_requests import RedraftRepository
from pipeline.storage.reviews import ReviewRepository
from pipeline.storage.runs import RunRepository
from pipeline.storage.shown import ShownRepository
from pipeline.storage.versions import VersionRepository


class Database(Transactions):
    """An open database with its repositories; a context manager.

    Every method of a repository raises DatabaseError where the database fails.
    """

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        super().__init__(engine, owner)
        self.feeds = FeedRepository(engine, owner)
        self.items = ItemRepository(engine, owner)
        self.leases = LeaseRepository(engine, owner)
        self.budget = BudgetRepository(engine, owner)
        self.drafts = DraftRepository(engine, owner)
        self.versions = VersionRepository(engine, owner)
        self.page_texts = PageTextRepository(engine, owner)
        self.findings = FindingRepository(engine, owner)
        self.readings = ReadingRepository(engine, owner, self.budget.commits)
        self.reviews = ReviewRepository(engine, owner)
        self.shown = ShownRepository(engine, owner)
        self.redrafts = RedraftRepository(engine, owner)
        self.publications = PublicationRepository(engine, owner)
        self.published = PublishedRepository(engine, owner)
        self.files = FileRepository(engine, owner)
        self.erasure = ErasureRepository(engine, owner)
        self.caches = CacheRepository(engine, owner)
        self.metrics = MetricsRepository(engine, owner)
        self.runs = RunRepository(engine, owner)
        self.daily = DailyRepository(engine, owner)
        self.finding_counts = FindingCountRepository(engine, owner)

    @classmethod
    def open(cls, url: str, *, owner: str | None = None) -> Self:
        """Open the database at a URL, created or migrated as needed.

        `owner` names the process in leases and reservations (None: this one). Raises DatabaseError where it
        cannot be opened or a newer Copydesk wrote it, ConfigError for an invalid URL.
        """
        return cls(open_engine(url), owner or current_owner())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Store the answers and polls that were submitted, and close all connections."""
        self.budget.close()
        self.items.close()
        self._engine.dispose()

    def snapshot(self, path: Path) -> bool:
        """Write a consistent copy of the database to a new file; returns False where it is not SQLite.

        Others may read and write meanwhile (https://sqlite.org/lang_vacuum.html).
        """
        if not is_sqlite(self._engine):
            return False
        with explained(self.shown_url), contextlib.closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("VACUUM INTO ?", (str(path),))
        return True
