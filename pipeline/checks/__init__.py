"""Checks of a draft against its source: pure, one module a kind of finding."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pipeline.brieftext import brief_words
from pipeline.checks.acknowledging import keyed
from pipeline.checks.brief import check_brief
from pipeline.checks.form import check_form
from pipeline.checks.frontmatter import check_front_matter
from pipeline.checks.injection import check_injection, check_origin
from pipeline.checks.judging import judged, once
from pipeline.checks.leftovers import check_leftovers
from pipeline.checks.lines import check_line, lines_of
from pipeline.checks.opinion import check_opinion
from pipeline.checks.overlap import check_overlap
from pipeline.checks.page import Page
from pipeline.checks.pairs import CLAIMS
from pipeline.checks.reading import Case, Reading
from pipeline.checks.repeats import check_length, check_repeats
from pipeline.models import Beat, Finding, Front, Source


def run_checks(
    source: Source | None, body: str, beat: Beat, *, front: Front | None, sections: bool = True
) -> tuple[Finding, ...]:
    """Return the findings about all that is published of a draft: front matter's, then in the body's order.

    `body` is Markdown, `front` what `front_of` makes of the front matter above it; None: there is none, and
    the text is no article of ours. `source` is None where it is not known any more; checks that need it then
    find nothing. How hard the kinds judge is `beat.checks`. A text that is no article of ours has no
    `sections` to be checked.
    """
    text = source.item.text if source else ""
    whole = Reading(f"{text}\n\n{_besides(source)}") if source else Reading("")
    always = (*check_brief(body), *check_injection(source, body, beat))
    form = check_form(body, beat) if sections else ()
    checked = [*form, *(_against(source, whole, body, beat) if source else ())]
    found = judged(once([*always, *checked]), beat.checks)
    ordered = sorted(found, key=lambda finding: finding.span or (0, 0))
    before = _before(source, whole, body, beat, front) if front else ()
    return (*before, *(keyed(one, body, text) for one in ordered))


def _before(source: Source | None, whole: Reading, body: str, beat: Beat, front: Front) -> Iterator[Finding]:
    """Yield the findings about front matter."""
    text = source.item.text if source else ""
    published = source.item.published_at if source else datetime.now(UTC)
    about = [*front.notes]
    if front.is_ours:
        about += check_front_matter(front.metadata, beat, published)
    about += check_origin(source, front.metadata)
    yield from (keyed(one, "", text) for one in about)
    for line in lines_of(front, source):
        if line.own and Page(body, beat).is_brief:
            continue  # an offline brief quotes its source on purpose, and is blocked as long as it is one
        found = judged(once(check_line(source, whole, line, beat)), beat.checks)
        placed = (one.model_copy(update={"field": line.field}) for one in found)
        ordered = sorted(placed, key=lambda finding: finding.span or (0, 0))
        yield from (keyed(one, line.text, text) for one in ordered)


def _against(source: Source, whole: Reading, body: str, beat: Beat) -> list[Finding]:
    """Return the findings of the checks that read the source beside the body."""
    page = Page(body, beat)
    language = source.language
    case = Case(page.reading, whole, language, source.item.published_at)
    listed = _listed(page, language)
    found = [one for check in CLAIMS for one in check(case) if not _is_cut(page, one, listed)]
    if not page.is_brief:
        found += check_overlap(page.reading, whole, beat.checks, (*page.links, *listed))
        found += check_opinion(page, language, source.item.title)
        found += (*check_repeats(page.reading, listed), *check_length(page.reading, whole))
    placed = [page.placed(one, len(source.item.text)) for one in found]
    return [*placed, *check_leftovers(page, whole.text, language)]


def _listed(page: Page, language: str) -> list[tuple[int, int]]:
    """Return the places of the facts that a brief lists in the source's words, and says so in its heading."""
    heading = brief_words(language).facts.casefold()
    return [(one.body, one.end) for one in page.sections if one.heading.casefold() == heading]


def _is_cut(page: Page, claim: Finding, listed: list[tuple[int, int]]) -> bool:
    """Tell whether a listed fact's excerpt begins or ends within a claim: "fell to $212…" of 212 million."""
    if claim.span is None or not any(start <= claim.span[0] < end for start, end in listed):
        return False
    start, end = claim.span
    return "…" in (page.text[start - 1 : start], page.text[end : end + 1])


def _besides(source: Source) -> str:
    """Return what bears a claim out without being the source's text: title, author, feed, labels."""
    item = source.item
    others = (credit.name for credit in source.also)
    told = (item.title, item.author, item.summary, source.feed_name, *item.categories, *others)
    return "\n\n".join(text for text in told if text)
