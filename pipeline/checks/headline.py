"""Checks title and description: claims that the source does not support, and injection."""

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
    """A title or a description."""

    field: Place
    text: str
    from_source: bool
    """It equals the title of the source. Its claims need no check, its addresses do."""


def front_matter_texts(front: Front, source: Source | None) -> list[FrontMatterText]:
    """Return the texts of front matter to check, without empty ones.

    A description that is the beginning of the Overview is left out, since it is checked with the body.
    """
    title, description = front.text("title"), front.text("description")
    source_title = source.item.title if source else ""
    source_titles = {_folded(source_title), _folded(without_elements(source_title))}
    texts = [FrontMatterText("title", title, _folded(title) in source_titles)]
    if not front.follows:
        texts.append(FrontMatterText("description", description, _folded(description) in source_titles))
    return [line for line in texts if line.text.strip()]


def check_front_matter_text(
    source: Source | None, source_tokens: TokenizedText, line: FrontMatterText, beat: Beat
) -> list[Finding]:
    """Return findings about a text; `source_tokens` are the source's text followed by its metadata."""
    index, visible = SourceIndex(source) if source else None, visible_text(line.text)
    findings = [*check_markers(index, visible, line.text)]
    if source is None or index is None:
        return findings
    findings += check_calls_to_action(index, visible)
    if line.from_source:
        return [*findings, *check_headline(index, visible)]
    document = DraftDocument(line.text, beat)
    case = CheckInput(document.tokens, source_tokens, source.language, source.item.published_at)
    claims = [finding for check in CLAIM_CHECKS for finding in check(case)]
    claims += check_overlap(document.tokens, source_tokens, beat.checks, document.links)
    # Findings without a span (a language that is not checked) are reported with the body.
    placed_claims = [document.to_body(finding, len(source.item.text)) for finding in claims if finding.span]
    return [
        *findings,
        *check_contact_details(index, visible, line.field),
        *check_non_article(index, visible, labels=line.field != "title"),
        *check_language(index, visible, source.language),
        *placed_claims,
        *check_artifacts(document, source_tokens.text, source.language),
    ]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
