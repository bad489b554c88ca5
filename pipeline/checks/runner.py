"""What becomes of findings once every check has spoken: each place told once, as hard as a beat wants it.

What an editor's acknowledgement of a finding is tied to.

Checks of a draft against its source: pure, one module a kind of finding.

The other half of checking: which claims do stand in the source, and where an editor finds them there.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from pipeline.checks.claims import CLAIM_CHECKS
from pipeline.checks.dates.extract import extract_dates
from pipeline.checks.document import DraftDocument
from pipeline.checks.front_matter import check_front_matter
from pipeline.checks.headline import check_front_matter_text, front_matter_texts
from pipeline.checks.injection.check import check_injection, check_origin
from pipeline.checks.names.check import trace_names
from pipeline.checks.numbers.check import trace_numbers
from pipeline.checks.opinion import KIND as OPINION
from pipeline.checks.opinion import check_opinion
from pipeline.checks.overlap import KIND as OVERLAP
from pipeline.checks.overlap import check_overlap
from pipeline.checks.quotations.check import trace_quotations
from pipeline.checks.structure import (
    check_artifacts,
    check_brief,
    check_length,
    check_repetition,
    check_structure,
)
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.models import Beat, CheckLevels, Source
from pipeline.domain.placeholders import brief_labels
from pipeline.domain.reviews import Finding, Front, Severity, claim_key

_CLAIM, _LAST = 2, 4
_RANKS = {"brief": 0, "injection": 0, "form": 1, OPINION: 3, OVERLAP: 3}
"""Which kinds tell more of a place than others; what traces claims stands between."""


def deduplicate(findings: list[Finding]) -> list[Finding]:
    """Return findings without those that another kind tells better of the same place.

    What is no article is no claim either, and what is invented is new in an opinion, too.
    """
    taken: dict[int, list[tuple[int, int]]] = {rank: [] for rank in range(_LAST)}
    for one in findings:
        hard = one.severity is Severity.BLOCK or (one.severity is Severity.WARN and _rank(one) == _CLAIM)
        if one.span and hard:
            for rank in range(_rank(one) + 1, _LAST):
                taken[rank].append(one.span)
    merged = {rank: _merged(spans) for rank, spans in taken.items()}
    return [one for one in findings if one.kind == OVERLAP or not _is_told(one, merged[_rank(one)])]


def _rank(finding: Finding) -> int:
    return _RANKS.get(finding.kind, _CLAIM)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what spans cover, in order and without overlaps."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _is_told(finding: Finding, others: Sequence[tuple[int, int]]) -> bool:
    """Tell whether others are about half of a finding's words or more."""
    if finding.span is None:
        return False
    start, end = finding.span
    near = others[max(0, bisect_right(others, (start, end)) - 1) : bisect_right(others, (end, end))]
    return any(2 * (min(end, behind) - max(start, begin)) >= end - start for begin, behind in near)


def apply_levels(findings: Iterable[Finding], checks: CheckLevels) -> list[Finding]:
    """Return findings as severe as the settings of a beat will have their kinds."""
    found = []
    for finding in findings:
        level = getattr(checks, finding.kind, None)
        if level is None or (level != "off" and finding.severity is Severity.NOTE):
            found.append(finding)
        elif level != "off":
            found.append(finding.model_copy(update={"severity": Severity(level)}))
    return found


def finding_key(finding: Finding, text: str, source_text: str) -> str:
    """Return the key under which a finding is acknowledged, 16 hex digits; `text` is what its span lies in.

    It stays the same while the claim and its evidence say the same, wherever they come to stand, and is
    another one as soon as either says something else. White space does not count. A finding about the whole
    text has its message for a claim.
    """
    claim = text[slice(*finding.span)] if finding.span else finding.message
    return claim_key(finding.kind, claim, (source_text[start:end] for start, end in finding.evidence))


def with_key(finding: Finding, text: str, source_text: str) -> Finding:
    """Return a finding with its key."""
    return finding.model_copy(update={"key": finding_key(finding, text, source_text)})


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
    whole = TokenizedText(f"{text}\n\n{_besides(source)}") if source else TokenizedText("")
    always = (*check_brief(body), *check_injection(source, body, beat))
    form = check_structure(body, beat) if sections else ()
    checked = [*form, *(_against(source, whole, body, beat) if source else ())]
    found = apply_levels(deduplicate([*always, *checked]), beat.checks)
    ordered = sorted(found, key=lambda finding: finding.span or (0, 0))
    before = _before(source, whole, body, beat, front) if front else ()
    return (*before, *(with_key(one, body, text) for one in ordered))


