"""Renders an article: its body as Markdown, its front matter as a mapping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import ftfy

from pipeline.articles.article import Article
from pipeline.articles.markdown import plain_text, safe_line, safe_markdown, without_controls
from pipeline.articles.yaml_dump import replace_unwritable
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Severity
from pipeline.domain.text import ends_sentence, utc_iso, whole_sentences, without_elements

__all__ = [
    "FrontMatterDefaults",
    "build_front_matter",
    "first_sentence",
    "make_description",
    "render_body",
    "safe_markdown",
]

MAX_DESCRIPTION_CHARS = 180
"""Chosen, not measured."""
_MAX_OVERVIEW_CHARS = 4000
"""Characters of an overview that are used: far more than a description needs, markup included."""
_EDITOR_KEYS = ("stickyWeight", "score", "coverImage")
"""Keys of an editor's choices, which a redraft keeps."""
_OPEN_SEVERITIES = (Severity.BLOCK, Severity.WARN)


def render_body(article: Article, beat: Beat) -> str:
    """Return the Markdown body: overview, topical sections, the author's view, the impact as bullets.

    A section of opinion without text is left out, unless the beat requires it.
    """
    blocks = _section(beat.overview, article.overview)
    for section in article.sections:
        blocks += _section(_line(section.heading) or _line(article.title), section.body)
    if article.from_author or "from_author" in beat.required_sections:
        blocks += _section(beat.from_author, article.from_author)
    bullets = "\n".join(f"- {line}" for line in map(_line, article.impact) if line)
    if bullets or "impact" in beat.required_sections:
        blocks += [f"## {beat.headings.impact}", bullets]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(heading: str, body: str) -> list[str]:
    return [f"## {heading}", safe_markdown(_fix_text(body)).strip()]


def _line(text: str) -> str:
    return safe_line(_fix_text(text))


@dataclass(frozen=True)
class FrontMatterDefaults:
    """What front matter takes from outside the article."""

    version: int = 1
    """Number of this draft of the item, from 1."""
    previous: Mapping[str, Any] = field(default_factory=dict)
    """What survives of an earlier draft: an editor's own `title` and `description` (without those that were
    generated), `stickyWeight`, `score`, `coverImage`, and keys that Copydesk does not write."""
    cover: Mapping[str, Any] | None = None
    """The image of a draft that has none yet."""


_NO_DEFAULTS = FrontMatterDefaults()


def build_front_matter(
    source: Source,
    article: Article,
    provenance: Provenance,
    findings: Iterable[Finding],
    *,
    now: datetime,
    defaults: FrontMatterDefaults = _NO_DEFAULTS,
    verified: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the front matter, with its keys in their fixed order.

    `now` is aware. `verified` says which second reader verified it, if any. A draft is never approved, so
    `draft` is true and `review` is absent.
    """
    cover = {"coverImage": dict(defaults.cover)} if defaults.cover else {}
    preserved = {**cover, **defaults.previous}
    title = _one_line(str(preserved.get("title") or "")) or _title(source, article)
    written = utc_iso(now.astimezone(UTC))
    metadata = {
        "title": title,
        "description": without_elements(str(preserved.get("description") or ""))
        or _one_line(article.description)
        or make_description(_overview_text(article, provenance)),
        "publishedAt": utc_iso(source.item.published_at.astimezone(UTC)),
        "updatedAt": written,
        "lang": article.language,
        "externalId": source.external_id,
        "source": _source(source, title),
        "category": article.category.upper(),
        "tags": _tags(article),
        "stickyWeight": 0,
        "sentiment": article.sentiment.value,
        "score": 0,
        "draft": True,
        **{key: preserved[key] for key in _EDITOR_KEYS if key in preserved},
        "ai": _ai(provenance, findings, written, defaults.version)
        | ({"verified": dict(verified)} if verified else {}),
    }
    foreign = {key: value for key, value in preserved.items() if key not in metadata and key != "review"}
    return metadata | foreign


def _overview_text(article: Article, provenance: Provenance) -> str:
    """Return the overview, for a brief without the attribution in its first paragraph."""
    rest = article.overview.partition("\n\n")[2]
    return article.overview if provenance.rewritten or not rest else rest


def _title(source: Source, article: Article) -> str:
    title = _one_line(article.title) or _one_line(source.item.title)
    return title or make_description(article.overview) or source.item.guid


def _source(source: Source, title: str) -> dict[str, Any]:
    source_title = _one_line(source.item.title)
    values: dict[str, Any] = {
        "name": _one_line(source.feed_name),
        "key": source.feed_key,
        "type": "RSS",
        "url": _url(source),
        "author": _one_line(source.item.author or ""),
        "title": source_title if source_title != title else "",
        "also": [{"name": _one_line(credit.name), "url": credit.url} for credit in source.also],
    }
    return {key: value for key, value in values.items() if value}


def _url(source: Source) -> str:
    guid = source.item.guid
    is_link = guid.startswith(("http://", "https://"))
    return source.item.link or (guid if is_link else "")


def _tags(article: Article) -> list[str]:
    """Return the tags in upper case, each once, including the category."""
    category, tags = article.category.upper(), [tag.upper() for tag in article.tags]
    return list(dict.fromkeys(tags if category in tags else [category, *tags]))


def _ai(provenance: Provenance, findings: Iterable[Finding], written: str, version: int) -> dict[str, Any]:
    counted = sum(finding.severity in _OPEN_SEVERITIES for finding in findings)
    prompt = {"prompt": provenance.prompt} if provenance.prompt else {}
    return {
        "rewritten": provenance.rewritten,
        "expandedAt": written,
        "version": version,
        "model": provenance.model,
        **prompt,
        "checks": {"open": counted, "acknowledged": 0},
    }


def make_description(overview: str) -> str:
    """Return the beginning of the overview as plain text: at most 180 characters, cut at a word with `…`."""
    text = _overview_line(overview)
    if len(text) <= MAX_DESCRIPTION_CHARS:
        return text
    shortened = text[: MAX_DESCRIPTION_CHARS - 1]
    at_word = shortened if text[len(shortened)] == " " else shortened.rpartition(" ")[0]
    return (at_word or shortened).rstrip(" ,;:–—-") + "…"


def first_sentence(overview: str) -> str:
    """Return the first sentence of the overview as plain text; empty if it is longer than 180 characters."""
    first = next(iter(whole_sentences(_overview_line(overview))), "")
    return first if len(first) <= MAX_DESCRIPTION_CHARS and ends_sentence(first) else ""


def _overview_line(overview: str) -> str:
    return without_elements(plain_text(_fix_text(overview[:_MAX_OVERVIEW_CHARS])))


def _one_line(text: str) -> str:
    return without_elements(" ".join(_fix_text(text).split()))


def _fix_text(text: str) -> str:
    """Return `text` with repaired mojibake and without control characters."""
    return without_controls(ftfy.fix_encoding(replace_unwritable(text)))
