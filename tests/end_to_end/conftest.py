"""One Prefect server for all runs that need not test the start of the embedded one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.project import Project, serve_prefect
from tests.fakes.feed_server import FeedServer


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_prefect(tmp_path_factory.mktemp("prefect")) as api:
        yield api


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def new_project(tmp_path: Path, prefect_api: str) -> Callable[..., Project]:
    """Lay out a project whose runs use the shared Prefect server."""

    def create(feeds: dict[str, str], **limits: Any) -> Project:
        project = Project.create(tmp_path / "project", feeds, **limits)
        project.environ["PREFECT_API_URL"] = prefect_api
        return project

    return create
