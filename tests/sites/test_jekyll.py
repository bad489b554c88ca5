"""Jekyll builds what was published, by the recipe of the documentation, and no draft."""

import shutil
from pathlib import Path

import pytest

from tests.sites.site import built, copied, holds, published, recipe


@pytest.mark.skipif(shutil.which("jekyll") is None, reason="no Jekyll is installed: `apt-get install jekyll`")
def test_jekyll_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    site = copied("jekyll", tmp_path)
    (site / "_config.yml").write_text(recipe("yaml"))
    articles = published(tmp_path / "project", site, "Jekyll", "{layout: {value: story}}")
    built(["jekyll", "build"], site, TZ="UTC")
    holds(site / "_site", articles, ".html")
