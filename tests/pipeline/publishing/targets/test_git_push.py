"""Pushes of the git target to a bare remote to which others push too."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.domain.errors import PublishError
from pipeline.publishing.targets.git import apply_jobs
from pipeline.publishing.targets.git_push import MAX_REBASES, fetched_ref
from tests.pipeline.publishing.targets.jobs import FIRST, PATH, SECOND, job
from tests.pipeline.publishing.targets.test_git import count, git, publish, refused, target

FILE = f"content/news/{PATH}"
OTHER_PATH = "2026/02/rates-fall-11111111.md"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository `site` with one commit, its bare remote, and `other`, the clone of somebody else."""
    folder = tmp_path_factory.mktemp("folders")
    (folder / "site").mkdir()
    git(folder / "site", "init", "-q")
    (folder / "site" / "config.toml").write_text("title = 'Site'\n")
    git(folder / "site", "add", ".")
    git(folder / "site", "commit", "-qm", "First")
    git(folder, "clone", "-q", "--bare", "site", "remote.git")
    git(folder, "clone", "-q", "remote.git", "other")
    git(folder / "site", "remote", "add", "origin", "../remote.git")
    git(folder / "other", "remote", "set-url", "origin", "../remote.git")
    return folder


@pytest.fixture
def repo(folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository of a test, without git configuration and without a user name."""
    shutil.copytree(folders, tmp_path, dirs_exist_ok=True)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "site"


@pytest.fixture
def remote(repo: Path) -> Path:
    return repo.parent / "remote.git"


def push_theirs(tmp_path: Path, path: str = "theirs.md", text: str = "Theirs.\n") -> None:
    other = tmp_path / "other"
    git(other, "pull", "-q", "--rebase")
    (other / path).parent.mkdir(parents=True, exist_ok=True)
    (other / path).write_text(text)
    git(other, "add", path)
    git(other, "commit", "-q", "-m", "Theirs")
    git(other, "push", "-q")


def at_remote(remote: Path, path: str) -> str:
    return git(remote, "show", f"main:{path}") + "\n"


def race(remote: Path, pushes: int) -> None:
    """Have somebody else push first, for the next `pushes` pushes."""
    (remote / "left").write_text("x" * pushes)
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\n"
        "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        'left=$(cat left); [ -n "$left" ] || exit 0\n'
        'printf %s "${left#x}" > left\n'
        "export GIT_COMMITTER_NAME=Op GIT_AUTHOR_NAME=Op EMAIL=op@example.org\n"
        "commit=$(git commit-tree -p main -m Race 'main^{tree}')\n"
        "git update-ref refs/heads/main $commit\n"
    )
    hook.chmod(0o755)


def test_commits_go_onto_a_foreign_push(repo: Path, remote: Path, tmp_path: Path) -> None:
    push_theirs(tmp_path)
    result = publish(repo, job(), push=True)
    assert result == f"{repo}: {git(remote, 'rev-parse', 'main')}"
    assert git(remote, "log", "--format=%an: %s", "main").splitlines() == [
        "Ada Lovelace: Publish: Output rises",
        "Op: Theirs",
        "Op: First",
    ]
    assert git(repo, "rev-parse", "main") == git(remote, "rev-parse", "main")
    assert (repo / "theirs.md").read_text() == "Theirs.\n"
    assert git(repo, "status", "--porcelain") == ""


def test_every_article_that_waits_is_pushed_each_as_its_own_commit(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    publish(repo, job())  # without push, by an earlier configuration
    push_theirs(tmp_path)
    jobs = [job(SECOND), job(path=OTHER_PATH, title="Rates fall")]
    results = apply_jobs(target(repo, push=True), jobs)
    commits = git(remote, "rev-list", "main").splitlines()
    assert results == [f"{repo}: {commits[1]}", f"{repo}: {commits[0]}"]
    assert git(remote, "log", "--format=%s", "main").splitlines() == [
        "Publish: Rates fall",
        "Publish: Output rises",
        "Publish: Output rises",
        "Theirs",
        "First",
    ]
    assert at_remote(remote, FILE).encode() == SECOND


def test_a_withdrawal_goes_onto_a_foreign_push(repo: Path, remote: Path, tmp_path: Path) -> None:
    publish(repo, job(), push=True)
    push_theirs(tmp_path)
    assert isinstance(publish(repo, job(None), push=True), str)
    assert git(remote, "ls-tree", "-r", "--name-only", "main").split() == ["config.toml", "theirs.md"]
    assert not (repo / FILE).exists()


@pytest.mark.parametrize("data", [SECOND, None])
def test_only_the_article_that_somebody_else_changed_stops(
    repo: Path, remote: Path, tmp_path: Path, data: bytes | None
) -> None:
    publish(repo, job(), push=True)
    push_theirs(tmp_path, FILE, "Mine now.\n")
    jobs = [job(data), job(path=OTHER_PATH)]
    stopped, pushed = apply_jobs(target(repo, push=True), jobs)
    assert isinstance(stopped, PublishError)
    assert stopped.message.startswith(f"{FILE} at origin/main was changed by somebody else")
    assert "\n" not in stopped.message
    assert pushed == f"{repo}: {git(remote, 'rev-parse', 'main')}"
    assert at_remote(remote, FILE) == "Mine now.\n"
    assert at_remote(remote, f"content/news/{OTHER_PATH}").encode() == FIRST
    again = apply_jobs(target(repo, push=True), jobs)
    assert [type(result) for result in again] == [PublishError, str]
    assert count(remote) == 4  # the first, the article, theirs, the other article


def test_an_article_that_was_changed_only_at_the_remote_is_no_success(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    publish(repo, job(), push=True)
    push_theirs(tmp_path, FILE, "Mine now.\n")
    assert "was changed by somebody else" in refused(repo, job(), push=True)


def test_a_text_that_was_put_back_at_the_remote_is_replaced(repo: Path, remote: Path, tmp_path: Path) -> None:
    publish(repo, job(), push=True)
    publish(repo, job(SECOND), push=True)
    push_theirs(tmp_path, FILE, FIRST.decode())
    assert isinstance(publish(repo, job(SECOND), push=True), str)
    assert at_remote(remote, FILE).encode() == SECOND
    assert git(repo, "rev-parse", "main") == git(remote, "rev-parse", "main")


def test_work_under_way_is_neither_pushed_nor_lost(repo: Path, remote: Path, tmp_path: Path) -> None:
    push_theirs(tmp_path, "config.toml", "title = 'Theirs'\n")
    (repo / "config.toml").write_text("title = 'Dirty'\n")
    (repo / "staged.md").write_text("staged\n")
    git(repo, "add", "staged.md")
    before = git(repo, "status", "--porcelain")
    for article in (job(), job(SECOND), job(path=OTHER_PATH)):
        assert isinstance(publish(repo, article, push=True), str)
        assert git(repo, "status", "--porcelain") == before
    assert count(remote) == 5
    assert (repo / "config.toml").read_text() == "title = 'Dirty'\n"
    git(repo, "checkout", "-q", "config.toml")
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(repo, "rev-parse", "main") == git(remote, "rev-parse", "main")
    assert git(repo, "status", "--porcelain") == "A  staged.md"


def test_unpushed_commits_of_the_operator_are_not_rewritten(repo: Path, remote: Path, tmp_path: Path) -> None:
    git(repo, "commit", "-q", "--allow-empty", "-m", "Not ready")
    own = git(repo, "rev-parse", "main")
    push_theirs(tmp_path)
    assert isinstance(publish(repo, job(), push=True), str)
    assert "Not ready" not in git(remote, "log", "--format=%s", "main")
    assert git(repo, "rev-parse", "main~1") == own
    git(repo, "pull", "-q", "--rebase", "origin", "main")
    assert isinstance(publish(repo, job(path=OTHER_PATH), push=True), str)
    assert git(remote, "log", "--format=%s", "main").splitlines()[:3] == [
        "Publish: Output rises",
        "Not ready",
        "Publish: Output rises",
    ]


@pytest.mark.parametrize("bare", [False, True])
def test_a_branch_that_is_not_checked_out_follows_too(
    repo: Path, remote: Path, tmp_path: Path, bare: bool
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", *(["--bare"] if bare else []), str(remote), str(clone))
    if not bare:
        git(clone, "checkout", "-q", "--detach")
    push_theirs(tmp_path)
    assert isinstance(publish(clone, job(), push=True), str)
    assert git(clone, "rev-parse", "main") == git(remote, "rev-parse", "main")
    assert count(remote) == 3


def test_several_pushes_in_a_row_are_followed(repo: Path, remote: Path) -> None:
    race(remote, 2)
    assert isinstance(publish(repo, job(), push=True), str)
    assert count(remote) == 4
    assert git(repo, "rev-parse", "main") == git(remote, "rev-parse", "main")


def test_pushes_without_end_are_left_to_the_next_run(repo: Path, remote: Path) -> None:
    race(remote, MAX_REBASES + 1)
    assert "the next run tries again" in refused(repo, job(), push=True)
    assert isinstance(publish(repo, job(), push=True), str)
    assert at_remote(remote, FILE).encode() == FIRST


def test_a_remote_that_refuses_is_reported_at_once(repo: Path, remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no articles on Sundays >&2\nexit 1\n")
    hook.chmod(0o755)
    message = refused(repo, job(), push=True)
    assert "main is committed but not pushed to origin" in message
    assert "no articles on Sundays" in message
    hook.unlink()
    assert isinstance(publish(repo, job(), push=True), str)
    assert count(remote) == 2


def test_a_folder_at_the_remote_in_place_of_an_article_stops_that_article(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    push_theirs(tmp_path, f"{FILE}/index.md")
    stopped, pushed = apply_jobs(target(repo, push=True), [job(), job(path=OTHER_PATH)])
    assert isinstance(stopped, PublishError)
    assert isinstance(pushed, str)


def test_a_push_that_was_cut_off_before_the_branch_moved_is_completed(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    push_theirs(tmp_path)
    publish(repo, job(), push=True)
    pushed = git(repo, "rev-parse", "main")
    git(repo, "update-ref", "refs/heads/main", git(repo, "rev-parse", "main@{1}"))
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(repo, "rev-parse", "main") == pushed == git(remote, "rev-parse", "main")
    assert git(repo, "status", "--porcelain") == ""


def hook(repo: Path, name: str, script: str) -> Path:
    path = repo / ".git/hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"#!/bin/sh\nexport GIT_COMMITTER_NAME=Op GIT_AUTHOR_NAME=Op EMAIL=op@example.org\n{script}"
    )
    path.chmod(0o755)
    return path


def test_two_branches_of_one_repository_are_pushed_at_the_same_time(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    branches = ("main", "drafts/a")
    for branch in branches:
        if branch != "main":
            git(repo, "branch", branch)
            git(repo, "push", "-q", "origin", branch)
            git(tmp_path / "other", "fetch", "-q")
            git(tmp_path / "other", "checkout", "-q", branch)
        push_theirs(tmp_path, f"{branch}.md")
    (repo / ".git/FETCH_HEAD").write_text("the operator's")
    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda branch: publish(repo, job(), push=True, branch=branch), branches))
    assert results == [f"{repo}: {git(remote, 'rev-parse', branch)}" for branch in branches]
    for branch in branches:
        listed = git(remote, "ls-tree", "-r", "--name-only", branch).split()
        assert listed == sorted(["config.toml", FILE, f"{branch}.md"])
    assert git(repo, "status", "--porcelain") == ""
    assert (repo / ".git/FETCH_HEAD").read_text() == "the operator's"


def test_a_fetched_branch_has_a_valid_ref_of_its_own() -> None:
    assert fetched_ref("origin", "refs/heads/a/b") == "refs/copydesk/origin/a%2Fb"
    for remote_name in ("../x y.git", "https://ada:pw@h/x", "."):
        assert re.fullmatch("refs/copydesk/[0-9a-f]{16}/main", fetched_ref(remote_name, "refs/heads/main"))


def test_a_branch_is_followed_also_at_a_remote_without_a_name(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    git(repo, "config", "branch.main.remote", "../remote.git")
    push_theirs(tmp_path)
    assert isinstance(publish(repo, job(), push=True), str)
    assert count(remote) == 3


def test_a_commit_of_the_operator_during_the_push_leaves_the_files(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    push_theirs(tmp_path)
    hook(repo, "pre-push", "git commit -q --allow-empty -m Meanwhile\n")
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(remote, "log", "--format=%s", "main").splitlines()[:2] == ["Publish: Output rises", "Theirs"]
    assert git(repo, "log", "-1", "--format=%s") == "Meanwhile"
    assert git(repo, "status", "--porcelain") == ""
    assert not (repo / "theirs.md").exists()


def test_files_are_moved_back_where_the_branch_does_not_move(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    push_theirs(tmp_path)
    refusing = hook(
        repo,
        "reference-transaction",
        'while read -r old new ref; do\n  [ "$1,$ref" = prepared,refs/heads/main ] || continue\n'
        '  git cat-file -e "$new:theirs.md" 2>/dev/null && exit 1\ndone\nexit 0\n',
    )
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(repo, "status", "--porcelain") == ""
    assert not (repo / "theirs.md").exists()
    refusing.unlink()
    assert isinstance(publish(repo, job(path=OTHER_PATH), push=True), str)
    assert git(repo, "rev-parse", "main") == git(remote, "rev-parse", "main")
    assert git(repo, "status", "--porcelain") == ""


def test_a_commit_of_the_operator_after_the_files_moved_keeps_them(
    repo: Path, remote: Path, tmp_path: Path
) -> None:
    push_theirs(tmp_path)
    hook(
        repo,
        "post-index-change",
        '[ "$1" = 1 ] && [ -f theirs.md ] && [ ! -f .git/done ] || exit 0\n'
        "touch .git/done\ngit commit -q -m Meanwhile\n",
    )
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(repo, "log", "-1", "--format=%s") == "Meanwhile"
    assert (repo / "theirs.md").read_text() == "Theirs.\n"
    assert git(repo, "status", "--porcelain") == ""


def test_an_operators_name_that_is_not_utf8_stops_nothing(repo: Path, remote: Path, tmp_path: Path) -> None:
    head = f"tree {git(repo, 'rev-parse', 'main^{tree}')}\nparent {git(repo, 'rev-parse', 'main')}\n"
    commit = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repo,
        capture_output=True,
        check=True,
        input=head.encode()
        + b"author J\xf6rg <j\xf6rg\xc2\x85@example.org> 1700000000 +0000\n"
        + b"committer J\xf6rg <j\xf6rg\xc2\x85@example.org> 1700000000 +0000\n\nNot ready\n",
    )
    git(repo, "update-ref", "refs/heads/main", commit.stdout.decode().strip())
    push_theirs(tmp_path)
    assert isinstance(publish(repo, job(), push=True), str)
    assert git(remote, "log", "--format=%s", "main").splitlines()[:2] == ["Publish: Output rises", "Theirs"]


def test_a_repository_of_its_own_history_is_no_hindrance(remote: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", str(remote))
    assert isinstance(publish(folder, job(), push=True), str)
    assert count(remote) == 2
    assert (folder / "config.toml").is_file()
