"""A desk with six drafts: the first and the fourth contain invented facts."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.config import Settings
from tests.desk.server import DeskServer, Visitor
from tests.fakes.stock import fill, layout


class Desk(NamedTuple):
    server: DeskServer
    settings: Settings
    refs: list[str]
    """External ids, in the order of the queue."""
    ada: Visitor

    def text(self, ref: str, folder: str = "drafts") -> str:
        """Return the text of a file on disk."""
        return self.path(ref, folder).read_text(encoding="utf-8")

    def path(self, ref: str, folder: str = "drafts") -> Path:
        paths = list(self.settings.output.glob(f"{folder}/**/*-{ref[:8]}.md"))
        assert len(paths) == 1, paths
        return paths[0]

    def exists(self, ref: str, folder: str) -> bool:
        return bool(list(self.settings.output.glob(f"{folder}/**/*-{ref[:8]}.md")))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    settings = layout(tmp_path / "project")
    refs = fill(settings, 6)
    with DeskServer(settings) as server, Visitor(server) as ada:
        yield Desk(server, settings, refs, ada)
