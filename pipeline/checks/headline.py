"""Checks of a title or a description: what of it the source does not bear out, or leads readers elsewhere."""

from typing import NamedTuple

from pipeline.checks.claims import CLAIMS
from pipeline.checks.document import Page
from pipeline.checks.injection.check import check_appeals, check_headline, check_outsiders
from pipeline.checks.injection.non_article import check_markers, check_strayed, check_tongue
from pipeline.checks.injection.source_index import Known
from pipeline.checks.overlap import check_overlap
from pipeline.checks.structure import check_leftovers
from pipeline.checks.tokens import Case, Reading
from pipeline.checks.visible_text import seen
from pipeline.domain.models import Beat, Finding, Front, Place, Source
from pipeline.domain.plain_text import without_elements


class Line(NamedTuple):
    """A text of front matter that readers see."""

    field: Place
    text: str
    own: bool
    """It is the source's, or was checked with the body: only where it leads readers is looked at."""


def lines_of(front: Front, source: Source | None) -> list[Line]:
    """Return the texts of front matter that are to be checked.

    A description that is the Overview's beginning is not among them: one error is told once.
    """
    title, description = front.text("title"), front.text("description")
    told = source.item.title if source else ""
    theirs = {_folded(told), _folded(without_elements(told))}
    found = [Line("title", title, _folded(title) in theirs)]
    if not front.follows:
        found.append(Line("description", description, _folded(description) in theirs))
    return [line for line in found if line.text.strip()]


def check_line(source: Source | None, whole: Reading, line: Line, beat: Beat) -> list[Finding]:
    """Return findings about a line; `whole` is all that the source says, its text first."""
    known, shown = Known(source) if source else None, seen(line.text)
    found = [*check_markers(known, shown, line.text)]
    if source is None or known is None:
        return found
    found += check_appeals(known, shown)
    if line.own:
        return [*found, *check_headline(known, shown)]
    page = Page(line.text, beat)
    case = Case(page.reading, whole, source.language, source.item.published_at)
    claims = [one for check in CLAIMS for one in check(case)]
    claims += check_overlap(page.reading, whole, beat.checks, page.links)
    # That a language is not known is told with the body.
    placed = [page.placed(one, len(source.item.text)) for one in claims if one.span]
    return [
        *found,
        *check_outsiders(known, shown, line.field),
        *check_strayed(known, shown, labels=line.field != "title"),
        *check_tongue(known, shown, source.language),
        *placed,
        *check_leftovers(page, whole.text, source.language),
    ]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
