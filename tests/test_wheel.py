"""The built package: it holds every file that the program reads, and works without a checkout."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import httpx
import pytest
from setuptools import Distribution

from tests.end_to_end.project import free_port

ROOT = Path(__file__).parents[1]
PACKAGES = ("copydesk", "desk", "flows", "pipeline")


def checkout_files() -> set[str]:
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_every_file_of_the_packages_is_in_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files(["pyproject.toml"])
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    data = {f"{source}/{name}" for _, source, _, names in build.data_files for name in names}
    in_wheel = data | {Path(path).as_posix() for path in build.get_source_files()}
    assert len(in_wheel) > 400
    assert checkout_files() - in_wheel == set(), "a glob is missing in [tool.setuptools.package-data]"


@pytest.mark.process
def test_the_sample_of_a_new_folder_is_that_of_the_checkout() -> None:
    """As they are in git: an operator may have edited feeds.yaml in the checkout."""
    shown = [
        subprocess.run(["git", "-C", ROOT, "show", f":{path}"], capture_output=True, text=True)
        for path in ("feeds.yaml", "copydesk/init_files/feeds.yaml")
    ]
    if any(each.returncode != 0 for each in shown):
        pytest.skip("this is no checkout of git")
    assert shown[0].stdout == shown[1].stdout, "copy one over the other"


class Installed:
    """The wheel in an environment of its own, which has the third-party packages of this one."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self._bin = folder / "env/bin"
        wheels, source = folder / "wheels", folder / "source"
        for package in PACKAGES:  # setuptools leaves a folder build/, of which old files get into new wheels
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, source / package, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, source)
        venv.create(folder / "env", with_pip=False)
        [wheel] = wheels.glob("copydesk-*.whl")
        python = self._bin / "python"
        _pip("--python", python, "install", "--no-deps", "--no-index", "--no-compile", wheel)
        # A folder in a .pth file has no .pth files of its own read: the checkout stays out of the path.
        [packages] = (folder / "env/lib").glob("python*/site-packages")
        (packages / "third_party.pth").write_text(sysconfig.get_path("purelib"))

    def environ(self) -> dict[str, str]:
        path = f"{self._bin}:{os.defpath}"
        return {"PATH": path, "HOME": str(self.home), "COLUMNS": "200", "LANG": "C.UTF-8"}

    def run(self, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._bin / command[0], *command[1:]], cwd=folder, env=self.environ(), text=True,
            capture_output=True, timeout=300,
        )  # fmt: skip

    def start(self, folder: Path, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self._bin / command[0], *command[1:]], cwd=folder, env=self.environ(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    result = subprocess.run(command, text=True, capture_output=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.soak
@pytest.mark.process
def test_a_wheel_installed_without_a_checkout_drafts_and_opens_the_desk(tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    where = installed.run(tmp_path, "python", "-c", "import pipeline; print(pipeline.__file__)")
    assert str(tmp_path / "env") in where.stdout, where.stderr
    assert re.match(r"copydesk \d", installed.run(tmp_path, "copydesk", "--version").stdout)

    assert "has neither feeds.yaml" in installed.run(tmp_path, "copydesk", "drafts", "list").stderr
    made = installed.run(tmp_path, "copydesk", "init", "news")
    assert made.returncode == 0, made.stderr
    assert f"ExecStart={tmp_path}/env/bin/copydesk serve" in (tmp_path / "news/copydesk.service").read_text()
    news = tmp_path / "news"

    for first in (("copydesk",), ("python", "-m", "copydesk")):  # the second finds nothing new
        drafted = installed.run(news, *first, "--sample", "run")
        assert drafted.returncode == 0, drafted.stderr
    assert "python -m copydesk --sample drafts list" in drafted.stdout
    assert len(list((news / "output/drafts").rglob("*.md"))) >= 10
    examined = installed.run(news, "copydesk", "--sample", "doctor").stdout
    assert "ok    database" in examined, "the migrations are there"
    assert re.search(r"ok    prompts: article@\w+ \(packaged\)", examined)
    assert "error feed broken" in examined
    checked = installed.run(news, "copydesk", "prompt", "lint")
    assert checked.returncode == 0, checked.stderr

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        installed.start(news, "copydesk", "--sample", "desk", "--port", str(port)) as desk,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(desk.send_signal, signal.SIGINT)
        assert desk.stdout
        link = next(match[0] for line in desk.stdout if (match := re.search(r"http://\S+", line)))
        with httpx.Client(base_url=url, headers={"Origin": url}, follow_redirects=True) as browser:
            assert browser.get(link).status_code == 200
            queue = browser.post("/name", data={"name": "Ada", "next": "/"})
            assert (queue.status_code, 'href="/drafts/' in queue.text) == (200, True)
            assert browser.get("/static/desk.css").status_code == 200
            runs = browser.get("/operations/runs")
            assert (runs.status_code, "Operations" in runs.text) == (200, True)
