"""Hugo builds what was published, by the recipe of the documentation, and no draft."""

import shutil
from pathlib import Path

import pytest

from tests.sites.site import built, copied, holds, published


@pytest.mark.skipif(shutil.which("hugo") is None, reason="no Hugo is installed: `apt-get install hugo`")
def test_hugo_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    site = copied("hugo", tmp_path)
    (site / "content").mkdir()
    articles = published(tmp_path / "project", site, "Hugo")
    built(["hugo", "--config", "hugo.toml", "--destination", "public"], site)
    holds(site / "public", articles)
