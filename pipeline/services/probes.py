"""What monitoring asks of a running process: whether it is ready, and its metrics."""

from datetime import datetime
from typing import Literal

from pipeline.config import Settings
from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.services.budget import configured_caps
from pipeline.services.feeds_file import FeedsFile
from pipeline.services.metrics import CapUse, Readings, collect_metrics, format_metrics
from pipeline.storage import Database

Check = Literal["database", "schema", "feeds.yaml"]


class Probes:
    """Reads the database and feeds.yaml for monitoring, from any thread."""

    def __init__(self, settings: Settings, db: Database, feeds: FeedsFile) -> None:
        self._settings, self._db, self._feeds = settings, db, feeds

    def failed_checks(self) -> list[Check]:
        """Return what keeps this process from working: the database, its schema, or feeds.yaml."""
        failed: list[Check] = []
        try:
            if not self._db.metrics.is_migrated():
                failed.append("schema")
        except DatabaseError:
            failed.append("database")
        return [*failed, "feeds.yaml"] if self._feeds.error() else failed

    def metrics(self, now: datetime) -> str:
        """Return the metrics as text. Raises DatabaseError."""
        readings = Readings(
            snapshot=self._db.metrics.snapshot(now),
            feeds=self._db.feeds.status(),
            backlogs=self._db.items.backlogs(now),
            publications=self._db.publications.backlog(),
            caps=self._caps(now),
            configured=self._keys(),
        )
        return "".join(format_metrics(collect_metrics(readings, now)))

    def _keys(self) -> frozenset[str]:
        try:
            return frozenset(feed.key for feed in self._feeds.latest().feeds)
        except ConfigError:  # /ready says so
            return frozenset()

    def _caps(self, now: datetime) -> list[CapUse]:
        """Return the use of the caps of a period; that of a run is its own."""
        configured = configured_caps(self._settings, now)
        return [
            CapUse(cap.name, micros, self._db.budget.spent(cap)) for micros, cap in configured if cap.since
        ]
