"""Hugo builds what was approved, by the recipe of the documentation, and no draft."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sites.site import approved, copied, holds, recipe


@pytest.mark.skipif(shutil.which("hugo") is None, reason="no Hugo is installed: `apt-get install hugo`")
def test_hugo_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    published, articles = approved(tmp_path / "project")
    site = copied("hugo", tmp_path)
    shutil.copytree(published, site / "content" / "news")
    with (site / "hugo.toml").open("a") as settings:
        settings.write("\n" + recipe("toml"))
    command = ["hugo", "--source", str(site), "--config", str(site / "hugo.toml"), "--destination", "public"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    holds(site / "public", articles)
