"""Astro builds what was approved, by the recipe of the documentation, and no draft."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sites.site import HERE, approved, copied, holds, recipe

INSTALLED = HERE / "astro" / "node_modules"
ASTRO = INSTALLED / "astro" / "astro.js"


@pytest.mark.skipif(
    not ASTRO.exists() or shutil.which("node") is None, reason="no Astro: `npm ci --prefix tests/sites/astro`"
)
def test_astro_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    published, articles = approved(tmp_path / "project")
    site = copied("astro", tmp_path)
    (site / "node_modules").symlink_to(INSTALLED)
    shutil.copytree(published, site / "src" / "content" / "news")
    (site / "src" / "content.config.ts").write_text(recipe("ts"))
    command = ["node", str(site / "node_modules/astro/astro.js"), "build"]
    environ = os.environ | {"ASTRO_TELEMETRY_DISABLED": "1", "CI": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=site, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    holds(site / "dist", articles)
