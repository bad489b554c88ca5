"""Checks of a title or a description: what of it the source does not bear out, or leads readers elsewhere."""

from typing import NamedTuple

from pipeline.checks.claims import CLAIM_CHECKS
from pipeline.checks.document import DraftDocument
from pipeline.checks.injection.check import check_calls_to_action, check_contact_details, check_headline
from pipeline.checks.injection.non_article import check_language, check_markers, check_non_article
from pipeline.checks.injection.source_index import SourceIndex
from pipeline.checks.overlap import check_overlap
from pipeline.checks.structure import check_artifacts
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.checks.visible_text import visible_text
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front, Place
from pipeline.domain.text import without_elements


class FrontMatterText(NamedTuple):
    """A text of front matter that readers see."""

    field: Place
    text: str
    own: bool
    """It is the source's, or was checked with the body: only where it leads readers is looked at."""


def front_matter_texts(front: Front, source: Source | None) -> list[FrontMatterText]:
    """Return the texts of front matter that are to be checked.

    A description that is the Overview's beginning is not among them: one error is told once.
    """
    title, description = front.text("title"), front.text("description")
    told = source.item.title if source else ""
    theirs = {_folded(told), _folded(without_elements(told))}
    found = [FrontMatterText("title", title, _folded(title) in theirs)]
    if not front.follows:
        found.append(FrontMatterText("description", description, _folded(description) in theirs))
    return [line for line in found if line.text.strip()]


def check_front_matter_text(
    source: Source | None, whole: TokenizedText, line: FrontMatterText, beat: Beat
) -> list[Finding]:
    """Return findings about a line; `whole` is all that the source says, its text first."""
    known, shown = SourceIndex(source) if source else None, visible_text(line.text)
    found = [*check_markers(known, shown, line.text)]
    if source is None or known is None:
        return found
    found += check_calls_to_action(known, shown)
    if line.own:
        return [*found, *check_headline(known, shown)]
    page = DraftDocument(line.text, beat)
    case = CheckInput(page.reading, whole, source.language, source.item.published_at)
    claims = [one for check in CLAIM_CHECKS for one in check(case)]
    claims += check_overlap(page.reading, whole, beat.checks, page.links)
    # That a language is not known is told with the body.
    placed = [page.placed(one, len(source.item.text)) for one in claims if one.span]
    return [
        *found,
        *check_contact_details(known, shown, line.field),
        *check_non_article(known, shown, labels=line.field != "title"),
        *check_language(known, shown, source.language),
        *placed,
        *check_artifacts(page, whole.text, source.language),
    ]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
