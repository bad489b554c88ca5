"""Pelican, with its default settings and theme, builds what was published, and no draft."""

import sys
from html import unescape
from pathlib import Path

from tests.sites.site import TITLE, built, published

SHOWN = "Ships: 50% “more” #1 ‹{x}› & 'less' - no: {# }"
"""The title of tricks, with nothing in it that begins or ends HTML."""


def test_pelican_builds_every_published_article_and_no_draft(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    articles = published(tmp_path / "project", site, "Pelican")
    built([sys.executable, "-m", "pelican", "content", "--output", "built"], site)
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (site / "built").glob("*-????????.html")}
    assert sorted(pages) == sorted(Path(article.name).name for article in articles)
    for article in articles:
        html = pages[Path(article.name).name]
        title = SHOWN if article.title == TITLE else article.title
        assert f"<title>{title}</title>" in html
        assert title in unescape(html.partition("<h1 class")[2].partition("</h1>")[0])
        assert "<b>" not in html
        assert "<script" not in html
    tricks = next(pages[Path(article.name).name] for article in articles if article.title == TITLE)
    assert 'class="published" title="2026-02-05T11:53:00+05:30"' in tricks
    assert ">RATES, BONDS</a>" in tricks
    others = {
        article.published: pages[Path(article.name).name] for article in articles if article.title != TITLE
    }
    for moment, html in others.items():
        assert f'class="published" title="{moment[:19]}+00:00"' in html
