"""The git target, with real repositories that have an operator's own changes."""

import subprocess
from pathlib import Path

import pytest

from pipeline.config import GitTarget
from pipeline.domain.errors import PublishError
from pipeline.publishing.targets import Job, Result
from pipeline.publishing.targets.git import apply_jobs
from tests.pipeline.publishing.targets.jobs import FIRST, PATH, SECOND, job

FILE = f"content/news/{PATH}"


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run git without configuration and without a user name."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=Op", "-c", "user.email=op@example.org", "-c", "init.defaultBranch=main")
    command = ["git", *named, *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rstrip("\n")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit on main, checked out."""
    folder = tmp_path / "site"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "config.toml").write_text("title = 'Site'\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "First")
    return folder


def target(repo: Path, **changes: object) -> GitTarget:
    values = {"kind": "git", "name": "repo", "path": str(repo), "folder": "content/news"}
    return GitTarget.model_validate(values | changes)


def publish(repo: Path, article: Job, **changes: object) -> Result:
    [result] = apply_jobs(target(repo, **changes), [article])
    return result


def refused(repo: Path, article: Job, **changes: object) -> str:
    result = publish(repo, article, **changes)
    assert isinstance(result, PublishError), result
    assert "\n" not in result.message
    return result.message


def count(repo: Path, branch: str = "main") -> int:
    return int(git(repo, "rev-list", "--count", branch))


def test_an_article_becomes_a_commit_by_its_editor(repo: Path) -> None:
    result = publish(repo, job())
    assert result == f"{repo}: {git(repo, 'rev-parse', 'main')}"
    assert git(repo, "log", "-1", "--format=%an <%ae>, %cn <%ce>: %s") == (
        "Ada Lovelace <ada-lovelace@copydesk.invalid>, Copydesk <copydesk@copydesk.invalid>: "
        "Publish: Output rises"
    )
    assert git(repo, "show", "--name-only", "--format=") == FILE
    assert git(repo, "show", f"main:{FILE}").encode() + b"\n" == FIRST
    assert (repo / FILE).read_bytes() == FIRST
    assert git(repo, "status", "--porcelain") == ""


def test_publishing_twice_makes_one_commit(repo: Path) -> None:
    assert publish(repo, job()) == publish(repo, job())
    assert count(repo) == 2
    publish(repo, job(SECOND))
    publish(repo, job(SECOND))
    assert count(repo) == 3
    assert (repo / FILE).read_bytes() == SECOND


def test_a_withdrawal_is_a_commit_too(repo: Path) -> None:
    publish(repo, job())
    publish(repo, job(None))
    publish(repo, job(None))
    assert count(repo) == 3
    assert git(repo, "ls-tree", "-r", "--name-only", "main") == "config.toml"
    assert git(repo, "log", "-1", "--format=%s") == "Withdraw: Output rises"
    assert not (repo / FILE).exists()
    assert git(repo, "status", "--porcelain") == ""


def test_work_under_way_is_neither_committed_nor_lost(repo: Path) -> None:
    (repo / "config.toml").write_text("title = 'Dirty'\n")
    (repo / "staged.md").write_text("staged\n")
    git(repo, "add", "staged.md")
    (repo / "untracked.md").write_text("untracked\n")
    before = git(repo, "status", "--porcelain")
    publish(repo, job())
    assert git(repo, "show", "--name-only", "--format=") == FILE
    assert git(repo, "status", "--porcelain") == before
    assert (repo / "config.toml").read_text() == "title = 'Dirty'\n"


def test_a_branch_that_is_not_checked_out_grows_without_touching_the_files(repo: Path) -> None:
    git(repo, "branch", "live")
    publish(repo, job(), branch="live")
    assert git(repo, "ls-tree", "-r", "--name-only", "live").split() == ["config.toml", FILE]
    assert git(repo, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert not (repo / FILE).exists()
    assert git(repo, "status", "--porcelain") == ""
    assert count(repo) == 1


def test_a_branch_in_another_worktree_is_followed_there(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "-b", "live", str(tmp_path / "live"))
    publish(repo, job(), branch="live")
    assert (tmp_path / "live" / FILE).read_bytes() == FIRST
    assert git(tmp_path / "live", "status", "--porcelain") == ""


def test_a_repository_without_a_commit_gets_its_first(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q")
    publish(folder, job())
    assert count(folder) == 1
    assert (folder / FILE).read_bytes() == FIRST
    assert git(folder, "status", "--porcelain") == ""


def test_a_branch_that_does_not_exist_begins_with_the_article(repo: Path) -> None:
    publish(repo, job(), branch="gh-pages", folder=None)
    assert git(repo, "ls-tree", "-r", "--name-only", "gh-pages") == PATH
    assert git(repo, "log", "--format=%P", "gh-pages") == ""


def test_a_bare_repository_will_do(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(bare))
    publish(bare, job())
    assert count(bare) == 2


@pytest.mark.parametrize("data", [SECOND, None])
def test_an_operators_commit_is_not_replaced(repo: Path, data: bytes | None) -> None:
    publish(repo, job())
    (repo / FILE).write_text("mine\n")
    git(repo, "commit", "-qam", "Mine")
    assert "was changed by somebody else" in refused(repo, job(data))
    assert (repo / FILE).read_text() == "mine\n"
    assert count(repo) == 3


@pytest.mark.parametrize("stage", [False, True])
@pytest.mark.parametrize("data", [SECOND, None])
def test_an_operators_uncommitted_change_is_not_replaced(repo: Path, data: bytes | None, stage: bool) -> None:
    publish(repo, job())
    (repo / FILE).write_text("mine\n")
    if stage:
        git(repo, "add", FILE)
        (repo / FILE).write_bytes(FIRST)
    assert "was changed by somebody else" in refused(repo, job(data))
    assert count(repo) == 2
    assert (repo / FILE).read_bytes() == (FIRST if stage else b"mine\n")


def test_a_link_in_the_tree_is_not_followed(repo: Path, tmp_path: Path) -> None:
    (repo / "content").symlink_to(tmp_path)
    git(repo, "add", "content")
    git(repo, "commit", "-qm", "Link")
    refused(repo, job())
    assert not list(tmp_path.glob("news*"))
    assert count(repo) == 2


def test_what_is_committed_is_pushed(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "remote.git")
    git(repo, "remote", "add", "origin", str(tmp_path / "remote.git"))
    publish(repo, job(), push=True)
    assert count(tmp_path / "remote.git") == 2


def test_a_remote_that_wants_a_password_gets_none(repo: Path) -> None:
    git(repo, "remote", "add", "origin", "https://ada:sesame@127.0.0.1:9/site.git")
    assert "sesame" not in refused(repo, job(), push=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none", "none does not exist"),
        ("plain", "is no git repository"),
        ("site/content", "is not the root of a repository but inside"),
    ],
)
def test_a_folder_without_repository_is_an_error(repo: Path, tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "plain").mkdir()
    (repo / "content").mkdir()
    assert message in refused(tmp_path / path, job())


def test_missing_git_is_an_error(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "git is not installed" in refused(repo, job())


def test_gits_own_variables_of_another_repository_do_not_count(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    (repo / ".git/hooks/reference-transaction").write_text(f"#!/bin/sh\nenv > {tmp_path}/env\n")
    (repo / ".git/hooks/reference-transaction").chmod(0o755)
    publish(repo, job())
    monkeypatch.delenv("GIT_DIR")
    assert count(repo) == 2
    assert "sesame" not in (tmp_path / "env").read_text()


def test_an_editors_odd_name_is_no_option_and_no_address(repo: Path) -> None:
    assert isinstance(publish(repo, job(by="Žofie <root@x>\n--amend", title="-m\n\nx")), str)
    assert git(repo, "log", "-1", "--format=%an|%ae|%s") == (
        "Žofie root@x --amend|zofie-root-x-amend@copydesk.invalid|Publish: -m x"
    )
    assert isinstance(publish(repo, job(SECOND, by=" ")), str)
    assert git(repo, "log", "-1", "--format=%an|%ae") == "unknown|unknown@copydesk.invalid"
