"""Projects whose runs use no Prefect, or one Prefect server for all tests of a run."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.prefect_server import copy_empty_database, shared_prefect
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer


@pytest.fixture(scope="session")
def _all_workers(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the temporary folder of all worker processes."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def prefect_api(_all_workers: Path) -> Iterator[str]:
    with shared_prefect(_all_workers) as api:
        yield api


@pytest.fixture
def migrate_prefect(prefect_api: str, _all_workers: Path) -> Callable[[Path], None]:
    """Put a migrated database for a Prefect server of its own into a home."""
    return partial(copy_empty_database, _all_workers)


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def new_project(tmp_path: Path) -> Callable[..., Project]:
    """Lay out a project whose runs use no Prefect: they do what flow runs do, see test_direct.py."""
    return _creator(tmp_path, {"COPYDESK_PREFECT": "off"})


@pytest.fixture
def flow_project(tmp_path: Path, prefect_api: str) -> Callable[..., Project]:
    """Lay out a project whose runs are flow runs on the shared Prefect server."""
    return _creator(tmp_path, {"PREFECT_API_URL": prefect_api})


def _creator(folder: Path, environ: dict[str, str]) -> Callable[..., Project]:
    def create(feeds: dict[str, str], **limits: Any) -> Project:
        project = Project.create(folder / "project", feeds, **limits)
        project.environ |= environ
        return project

    return create
