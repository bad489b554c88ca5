"""The house rules that no linter knows."""

import tomllib
from pathlib import Path

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
