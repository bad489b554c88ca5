"""Articles that were approved beside drafts and rejected ones, and what a generator made of them."""

import re
import shutil
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import NamedTuple

from pipeline import review
from pipeline.covers import feed_cover
from pipeline.ledger import Ledger
from pipeline.models import Decision, Source
from pipeline.output.frontmatter import dumps, loads
from pipeline.output.paths import draft_path
from pipeline.output.render import build_metadata, render_body
from pipeline.settings import load_feeds
from tests.fakes.stock import FEED, MODEL, NOW, fill, layout, pieces

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECIPES = (ROOT / "docs/publishing.md").read_text()
TITLE = """Ships: 50% "more" #1 <b>{x}</b> & 'less' - no: {# }"""
TRICKS = (
    "Ships {{< figure src=x >}} and {{% ref %}} {{ .Site }} {{ site }} {% raw %} {%- include x -%} <%= 1 %>\n"
    "\n"
    "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) {.a #b} `{{ x }}`\n\n"
    "import x from 'y'\n\n::note[x]{y}\n\n:::warning\n\n# Not a heading\n\n---\n\n{import.meta.env}"
)
"""What generators would obey, or readers' browsers, if it came through."""


class Article(NamedTuple):
    """What a page has to show."""

    name: str
    """Below news/, without its ending."""
    title: str
    description: str
    published: str
    headings: list[str]
    cover: str | None
    """Who is to be credited with the image."""


def approved(folder: Path) -> tuple[Path, list[Article]]:
    """Approve every other draft and reject the last; returns the published folder and what is in it.

    One more stands there that is full of tricks.
    """
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
    _write_tricks(published)
    return published, [_article(path, published) for path in sorted(published.rglob("*.md"))]


def _write_tricks(published: Path) -> None:
    """Write an article as one is written whose source, or model, tries to be obeyed."""
    item, article, beat = pieces()[0]
    changes = {"title": TITLE, "link": "https://wire.example/x", "image": "https://wire.example/x.jpg"}
    source = Source(
        item=item.model_copy(update=changes), feed_key=FEED, feed_name="Stock: Wire", first_key=FEED,
        category="MARKET", language="en",
    )  # fmt: skip
    section = article.sections[0].model_copy(update={"body": TRICKS})
    article = article.model_copy(update={"title": TITLE, "sections": (section,), "from_author": TRICKS})
    metadata = build_metadata(source, article, MODEL, (), now=NOW, cover=feed_cover(source))
    place = draft_path(TITLE, item.published_at, source.external_id).partition("/")[2]
    path = published / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(metadata | {"draft": False}, render_body(article, beat)), encoding="utf-8")


def _article(path: Path, published: Path) -> Article:
    metadata, body = loads(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(published).with_suffix(""))
    headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
    cover = metadata["coverImage"]["credit"]["name"] if "coverImage" in metadata else None
    return Article(name, metadata["title"], metadata["description"], metadata["publishedAt"], headings, cover)


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
    assert any(article.title == TITLE for article in articles)
    for article in articles:
        html = pages[article.name].read_text(encoding="utf-8")
        text = unescape(html)
        assert f"<title>{article.title}</title>" in text
        assert article.description in text
        assert f'datetime="{article.published}"' in html
        shown = [unescape(re.sub("<[^>]*>", "", one)) for one in re.findall(r"<h2[^>]*>(.*?)</h2>", html)]
        assert [plain(one) for one in shown] == [plain(one) for one in article.headings]
        shown_tricks = [sign for sign in ("{{", "{%", "{#", "<%", "<script", "<h3", "<hr") if sign in html]
        assert shown_tricks == (["{#"] if article.title == TITLE else [])
        assert len(re.findall(r"<h1", html)) == 1
        assert not re.search(r"<[a-z][^>]*(?:javascript:|onerror)", html)
        assert 'href="https://wire.example/' in html
        assert article.cover is None or f"<figcaption>{article.cover}</figcaption>" in html
        assert ("<img" in html) is (article.cover is not None)


def plain(text: str) -> str:
    """Return a text with the marks that generators make curly as they were typed."""
    return text.translate(str.maketrans("‘’“”", "''\"\""))
