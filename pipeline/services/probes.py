"""What monitoring asks of a running process: whether it is ready, and its metrics."""

import threading
from datetime import datetime
from typing import Literal

from pipeline.config import Settings, load_feeds
from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.services.budget import configured_caps
from pipeline.services.metrics import CapUse, Readings, collect_metrics, format_metrics
from pipeline.storage import Database

Check = Literal["database", "schema", "feeds.yaml"]


class Probes:
    """Reads the database and feeds.yaml for monitoring, from any thread."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self._lock = threading.Lock()
        self._feeds_time: int | None = None
        self._keys: frozenset[str] = frozenset()
        self._is_readable = False

    def failed_checks(self) -> list[Check]:
        """Return what keeps this process from working: the database, its schema, or feeds.yaml."""
        failed: list[Check] = []
        try:
            if not self._db.metrics.is_migrated():
                failed.append("schema")
        except DatabaseError:
            failed.append("database")
        self._read_feeds()
        return failed if self._is_readable else [*failed, "feeds.yaml"]

    def metrics(self, now: datetime) -> str:
        """Return the metrics as text. Raises DatabaseError."""
        self._read_feeds()
        readings = Readings(
            snapshot=self._db.metrics.snapshot(now),
            feeds=self._db.feeds.status(),
            backlogs=self._db.items.backlogs(now),
            publications=self._db.publications.backlog(),
            caps=self._caps(now),
            configured=self._keys,
        )
        return "".join(format_metrics(collect_metrics(readings, now)))

    def _caps(self, now: datetime) -> list[CapUse]:
        """Return the use of the caps of a period; that of a run is its own."""
        configured = configured_caps(self._settings, now)
        return [
            CapUse(cap.name, micros, self._db.budget.spent(cap)) for micros, cap in configured if cap.since
        ]

    def _read_feeds(self) -> None:
        """Read the keys of feeds.yaml if it has changed; if it has a mistake, the last ones stay."""
        path = self._settings.feeds_file
        with self._lock:
            try:
                changed = path.stat().st_mtime_ns
                if changed != self._feeds_time:
                    self._feeds_time, self._is_readable = changed, False
                    self._keys = frozenset(feed.key for feed in load_feeds(path).feeds)
                    self._is_readable = True
            except ConfigError as error:
                self._is_readable = False
                if isinstance(error.__cause__, OSError):  # permissions change without the time of the file
                    self._feeds_time = None
            except OSError:
                self._feeds_time, self._is_readable = None, False
