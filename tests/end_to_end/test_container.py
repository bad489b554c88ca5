"""The container: its file is built and its image run, without a registry and a daemon; the compose file."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from copydesk.monitoring import monitoring_port
from pipeline.config import VARIABLES, load_settings
from tests.databases import prepared
from tests.end_to_end.project import free_port

ROOT = Path(__file__).parents[2]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE, IMAGE = "localhost/base", "localhost/copydesk"


class Buildah:
    """buildah with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._storage = ["--root", str(folder / "root"), "--runroot", str(folder / "run")]
        self._storage += ["--storage-driver", "vfs"]  # works inside another container, too

    def __call__(self, command: str, *arguments: object) -> str:
        words = ["buildah", *self._storage, command, *map(str, arguments)]
        environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "BUILDAH_ISOLATION": "chroot"}
        result = subprocess.run(words, text=True, capture_output=True, env=environ)
        assert result.returncode == 0, f"{words}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
        return result.stdout


def base_system(folder: Path) -> Path:
    """Return a Debian with Python of this version, or skip; the third-party packages are those of the tests.

    So a build fetches next to nothing: pip takes what is there in the version of the lock as installed.
    """
    if os.geteuid() != 0:
        pytest.skip("a root file system is made as root only")
    for program in ("buildah", "mmdebstrap"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install buildah mmdebstrap")
    root = folder / "base"
    packages = "python3,python3-venv,ca-certificates,git,openssh-client"
    command = ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={packages}", "--quiet"]
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    made = subprocess.run([*command, suite, str(root)], text=True, capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no Debian could be fetched: {made.stderr[-300:]}")
    version = f"python3.{sys.version_info.minor}"
    if not (root / "usr/bin" / version).exists():
        pytest.skip(f"Debian {suite} has no {version}, for which the packages of the tests are")
    own = shutil.ignore_patterns("__pycache__", "__editable__*", "copydesk-*")
    packages_of_tests = root / "opt/venv/lib" / version / "site-packages"
    shutil.copytree(sysconfig.get_path("purelib"), packages_of_tests, ignore=own, symlinks=True)
    if CERTIFICATES.exists():  # a proxy of this machine may have its own
        shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))
    return root


@pytest.mark.soak
@pytest.mark.process
def test_the_image_is_built_and_drafts_as_an_ordinary_user(tmp_path: Path) -> None:
    buildah, root = Buildah(tmp_path), base_system(tmp_path)
    empty = buildah("from", "scratch").strip()
    buildah("add", empty, root, "/")
    # Debian's older patch release of Python needs a package more, which pip fetches as on this machine.
    buildah("config", "--env", f"PIP_CERT={CERTIFICATES}", empty)
    buildah("commit", "--rm", empty, BASE)
    shutil.rmtree(root)
    buildah(
        "build", "--isolation", "chroot", "--layers=false", "--pull=never", "--format", "docker",
        "--build-arg", f"BASE={BASE}", "-f", ROOT / "Containerfile",
        "-t", IMAGE, ROOT,
    )  # fmt: skip

    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == ("newsroom", ["copydesk"], ["serve"])
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert list(config["Volumes"]) == ["/newsroom"]
    secrets = {name for name in VARIABLES if "KEY" in name or "TOKEN" in name or "SECRET" in name}
    assert not [each for each in config["Env"] if each.partition("=")[0] in secrets]

    container = buildah("from", "--pull=never", IMAGE).strip()

    def run(*command: str) -> str:
        return buildah("run", "--isolation", "chroot", container, "--", *command)

    assert run("copydesk", "--version").startswith("copydesk 0.")
    assert run("id", "--user").strip() == "1000"
    assert run("sh", "-c", "cd ~ && pwd && git --version && which ssh").startswith(
        "/home/newsroom\ngit version"
    )
    assert "/newsroom" in run("copydesk", "init")
    assert "offline briefs" in run("copydesk", "--sample", "run", "--direct")
    assert "drafts in /newsroom/output" in run("copydesk", "--sample", "drafts", "list")
    assert run("stat", "-c", "%a %U", ".env").strip() == "600 newsroom"


def test_the_compose_file_holds_no_secret_and_says_when_a_service_is_healthy() -> None:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = document["services"]
    assert services.keys() == {"postgres", "prefect", "worker", "desk"}
    for name, service in services.items():
        environment = service.get("environment", {})
        assert not [key for key in environment if "PASSWORD" in key or "TOKEN" in key or key.endswith("KEY")]
        assert not [key for key in environment if key.startswith("COPYDESK_") and key not in VARIABLES]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        for needed, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[needed]
    assert services["worker"]["volumes"] == services["desk"]["volumes"] == ["./newsroom:/newsroom"]
    mounted = {volume.partition(":")[0] for service in services.values() for volume in service["volumes"]}
    assert document["volumes"].keys() <= mounted


def test_the_image_is_built_from_the_packages_alone() -> None:
    """An operator's files in the checkout get into no image, and no link leads to them."""
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    allowed = [line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line[0] == "!"]
    packages = ["copydesk", "desk", "flows", "pipeline"]
    files = ["requirements.lock", "pyproject.toml", "README.md", "LICENSE"]
    assert " ".join(copied).split() == files + packages == allowed
    paths = (path for package in packages for path in (ROOT / package).rglob("*"))
    assert not [path for path in paths if path.is_symlink()]


@pytest.mark.parametrize("address", ["{port}", "127.0.0.1:{port}"])
def test_the_health_check_asks_at_the_port_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    command = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])\n", (ROOT / "Containerfile").read_text(), re.DOTALL)
    assert command
    _, _, code = json.loads(command[1])
    value = address.format(port=free_port())
    prepared(f"sqlite:///{tmp_path / '.copydesk/ledger.db'}")
    monkeypatch.setenv("COPYDESK_METRICS_PORT", value)
    with monitoring_port(load_settings({"COPYDESK_METRICS_PORT": value}, tmp_path)):
        exec(code)
    with pytest.raises(OSError, match="refused"):
        exec(code)
