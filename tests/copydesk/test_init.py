"""`copydesk init` and what commands say in a folder without feeds.yaml."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Never

import pytest

from copydesk.console import program
from copydesk.init import service_file
from pipeline.config import load_feeds, load_settings
from pipeline.rewrite.prompt_files import PACKAGED
from tests.commands import call_copydesk
from tests.end_to_end.project import Project

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "copydesk/init_files/copydesk.service").read_text()


@pytest.fixture
def here(tmp_path: Path) -> Project:
    folder = tmp_path / "here"
    folder.mkdir()
    return Project(folder, {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "200"})


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_has_all_that_a_command_reads(here: Project) -> None:
    result = call_copydesk(here, "init", "news")
    news = here.folder / "news"
    assert (result.returncode, result.stderr) == (0, "")
    assert f"Folder: {news}" in result.stdout
    assert contents(news).keys() == {"feeds.yaml", ".env", "prompts/README.md", "copydesk.service"}
    assert (f"chown -R copydesk: {news}\n" in result.stdout) == (os.geteuid() == 0), "root gets one more step"
    assert stat.S_IMODE((news / ".env").stat().st_mode) == 0o600
    settings = load_settings({}, base=news)
    assert settings.verifier == "default", "the one setting that the template has set"
    assert load_feeds(settings.feeds_file).feeds
    checked = call_copydesk(Project(news, here.environ), "prompt", "lint")
    assert (checked.returncode, checked.stdout.count("packaged")) == (0, 3)


def test_no_file_is_overwritten(here: Project) -> None:
    own = {"feeds.yaml": b"mine", ".env": b"KEY=1", "copydesk.service": b""}
    for name, data in own.items():
        (here.folder / name).write_bytes(data)
    (here.folder / "prompts").mkdir()
    (here.folder / "prompts/README.md").symlink_to("nowhere")
    result = call_copydesk(here, "init")
    assert (result.returncode, result.stdout.count("is there already: not changed")) == (0, 4)
    assert contents(here.folder) == own
    listed = json.loads(call_copydesk(here, "init", "--json").stdout)
    assert listed["folder"] == str(here.folder)
    assert [file["written"] for file in listed["files"]] == [False] * 4


def test_a_file_in_the_way_is_one_line(here: Project) -> None:
    (here.folder / "news").write_text("a file")
    result = call_copydesk(here, "init", "news")
    assert (result.returncode, result.stderr.count("\n")) == (5, 1)
    assert "there is a file where a folder should be" in result.stderr


@pytest.mark.parametrize(
    "command",
    [("run", "--direct"), ("status",), ("retry",), ("drafts", "list"), ("cost",), ("approve", "x"), ("desk",),
     ("serve",), ("backup", "save", "x.tar.gz"), ("eval", "--field"), ("proof", "x"), ("publish",)],
    ids=" ".join,
)  # fmt: skip
def test_elsewhere_a_command_names_init_and_creates_nothing(here: Project, command: tuple[str, ...]) -> None:
    result = call_copydesk(here, *command)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert str(here.folder) in result.stderr
    assert "`copydesk init`" in result.stderr
    assert not list(here.folder.iterdir())


def test_prompts_are_copied_to_be_changed_and_never_overwritten(here: Project) -> None:
    copied = call_copydesk(here, "prompt", "copy", "article", "mend")
    assert copied.returncode == 0, copied.stderr
    names = {
        "article.md.j2",
        "mend.md.j2",
        *(f"examples/{name}.yaml" for name in ("batterie", "outage", "short")),
    }
    assert contents(here.folder / "prompts") == {name: (PACKAGED / name).read_bytes() for name in names}
    (here.folder / "prompts/article.md.j2").write_text("changed")
    again = call_copydesk(here, "prompt", "copy", "article")
    assert again.stdout.count("is there already: not changed") == 4
    assert (here.folder / "prompts/article.md.j2").read_text() == "changed"
    unknown = call_copydesk(here, "prompt", "copy", "artcle")
    assert (unknown.returncode, "did you mean article?" in unknown.stderr) == (2, True)


def test_the_service_names_folder_and_command_as_systemd_reads_them() -> None:
    plain = service_file(TEMPLATE, Path("/srv/news"), ["/opt/bin/copydesk"], "ada").splitlines()
    assert {"User=ada", "WorkingDirectory=/srv/news", "ExecStart=/opt/bin/copydesk serve"} <= set(plain)
    odd = service_file(TEMPLATE, Path("/srv/100% news"), ["/o p/$x/py", "-m", "copydesk"], "ada").splitlines()
    assert {"WorkingDirectory=/srv/100%% news", 'ExecStart="/o p/$$x/py" -m copydesk serve'} <= set(odd)
    assert 'Environment="PREFECT_HOME=/srv/100%% news/.copydesk/prefect"' in odd
    assert "Environment=PREFECT_HOME=/srv/news/.copydesk/prefect" in plain


def test_the_service_is_started_anew_for_ever_and_prefects_database_does_not_grow_for_ever() -> None:
    lines = service_file(TEMPLATE, Path("/srv/news"), ["copydesk"], "ada").splitlines()
    deletion = "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED=events,flow_runs"
    assert {"Restart=on-failure", "RestartSec=60", "StartLimitIntervalSec=0"} <= set(lines)
    assert f"Environment={deletion}" in lines
    assert f"    {deletion} \\" in (ROOT / "Containerfile").read_text().splitlines()


def test_the_version_is_printed_before_anything_is_read(here: Project) -> None:
    (here.folder / ".env").write_text("COPYDESK_NO_SUCH=1")
    result = call_copydesk(here, "--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("copydesk 0.")
    assert f"(Python {sys.version_info.major}." in result.stdout


@pytest.mark.parametrize(
    ("called", "path", "shown"),
    [
        ("{here}/bin/copydesk", "{here}/bin", "copydesk"),
        ("{here}/bin/copydesk", "/usr/bin", "bin/copydesk"),
        ("bin/copydesk", "{here}/other:/usr/bin", "bin/copydesk"),
        ("{outside}/copydesk", "{here}/bin", "{outside}/copydesk"),
        ("{here}/copydesk/__main__.py", "/usr/bin", "{python} -m copydesk"),
    ],
)
def test_hints_name_the_command_as_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str, path: str, shown: str
) -> None:
    here, outside = tmp_path / "here", tmp_path / "outside"
    for folder in (here / "bin", here / "other", outside):
        folder.mkdir(parents=True)
        (folder / "copydesk").touch(mode=0o755)
    places = {"here": here, "outside": outside, "python": sys.executable}
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "argv", [called.format(**places)])
    monkeypatch.setenv("PATH", path.format(**places))
    assert program() == shown.format(**places)


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 4711"), OSError("no such user")])
def test_a_user_without_a_name_gets_a_service_too(
    here: Project, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """As in a container that is started with another uid."""

    def nameless() -> Never:
        raise error

    monkeypatch.setattr("os.geteuid", lambda: 4711)
    monkeypatch.setattr("getpass.getuser", nameless)
    assert call_copydesk(here, "init").returncode == 0
    assert "\nUser=copydesk\n" in (here.folder / "copydesk.service").read_text()
