"""The house rules that no linter knows."""

import tomllib
from pathlib import Path

import pytest

from tests.licences import is_allowed, refused

ROOT = Path(__file__).parents[1]


def test_the_top_level_packages_are_the_ones_with_contracts() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert packages - {"tests"} == set(config["tool"]["importlinter"]["root_packages"])


def test_every_dependency_says_why_it_is_there() -> None:
    lines = (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1].split("]\n")[0].splitlines()
    named = [line for line in lines if line.strip().startswith('"')]
    assert named
    assert all("#" in line for line in named)


def test_the_lock_pins_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = [line for line in lock.splitlines() if line and line[0].isalnum()]
    assert len(pins) > 50
    assert all("==" in pin for pin in pins)
    assert lock.count("--hash=sha256:") > len(pins)


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("LGPL-3.0-only", True),
        ("MPL-1.1 OR GPL-2.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("GNU Affero General Public License v3", False),
        ("AGPLv3", False),
        ("no licence named", False),
    ],
)
def test_a_licence_is_allowed_where_each_part_offers_an_allowed_one(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed


def test_a_copyleft_package_is_refused_unless_it_is_an_exception() -> None:
    packages = ["a-package-that-nobody-installs", "pelican", "httpx"]
    assert [line.split(":")[0] for line in refused(packages, exceptions=())] == ["pelican"]
    assert not list(refused(packages))
