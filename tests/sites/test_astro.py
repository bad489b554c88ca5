"""Astro builds what was published, by the recipe of the documentation, and no draft."""

import shutil
from pathlib import Path

import pytest

from tests.sites.site import HERE, built, copied, holds, published, recipe

INSTALLED = HERE / "astro" / "node_modules"
ASTRO = INSTALLED / "astro" / "astro.js"


@pytest.mark.skipif(
    not ASTRO.exists() or shutil.which("node") is None, reason="no Astro: `npm ci --prefix tests/sites/astro`"
)
def test_astro_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    site = copied("astro", tmp_path)
    (site / "node_modules").symlink_to(INSTALLED)
    (site / "src" / "content").mkdir()
    articles = published(tmp_path / "project", site, "Astro")
    (site / "src" / "content.config.ts").write_text(recipe("ts"))
    command = ["node", str(site / "node_modules/astro/astro.js"), "build"]
    built(command, site, ASTRO_TELEMETRY_DISABLED="1", CI="1")
    holds(site / "dist", articles)
