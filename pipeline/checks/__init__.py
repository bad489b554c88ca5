"""Checks of a draft's body against its source: pure, one module a kind of finding."""

from pipeline.checks.brief import check_brief
from pipeline.checks.form import check_form
from pipeline.checks.injection import check_injection
from pipeline.models import Beat, Finding, Source


def run_checks(source: Source | None, body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return the findings about a body (Markdown, without front matter), in the order of the body.

    `source` is None where it is not known any more; checks that need it then find nothing.
    """
    findings = (*check_form(body, beat), *check_brief(body), *check_injection(source, body, beat))
    return tuple(sorted(findings, key=lambda finding: finding.span or (0, 0)))
