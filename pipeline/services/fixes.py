"""The fix of a finding: the words that it offers in place of those in the draft. Pure."""

from typing import Any

from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import loads
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Beat
from pipeline.domain.reviews import LINES, Finding, Place
from pipeline.services.draft_file import draft_front
from pipeline.services.edit import DraftEdit
from pipeline.storage import DraftRow


def has_fix(finding: Finding) -> bool:
    """Return whether a finding offers what its words should be."""
    return finding.span is not None and (finding.removal or bool(finding.suggestion))


def fixed(row: DraftRow, beat: Beat, text: str, finding: Finding) -> DraftEdit:
    """Return the edit that takes a finding's fix in a draft's text, wherever the draft has the error. Pure.

    The finding is about this very text, with its front matter as an approval writes it. Raises ReviewError
    where it offers no fix.
    """
    if not has_fix(finding) or finding.span is None:
        raise ReviewError("this finding has no fix to take: correct the text, or dismiss it")
    metadata, body = loads(text)
    front = draft_front(row, metadata, body, beat)
    texts: dict[Place, str] = {"body": body, **{field: front.text(field) for field in LINES}}
    places = {(finding.field, finding.span), *finding.also}
    for field, (start, end) in sorted(places, key=lambda place: place[1], reverse=True):
        texts[field] = texts[field][:start] + finding.suggestion + texts[field][end:]
    changed = {field for field, _ in places}
    return _edit(metadata, texts, changed)


def _edit(metadata: dict[str, Any], texts: dict[Place, str], changed: set[Place]) -> DraftEdit:
    tags = metadata.get("tags")
    try:
        return DraftEdit(
            title=texts["title"],
            description=texts["description"] if "description" in changed else None,
            category=str(metadata.get("category") or ""),
            tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
            sentiment=Sentiment(str(metadata.get("sentiment"))),
            sticky_weight=int(metadata.get("stickyWeight") or 0),
            body=texts["body"],
            alt=texts["alt"] if "alt" in changed else None,
        )
    except (TypeError, ValueError) as error:
        raise ReviewError(
            "the draft's front matter is not valid: open the editor and save it once"
        ) from error
