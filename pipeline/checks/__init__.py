"""Checks of a draft's body against its source: pure, one module a kind of finding."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from pipeline.brieftext import brief_words
from pipeline.checks.brief import check_brief
from pipeline.checks.form import check_form
from pipeline.checks.injection import check_injection
from pipeline.checks.leftovers import check_leftovers
from pipeline.checks.opinion import KIND as OPINION
from pipeline.checks.opinion import check_opinion
from pipeline.checks.overlap import KIND as OVERLAP
from pipeline.checks.overlap import check_overlap
from pipeline.checks.page import Page
from pipeline.checks.pairs import CLAIMS
from pipeline.checks.reading import Case, Reading
from pipeline.checks.repeats import check_length, check_repeats
from pipeline.models import Beat, Checks, Finding, Severity, Source

_CLAIM, _LAST = 2, 4
_RANKS = {"brief": 0, "injection": 0, "form": 1, OPINION: 3, OVERLAP: 3}
"""Which kinds tell more of a place than others; what traces claims stands between."""


def run_checks(source: Source | None, body: str, beat: Beat, *, sections: bool = True) -> tuple[Finding, ...]:
    """Return the findings about a body (Markdown, without front matter), in the order of the body.

    `source` is None where it is not known any more; checks that need it then find nothing. How hard the
    kinds judge is `beat.checks`. A text that is no article of ours has no `sections` to be checked.
    """
    always = (*check_brief(body), *check_injection(source, body, beat))
    form = check_form(body, beat) if sections else ()
    checked = [*form, *(_against(source, body, beat) if source else ())]
    judged = _judged(_once([*always, *checked]), beat.checks)
    return tuple(sorted(judged, key=lambda finding: finding.span or (0, 0)))


def _against(source: Source, body: str, beat: Beat) -> list[Finding]:
    """Return the findings of the checks that read the source beside the body."""
    page = Page(body, beat)
    text = source.item.text
    whole, language = Reading(f"{text}\n\n{_besides(source)}"), source.language
    case = Case(page.reading, whole, language, source.item.published_at)
    found = [one for check in CLAIMS for one in check(case)]
    if not page.is_brief:
        listed = _listed(page, language)
        found += check_overlap(page.reading, whole, beat.checks, (*page.links, *listed))
        found += check_opinion(page, language, source.item.title)
        found += (*check_repeats(page.reading, listed), *check_length(page.reading, whole))
    placed = [_placed(page, one, len(text)) for one in found]
    return [*placed, *check_leftovers(page, whole.text, language)]


def _listed(page: Page, language: str) -> list[tuple[int, int]]:
    """Return the places of the facts that a brief lists in the source's words, and says so in its heading."""
    heading = brief_words(language).facts.casefold()
    return [(one.body, one.end) for one in page.sections if one.heading.casefold() == heading]


def _besides(source: Source) -> str:
    """Return what bears a claim out without being the source's text: title, author, feed, labels."""
    item = source.item
    others = (credit.name for credit in source.also)
    told = (item.title, item.author, item.summary, source.feed_name, *item.categories, *others)
    return "\n\n".join(text for text in told if text)


def _placed(page: Page, finding: Finding, length: int) -> Finding:
    """Return a finding about a page's text as one about its body; evidence lies in the source's text."""
    span = page.span(*finding.span) if finding.span else None
    evidence = tuple((start, min(end, length)) for start, end in finding.evidence if start < length)
    return finding.model_copy(update={"span": span, "evidence": evidence})


def _once(findings: list[Finding]) -> list[Finding]:
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


def _judged(findings: Iterable[Finding], checks: Checks) -> list[Finding]:
    """Return findings as severe as the settings of a beat will have their kinds."""
    found = []
    for finding in findings:
        level = getattr(checks, finding.kind, None)
        if level is None or (level != "off" and finding.severity is Severity.NOTE):
            found.append(finding)
        elif level != "off":
            found.append(finding.model_copy(update={"severity": Severity(level)}))
    return found
