"""With a SOCKS proxy in the environment, commands that need the network fail with one line; others work."""

import sys
from pathlib import Path

import pytest
import yaml

from copydesk.main import main
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feeds: FeedServer) -> Project:
    made = Project.create(tmp_path / "project", {"one": feeds.url("/feed")})
    monkeypatch.chdir(made.folder)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    proxy = {"ALL_PROXY": "socks5h://ada:secret@127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
    for name, value in (made.environ | proxy).items():
        monkeypatch.setenv(name, value)
    return made


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command line in this process and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["copydesk", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("backfill", "one", "--since", "2026-01-01"),
        ("backfill", "one", "--dry-run"),
        ("serve",),
        ("doctor",),
        ("feeds", "check"),
        ("feeds", "check", "one"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("project")
def test_commands_that_need_the_network_fail_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    feeds: FeedServer,
    arguments: tuple[str, ...],
) -> None:
    with ModelServer() as model:
        monkeypatch.setenv("COPYDESK_MODEL", "m")
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        assert called(monkeypatch, *arguments) == 2
        assert model.headers == []
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("copydesk: ALL_PROXY names a SOCKS proxy (socks5h://127.0.0.1:1), and ")
    assert (output.err.count("\n"), feeds.requests) == (1, 0)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("drafts", "list"), ("feeds", "list"), ("cost",), ("retry",), ("publish", "--all")],
    ids=" ".join,
)
def test_commands_without_network_work(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    project: Project,
    arguments: tuple[str, ...],
) -> None:
    feeds_file = project.folder / "feeds.yaml"
    (project.folder / "site").mkdir()
    target = {"kind": "folder", "path": "site"}
    content = yaml.safe_load(feeds_file.read_text()) | {"publish": {"site": target}}
    feeds_file.write_text(yaml.safe_dump(content))
    assert called(monkeypatch, *arguments) == 0, capsys.readouterr().err