def _before(
    source: Source | None, whole: TokenizedText, body: str, beat: Beat, front: Front
) -> Iterator[Finding]:
    """Yield the findings about front matter."""
    text = source.item.text if source else ""
    published = source.item.published_at if source else datetime.now(UTC)
    about = [*front.notes]
    if front.is_ours:
        about += check_front_matter(front.metadata, beat, published)
    about += check_origin(source, front.metadata)
    yield from (with_key(one, "", text) for one in about)
    for line in front_matter_texts(front, source):
        if line.own and DraftDocument(body, beat).is_brief:
            continue  # an offline brief quotes its source on purpose, and is blocked as long as it is one
        found = apply_levels(deduplicate(check_front_matter_text(source, whole, line, beat)), beat.checks)
        placed = (one.model_copy(update={"field": line.field}) for one in found)
        ordered = sorted(placed, key=lambda finding: finding.span or (0, 0))
        yield from (with_key(one, line.text, text) for one in ordered)


def _against(source: Source, whole: TokenizedText, body: str, beat: Beat) -> list[Finding]:
    """Return the findings of the checks that read the source beside the body."""
    page = DraftDocument(body, beat)
    language = source.language
    case = CheckInput(page.reading, whole, language, source.item.published_at)
    listed = _listed(page, language)
    found = [one for check in CLAIM_CHECKS for one in check(case) if not _is_cut(page, one, listed)]
    if not page.is_brief:
        found += check_overlap(page.reading, whole, beat.checks, (*page.links, *listed))
        found += check_opinion(page, language, source.item.title)
        found += (*check_repetition(page.reading, listed), *check_length(page.reading, whole))
    placed = [page.placed(one, len(source.item.text)) for one in found]
    return [*placed, *check_artifacts(page, whole.text, language)]


def _listed(page: DraftDocument, language: str) -> list[tuple[int, int]]:
    """Return the places of the facts that a brief lists in the source's words, and says so in its heading."""
    heading = brief_labels(language).facts.casefold()
    return [(one.body, one.end) for one in page.sections if one.heading.casefold() == heading]


def _is_cut(page: DraftDocument, claim: Finding, listed: list[tuple[int, int]]) -> bool:
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


def trace_claims(source: Source, body: str, beat: Beat) -> list[SupportedClaim]:
    """Return the figures, dates, names and quotations of a body that its source's text has, in their order.

    Spans are in characters of the body, evidence in those of the source's text. A claim that the checks let
    pass for another reason (it was worked out, or means the same in other words) is not among them.
    """
    page = DraftDocument(body, beat)
    case = CheckInput(
        page.reading, TokenizedText(source.item.text), source.language, source.item.published_at
    )
    every = (trace_numbers, _trace_dates, trace_names, trace_quotations)
    found = [trace._replace(span=page.span(*trace.span)) for part in every for trace in part(case)]
    return _apart(sorted(found, key=lambda trace: (trace.span[0], -trace.span[1])))


def _apart(traces: list[SupportedClaim]) -> list[SupportedClaim]:
    """Return traces that do not overlap: what begins first, and is longer."""
    found: list[SupportedClaim] = []
    for trace in traces:
        if not found or trace.span[0] >= found[-1].span[1]:
            found.append(trace)
    return found


def _trace_dates(case: CheckInput) -> Iterator[SupportedClaim]:
    """Yield the dates that stand in the source in the same words."""
    source = case.source.text.casefold()
    if len(source) != len(case.source.text):  # folded, a letter became two: no place would be right
        source = case.source.text
    for told in (one for one in extract_dates(case.draft.text, case.language) if one.certain):
        words = case.draft.text[told.start : told.end].casefold()
        places: list[tuple[int, int]] = []
        at = source.find(words)
        while at >= 0 and len(places) < MAX_EVIDENCE:
            places.append((at, at + len(words)))
            at = source.find(words, at + len(words))
        if places:
            yield SupportedClaim("date", (told.start, told.end), tuple(places))
