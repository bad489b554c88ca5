"""Articles that were approved beside drafts and rejected ones, and what a generator made of them."""

import re
import shutil
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import NamedTuple

from pipeline import review
from pipeline.ledger import Ledger
from pipeline.models import Decision
from pipeline.output.frontmatter import loads
from pipeline.settings import load_feeds
from tests.fakes.stock import fill, layout

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECIPES = (ROOT / "docs/publishing.md").read_text()


class Article(NamedTuple):
    """What a page has to show."""

    name: str
    """Below news/, without its ending."""
    title: str
    description: str
    published: str
    headings: list[str]


def approved(folder: Path) -> tuple[Path, list[Article]]:
    """Approve every other draft and reject the last; returns the published folder and what is in it."""
    settings = layout(folder)
    refs = fill(settings, 9, faults=False)
    subscriptions = load_feeds(settings.feeds_file)
    now = datetime.now(UTC)
    with Ledger.open(settings.database_url) as ledger:
        for ref in refs[::2]:
            decision = Decision.REJECT if ref == refs[-1] else Decision.APPROVE
            review.decide(
                ledger, settings.output, subscriptions, ref, decision, by="Ada", note="because", now=now
            )
    published = settings.output / "published"
    assert list(settings.output.glob("drafts/**/*.md"))
    assert list(settings.output.glob("rejected/**/*.md"))
    return published, [_article(path, published) for path in sorted(published.rglob("*.md"))]


def _article(path: Path, published: Path) -> Article:
    metadata, body = loads(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(published).with_suffix(""))
    headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
    return Article(name, metadata["title"], metadata["description"], metadata["publishedAt"], headings)


def recipe(language: str) -> str:
    """Return the code that the documentation gives operators."""
    [code] = re.findall(rf"```{language}\n(.*?)```", RECIPES, re.DOTALL)
    return str(code)


def copied(site: str, folder: Path) -> Path:
    """Return a copy of a site's sources, without what was installed for it."""
    target = folder / site
    shutil.copytree(HERE / site, target, ignore=shutil.ignore_patterns("node_modules"))
    return target


def holds(built: Path, articles: list[Article]) -> None:
    """Fail unless a built site shows these articles, and nothing else."""
    pages = {str(page.parent.relative_to(built / "news")): page for page in built.glob("news/**/index.html")}
    assert sorted(pages) == sorted(article.name for article in articles)
    for article in articles:
        html = pages[article.name].read_text(encoding="utf-8")
        text = unescape(html)
        assert f"<title>{article.title}</title>" in text
        assert article.description in text
        assert f'datetime="{article.published}"' in html
        shown = [unescape(re.sub("<[^>]*>", "", one)) for one in re.findall(r"<h2[^>]*>(.*?)</h2>", html)]
        assert [plain(one) for one in shown] == [plain(one) for one in article.headings]
        assert "{{" not in html
        assert 'href="https://wire.example/' in html


def plain(text: str) -> str:
    """Return a text with the marks that generators make curly as they were typed."""
    return text.translate(str.maketrans("‘’“”", "''\"\""))
