"""An article as a file's two halves: its body in Markdown, its front matter as a mapping."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import ftfy

from pipeline.articles.markdown import plain_text, safe_line, safe_markdown, without_controls
from pipeline.articles.yaml_dump import replace_unwritable
from pipeline.domain.models import Article, Beat, Finding, Provenance, Severity, Source, utc_iso
from pipeline.domain.plain_text import without_elements

__all__ = ["build_front_matter", "make_description", "render_body", "safe_markdown"]

_DESCRIPTION_LENGTH = 180
_READ_LENGTH = 4000
"""Characters of an overview that are looked at: far more than a description holds, whatever the markup."""
_KEPT = ("stickyWeight", "score", "coverImage")
"""An editor's choices, which a redraft does not undo."""
_COUNTED = (Severity.BLOCK, Severity.WARN)


def render_body(article: Article, beat: Beat) -> str:
    """Return the Markdown body: overview, topical sections, the author's view, the impact in bullets."""
    blocks = _section(beat.overview, article.overview)
    for section in article.sections:
        blocks += _section(_line(section.heading) or _line(article.title), section.body)
    blocks += _section(beat.from_author, article.from_author)
    bullets = "\n".join(f"- {line}" for line in map(_line, article.impact) if line)
    blocks += [f"## {beat.impact} {beat.market}", bullets]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(heading: str, body: str) -> list[str]:
    return [f"## {heading}", safe_markdown(_repaired(body)).strip()]


def _line(text: str) -> str:
    return safe_line(_repaired(text))


def build_front_matter(
    source: Source,
    article: Article,
    provenance: Provenance,
    findings: Iterable[Finding],
    *,
    now: datetime,
    version: int = 1,
    previous: Mapping[str, Any] | None = None,
    cover: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the front matter, its keys in the order of every article.

    `now` is aware. `previous` is what survives of an earlier draft: an editor's own `description` (left out
    by the caller where it was ours), `stickyWeight`, `score`, `coverImage`, and keys that are not ours.
    `cover` is the image of a draft that has none yet. A draft is never approved, so `draft` is true and
    `review` absent.
    """
    kept = {**({"coverImage": dict(cover)} if cover else {}), **(previous or {})}
    written = utc_iso(now.astimezone(UTC))
    metadata = {
        "title": _title(source, article),
        "description": without_elements(str(kept.get("description") or ""))
        or make_description(_told(article, provenance)),
        "publishedAt": utc_iso(source.item.published_at.astimezone(UTC)),
        "updatedAt": written,
        "lang": article.language,
        "externalId": source.external_id,
        "source": _source(source, article),
        "category": article.category.upper(),
        "tags": _tags(article),
        "stickyWeight": 0,
        "sentiment": article.sentiment.value,
        "score": 0,
        "draft": True,
        **{key: kept[key] for key in _KEPT if key in kept},
        "ai": _ai(provenance, findings, written, version),
    }
    foreign = {key: value for key, value in kept.items() if key not in metadata and key != "review"}
    return metadata | foreign


def _told(article: Article, provenance: Provenance) -> str:
    """Return the overview; of a brief without the attribution that stands first."""
    told = article.overview.partition("\n\n")[2]
    return article.overview if provenance.rewritten or not told else told


def _title(source: Source, article: Article) -> str:
    title = _one_line(article.title) or _one_line(source.item.title)
    return title or make_description(article.overview) or source.item.guid


def _source(source: Source, article: Article) -> dict[str, Any]:
    title = _one_line(source.item.title)
    values: dict[str, Any] = {
        "name": _one_line(source.feed_name),
        "key": source.feed_key,
        "type": "RSS",
        "url": _url(source),
        "author": _one_line(source.item.author or ""),
        "title": title if title != _title(source, article) else "",
        "also": [{"name": _one_line(credit.name), "url": credit.url} for credit in source.also],
    }
    return {key: value for key, value in values.items() if value}


def _url(source: Source) -> str:
    guid = source.item.guid
    is_link = guid.startswith(("http://", "https://"))
    return source.item.link or (guid if is_link else "")


def _tags(article: Article) -> list[str]:
    """Return the tags in upper case, each once, the category among them."""
    category, tags = article.category.upper(), [tag.upper() for tag in article.tags]
    return list(dict.fromkeys(tags if category in tags else [category, *tags]))


def _ai(provenance: Provenance, findings: Iterable[Finding], written: str, version: int) -> dict[str, Any]:
    counted = sum(finding.severity in _COUNTED for finding in findings)
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
    """Return the overview's beginning as plain text, at most 180 characters, cut at a word with `…`."""
    text = without_elements(plain_text(_repaired(overview[:_READ_LENGTH])))
    if len(text) <= _DESCRIPTION_LENGTH:
        return text
    shortened = text[: _DESCRIPTION_LENGTH - 1]
    at_word = shortened if text[len(shortened)] == " " else shortened.rpartition(" ")[0]
    return (at_word or shortened).rstrip(" ,;:–—-") + "…"


def _one_line(text: str) -> str:
    return without_elements(" ".join(_repaired(text).split()))


def _repaired(text: str) -> str:
    """Return `text` with what was decoded wrongly put right, without control characters."""
    return without_controls(ftfy.fix_encoding(replace_unwritable(text)))
