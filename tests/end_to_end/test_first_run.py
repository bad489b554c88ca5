"""The first use: runs on the sample beat with the embedded server and without, then an approval."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.articles.front_matter import dumps, loads
from tests.end_to_end.project import Project, run_copydesk
from tests.end_to_end.test_serving import servers


def contents(project: Project) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.drafts()}


class Outside:
    """Whatever asks for a host that is not this machine ends here, and is counted."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    def environ(self) -> dict[str, str]:
        proxy = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), proxy)
        return proxies | {"NO_PROXY": "127.0.0.1,localhost"}

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    self.calls.append(connection.recv(200))


@pytest.fixture
def outside() -> Iterator[Outside]:
    counter = Outside()
    yield counter
    counter.close()


@pytest.mark.parametrize("first_start", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_the_sample_beat_drafts_once_and_says_what_to_do_next(
    tmp_path: Path, outside: Outside, migrate_prefect: Callable[[Path], None], *, first_start: bool
) -> None:
    project = Project.create(tmp_path / "project", {})
    if not first_start:  # the first start of Prefect's server migrates its database
        migrate_prefect(Path(project.environ["HOME"]))
    project.environ |= outside.environ()
    first = run_copydesk(project, "--sample", "run")
    assert first.returncode == 0, first.stderr
    assert servers(project.folder) == []
    written = contents(project)
    assert len(written) >= 10
    assert "offline briefs" in first.stdout
    assert "broken" in first.stdout, "the malformed feed is named"
    assert "drafts list" in first.stdout
    for text in written.values():
        metadata, body = loads(text.decode())
        assert metadata["ai"]["rewritten"] is False
        assert metadata["ai"]["model"] == "offline"
        assert dumps(metadata, body) == text.decode()

    second = run_copydesk(project, "--sample", "run", "--direct")
    assert second.returncode == 0, second.stderr
    assert "Nothing new" in second.stdout
    assert contents(project) == written

    listed = json.loads(run_copydesk(project, "--sample", "drafts", "list", "--json").stdout)
    assert len(listed) == len(written)
    refused = run_copydesk(project, "--sample", "approve", listed[0]["short_id"])
    assert refused.returncode == 6
    assert "brief" in refused.stderr
    assert contents(project) == written
    assert outside.calls == []
