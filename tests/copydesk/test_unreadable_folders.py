"""Files and folders that cannot be looked at are one line and an exit code, never a traceback.

`Path.exists` raises such an error. Root, as whom tests may run, gets it for names that are too long and for
loops of links.
"""

import tarfile
from pathlib import Path

import pytest

from copydesk.installation_checks import check_disk
from pipeline.config import Target, load_settings
from pipeline.config.publish_targets import FolderTarget, GitTarget
from pipeline.domain.errors import ConfigError, OutputError, PublishError
from pipeline.publishing import check_target
from pipeline.rewrite.evaluation.golden_set import load_recorded
from pipeline.rewrite.prompt_files import template_names, template_path
from pipeline.services.backup import create_backup, require_empty
from pipeline.storage import Database
from pipeline.verifier.evaluation.measurement import load_measurement
from tests.commands import call_copydesk
from tests.end_to_end.project import Project

LONG = "a" * 300
"""Longer than the 255 bytes that file systems allow."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project", {"news": "https://news.example/feed"})


def one_line(project: Project, *command: str) -> tuple[int, str]:
    done = call_copydesk(project, *command)
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("init", LONG), 5, "the path is too long"),
        (("backup", "save", LONG), 5, "the path is too long"),
        (("backup", "restore", LONG), 2, "File name too long; name a file that"),
        (("backup", "restore", "prompts"), 2, "prompts is no file; name a file that"),
        (("backup", "restore", "nothing"), 2, "nothing: No such file or directory; name a file that"),
    ],
    ids=lambda value: " ".join(value).replace(LONG, "LONG") if isinstance(value, tuple) else "",
)
def test_a_path_that_cannot_be_looked_at(
    project: Project, command: tuple[str, ...], code: int, message: str
) -> None:
    (project.folder / ".copydesk").mkdir()
    Database.open(f"sqlite:///{project.folder}/.copydesk/ledger.db").close()
    returned, line = one_line(project, *command)
    assert (returned, message in line) == (code, True), line


@pytest.mark.parametrize("command", [("retry",), ("run", "--direct"), ("feeds", "list")], ids=" ".join)
def test_a_feeds_file_that_cannot_be_looked_at(project: Project, command: tuple[str, ...]) -> None:
    project.environ["COPYDESK_FEEDS"] = LONG
    assert one_line(project, *command)[0] == 2


def test_prompts_that_cannot_be_looked_at_are_not_replaced_by_the_packaged_ones(project: Project) -> None:
    prompts = project.folder / "prompts"
    prompts.rename(project.folder / "moved")
    prompts.symlink_to("prompts")
    code, line = one_line(project, "prompt", "copy", "article")
    assert (code, "prompts/article.md.j2" in line) == (5, True), line
    linted = call_copydesk(project, "prompt", "lint")
    assert linted.returncode == 2
    assert "prompts/article.md.j2 cannot be read (Too many levels of symbolic links)" in linted.stderr


def test_the_packaged_prompts_are_listed_beside_a_folder_that_cannot_be_looked_at(tmp_path: Path) -> None:
    names = template_names(tmp_path / "missing")
    assert "article" in names
    assert template_names(tmp_path / LONG) == names
    with pytest.raises(ConfigError, match=r"article\.md\.j2 cannot be read \(File name too long\)"):
        template_path(tmp_path / LONG, "article")


def test_free_space_is_that_of_the_nearest_folder_that_can_be_looked_at(tmp_path: Path) -> None:
    settings = load_settings({"COPYDESK_OUTPUT": f"{LONG}/output"}, base=tmp_path)
    assert "free for the output" in check_disk(settings)


def test_a_folder_that_cannot_be_read_is_not_left_out_of_a_backup(tmp_path: Path) -> None:
    loop = tmp_path / "output"
    loop.symlink_to("output")
    with pytest.raises(OutputError, match="Cannot read"):
        require_empty(loop, None)
    require_empty(tmp_path / "missing", None)
    with Database.open(f"sqlite:///{tmp_path}/ledger.db") as db, pytest.raises(OutputError, match="output"):
        create_backup(db, loop, tmp_path / "backup.tar.gz")


def test_targets_that_cannot_be_looked_at_are_named(tmp_path: Path) -> None:
    place = tmp_path / LONG / "site"
    targets: list[Target] = [
        GitTarget(kind="git", name="site", path=str(place)),
        FolderTarget(kind="folder", name="site", path=str(place)),
    ]
    for target in targets:
        with pytest.raises(PublishError, match=r"does not exist; .* `path` in feeds\.yaml"):
            check_target(tmp_path / "output", target, {})


def test_evaluations_that_cannot_be_looked_at_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no answers are recorded as 'mine'"):
        load_recorded(tmp_path / LONG, "mine")
    assert load_measurement(tmp_path / LONG, "default") is None


@pytest.mark.parametrize("database", ["", "postgresql://ada@127.0.0.1:9/lost"])
def test_an_archive_of_something_else_is_no_backup(project: Project, database: str) -> None:
    if database:
        project.environ["COPYDESK_DATABASE_URL"] = database
    with tarfile.open(project.folder / "other.tar.gz", "w:gz") as tar:
        tar.add(project.folder / "feeds.yaml", "feeds.yaml")
    code, line = one_line(project, "backup", "restore", "other.tar.gz")
    assert (code, "is not a backup: it has neither ledger.db nor files of output/" in line) == (5, True), line
    assert not (project.folder / "output").exists()
