"""Eleventy builds what was published, by the recipe of the documentation, and no draft."""

import shutil
from pathlib import Path

import pytest

from tests.sites.site import HERE, built, copied, holds, published

INSTALLED = HERE / "eleventy" / "node_modules"
ELEVENTY = INSTALLED / "@11ty" / "eleventy" / "cmd.cjs"


@pytest.mark.skipif(
    not ELEVENTY.exists() or shutil.which("node") is None,
    reason="no Eleventy: `npm ci --prefix tests/sites/eleventy`",
)
def test_eleventy_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    site = copied("eleventy", tmp_path)
    (site / "node_modules").symlink_to(INSTALLED)
    articles = published(tmp_path / "project", site, "Eleventy", "{layout: {value: story.liquid}}")
    built(["node", str(site / "node_modules/@11ty/eleventy/cmd.cjs"), "--quiet"], site)
    holds(site / "_site", articles)
