"""Bodies and front matter of articles."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.articles.article import Article, Section, Sentiment
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.render import FrontMatterDefaults, build_front_matter, make_description, render_body
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import Finding, Severity

NOW = datetime(2026, 3, 2, 10, 31, 44, 120_999, tzinfo=timezone(timedelta(hours=1)))
BEAT = Beat(key="crypto", market="crypto market")
MODEL = Provenance(rewritten=True, model="small-1", prompt="article@0f1e2d3c")
BRIEF = Provenance(rewritten=False, model="offline")
ITEM = Item(
    guid="g-1",
    link="https://harbour.example/a",
    title="Harbour Bank Lifts Limit",
    author="R. Moor",
    published_at=datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
)
SOURCE = Source(
    item=ITEM,
    feed_key="harbour",
    feed_name="Harbour Wire",
    first_key="harbour",
    category="ETH",
    language="en",
)
ARTICLE = Article(
    title="Harbour Bank Lifts Limit",
    overview="The bank lifts its limit.\n\nMore follows.",
    sections=(Section(heading="## Why now", body="Because.\n\n# Not a heading"),),
    from_author="It may matter.",
    impact=("- Deposits may move.", "", "Fees\nmay fall."),
    category="eth",
    tags=("business", "BUSINESS"),
    sentiment=Sentiment.POSITIVE,
    language="en",
)


def test_body() -> None:
    assert render_body(ARTICLE, BEAT) == (
        "## Overview\n\nThe bank lifts its limit.\n\nMore follows.\n\n"
        "## Why now\n\nBecause.\n\n\\# Not a heading\n\n"
        "## From author\n\nIt may matter.\n\n"
        "## Impact on the crypto market\n\n- Deposits may move.\n- Fees may fall.\n"
    )


def test_front_matter() -> None:
    findings = [Finding(kind="k", severity=severity, message="m") for severity in Severity]
    metadata = build_front_matter(SOURCE, ARTICLE, MODEL, findings, now=NOW)
    assert dumps(metadata, "") == (
        "---\n"
        "title: Harbour Bank Lifts Limit\n"
        "description: The bank lifts its limit. More follows.\n"
        "publishedAt: '2026-03-02T09:15:00.000Z'\n"
        "updatedAt: '2026-03-02T09:31:44.120Z'\n"
        "lang: en\n"
        f"externalId: '{SOURCE.external_id}'\n"
        "source:\n"
        "  name: Harbour Wire\n"
        "  key: harbour\n"
        "  type: RSS\n"
        "  url: 'https://harbour.example/a'\n"
        "  author: R. Moor\n"
        "category: ETH\n"
        "tags:\n"
        "  - ETH\n"
        "  - BUSINESS\n"
        "stickyWeight: 0\n"
        "sentiment: POSITIVE\n"
        "score: 0\n"
        "draft: true\n"
        "ai:\n"
        "  rewritten: true\n"
        "  expandedAt: '2026-03-02T09:31:44.120Z'\n"
        "  version: 1\n"
        "  model: small-1\n"
        "  prompt: article@0f1e2d3c\n"
        "  checks:\n"
        "    open: 2\n"
        "    acknowledged: 0\n"
        "---\n"
    )


def test_a_brief_has_no_prompt_and_is_no_rewrite() -> None:
    ai = build_front_matter(SOURCE, ARTICLE, BRIEF, (), now=NOW)["ai"]
    assert ai["rewritten"] is False
    assert "prompt" not in ai


def test_a_translated_title_keeps_the_sources_beside_it() -> None:
    metadata = build_front_matter(
        SOURCE, ARTICLE.model_copy(update={"title": "Bank hebt"}), MODEL, (), now=NOW
    )
    assert metadata["title"] == "Bank hebt"
    assert metadata["source"]["title"] == "Harbour Bank Lifts Limit"


def test_the_category_stays_where_the_tags_have_it() -> None:
    tagged = ARTICLE.model_copy(update={"tags": ("BUSINESS", "Eth")})
    assert build_front_matter(SOURCE, tagged, MODEL, (), now=NOW)["tags"] == ["BUSINESS", "ETH"]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"link": None, "guid": "https://harbour.example/g"}, "https://harbour.example/g"),
        ({"link": None}, None),
    ],
)
def test_attribution_uses_what_there_is(fields: dict[str, str | None], url: str | None) -> None:
    source = SOURCE.model_copy(update={"item": ITEM.model_copy(update=fields)})
    assert build_front_matter(source, ARTICLE, MODEL, (), now=NOW)["source"].get("url") == url


def test_a_redraft_keeps_what_an_editor_chose() -> None:
    previous = {
        "title": "old",
        "description": "The editor's own.",
        "stickyWeight": 3,
        "score": 7,
        "coverImage": {"raw": "https://x.example/i"},
        "review": {"by": "kim"},
        "series": "banks",
    }
    defaults = FrontMatterDefaults(version=2, previous=previous)
    metadata = build_front_matter(SOURCE, ARTICLE, MODEL, (), now=NOW, defaults=defaults)
    assert metadata["description"] == "The editor's own."
    assert (metadata["stickyWeight"], metadata["score"], metadata["ai"]["version"]) == (3, 7, 2)
    assert list(metadata)[-4:] == ["draft", "coverImage", "ai", "series"]
    assert metadata["title"] == "old"


def test_an_articles_own_title_and_description_are_taken() -> None:
    own = ARTICLE.model_copy(update={"title": "Bank lets more in", "description": "The bank lifts a limit."})
    metadata = build_front_matter(SOURCE, own, MODEL, (), now=NOW)
    assert (metadata["title"], metadata["description"]) == ("Bank lets more in", "The bank lifts a limit.")
    assert metadata["source"]["title"] == "Harbour Bank Lifts Limit"
    assert list(metadata)[:2] == ["title", "description"]


def test_a_section_of_opinion_without_text_is_left_out_where_it_may_be() -> None:
    plain = ARTICLE.model_copy(update={"from_author": "", "impact": ()})
    lenient = BEAT.model_copy(update={"required_sections": ()})
    assert render_body(plain, lenient).endswith("## Why now\n\nBecause.\n\n\\# Not a heading\n")
    assert render_body(plain, BEAT).endswith("## From author\n\n## Impact on the crypto market\n")


def test_wrongly_decoded_text_is_repaired_and_entities_are_not() -> None:
    broken = ARTICLE.model_copy(update={"title": "It\u00e2\u20ac\u2122s up &lt; 5\u00e2\u20ac\u00a6\x07"})
    assert build_front_matter(SOURCE, broken, MODEL, (), now=NOW)["title"] == "It’s up &lt; 5…"


def test_an_item_without_any_title_still_has_one() -> None:
    source = SOURCE.model_copy(update={"item": ITEM.model_copy(update={"title": ""})})
    untitled = ARTICLE.model_copy(update={"title": " "})
    assert build_front_matter(source, untitled, MODEL, (), now=NOW)["title"].startswith("The bank lifts")


@pytest.mark.parametrize(
    ("overview", "description"),
    [
        ("Short.", "Short."),
        ("x" * 180, "x" * 180),
        ("x" * 181, "x" * 179 + "…"),
        ("word " * 60, ("word " * 36).strip() + "…"),
        ("a" * 170 + ", bcdefghijklmn", "a" * 170 + "…"),
        ("a" * 179 + " b", "a" * 179 + "…"),
        ("> **Quoted** text.\n>\n> — *Harbour Wire*", "Quoted text. — Harbour Wire"),
        ("", ""),
    ],
)
def test_description(overview: str, description: str) -> None:
    assert make_description(overview) == description


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_every_article_can_be_written_and_read(text: str, title: str) -> None:
    article = ARTICLE.model_copy(
        update={"title": title, "overview": text, "impact": (text,), "from_author": text}
    )
    metadata, body = build_front_matter(SOURCE, article, MODEL, (), now=NOW), render_body(article, BEAT)
    written = dumps(metadata, body)
    assert dumps(*loads(written)) == written
    assert len(metadata["description"]) <= 180
    assert body.count("\n## ") + body.startswith("## ") == 4
