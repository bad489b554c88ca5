"""Articles that were published, beside drafts and rejected ones, and what a generator made of them."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import NamedTuple

import yaml

from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.render import FrontMatterDefaults, build_front_matter, render_body
from pipeline.config import Settings, Target, load_feeds
from pipeline.covers import feed_cover
from pipeline.domain.models import Source
from pipeline.domain.reviews import ReviewDecision
from pipeline.domain.text import utc_iso
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, publish_pending
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database
from tests.fakes.stock import FEED, MODEL, NOW, fill, layout, pieces
from tests.pipeline.storage.approvals import decided

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
RECIPES = (ROOT / "docs/publishing.md").read_text()
TITLE = """Ships: 50% "more" #1 <{x}> & 'less' - no: {# }"""
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


def published(folder: Path, site: Path, generator: str, front_matter: str = "") -> list[Article]:
    """Approve every other draft and reject the last, publish as the documentation tells; returns articles.

    `site` is the folder of the site that the documentation calls `../site`, `front_matter` what is added to
    the preset. One more article is full of tricks.
    """
    settings = layout(folder)
    preset, path = preset_of(generator)
    target = {"kind": "folder", "path": str(site / path), "preset": preset}
    more = {"front_matter": yaml.safe_load(front_matter)} if front_matter else {}
    section = yaml.safe_dump({"publish": {"site": target | more}})
    settings.feeds_file.write_text(settings.feeds_file.read_text() + section)
    refs = fill(settings, 9, faults=False)
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        ctx = EditorContext(db, settings.output, subscriptions, "Ada")
        for ref in refs[::2]:
            decision = ReviewDecision.REJECT if ref == refs[-1] else ReviewDecision.APPROVE
            review.submit_review(ctx, ref, decision, note="because", light=True)
        _approve_tricks(db, refs[1])
        assert list(settings.output.glob("drafts/**/*.md"))
        assert list(settings.output.glob("rejected/**/*.md"))
        rows = {row.item_id: row for row in db.publications.pending() if row.target == "site"}
        texts = db.publications.approved_texts([(number, row.sha256) for number, row in rows.items()])
        asyncio.run(_sent(db, settings, subscriptions.publish))
    return [_article(rows[number].path, text) for (number, _), text in texts.items()]


async def _sent(db: Database, settings: Settings, targets: Sequence[Target]) -> None:
    async with HttpClient("test") as net:
        [outcome] = await publish_pending(PublishContext(db, settings.output, targets, net), NOW)
    assert outcome.error is None


def _approve_tricks(db: Database, ref: str) -> None:
    """Approve an article as one is written whose source, or model, tries to be obeyed."""
    item, article, beat = pieces()[0]
    changes = {"title": TITLE, "link": "https://wire.example/x", "image": "https://wire.example/x.jpg"}
    source = Source(
        item=item.model_copy(update=changes), feed_key=FEED, feed_name="Stock: Wire", first_key=FEED,
        category="MARKET", language="en",
    )  # fmt: skip
    section = article.sections[0].model_copy(update={"body": TRICKS})
    article = article.model_copy(update={"title": TITLE, "sections": (section,), "from_author": TRICKS})
    metadata = build_front_matter(
        source, article, MODEL, (), now=NOW, defaults=FrontMatterDefaults(cover=feed_cover(source))
    )
    offset = {"publishedAt": "2026-02-05T11:53:00+05:30", "tags": ["RATES, BONDS", "MARKET"]}
    text = dumps(metadata | offset | {"draft": False}, render_body(article, beat))
    decided(db, db.drafts.get(ref), text, targets=("site",))


def preset_of(generator: str) -> tuple[str, str]:
    """Return the preset that the documentation names for a generator, and the folder in the site."""
    row = rf"^\| {generator}[^|]*\| `(\w+)` \| `\.\./site/([\w/]+)` \|"
    [(preset, path)] = re.findall(row, RECIPES, re.MULTILINE)
    return preset, path


def _article(path: str, text: str) -> Article:
    metadata, body = loads(text)
    name = path.removeprefix("published/").removesuffix(".md")
    moment = datetime.fromisoformat(metadata["publishedAt"]).astimezone(UTC)
    headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
    cover = metadata["coverImage"]["credit"]["name"] if "coverImage" in metadata else None
    return Article(name, metadata["title"], metadata["description"], utc_iso(moment), headings, cover)


def built(command: list[str], site: Path, **environ: str) -> None:
    """Run a generator in a site's folder; fail with what it says where it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=site, env=os.environ | environ
    )
    assert done.returncode == 0, done.stdout + done.stderr


def recipe(language: str) -> str:
    """Return the code that the documentation gives operators for their site."""
    [code] = re.findall(rf"```{language}\n((?!publish:|    ).*?)```", RECIPES, re.DOTALL)
    return str(code)


def copied(site: str, folder: Path) -> Path:
    """Return a copy of a site's sources, without what was installed for it."""
    target = folder / site
    shutil.copytree(HERE / site, target, ignore=shutil.ignore_patterns("node_modules"))
    return target


def holds(site: Path, articles: list[Article], ending: str = "/index.html") -> None:
    """Fail unless a built site shows these articles, each as its name and an ending, and nothing else."""
    news = site / "news"
    pages = {str(page.relative_to(news)).removesuffix(ending): page for page in news.rglob("*.html")}
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
