"""The fix of a finding: the words that it offers in place of those in the draft. Pure."""

from pipeline.articles.front_matter import loads
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Beat
from pipeline.domain.reviews import LINES, Finding, Place
from pipeline.services.draft_file import draft_front
from pipeline.services.edit import DraftEdit, edit_of
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
    changed = {field: texts[field] for field, _ in places}
    return edit_of(text, **{"title": texts["title"], "body": texts["body"], **changed})
