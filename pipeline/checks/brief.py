"""Kind `brief`: a placeholder of the offline brief still stands where an editor's text belongs."""

import re

from pipeline.brieftext import PLACEHOLDERS
from pipeline.models import Finding, Severity

_STANDING = re.compile("|".join(re.escape(text) for text in PLACEHOLDERS))


def check_brief(body: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each placeholder sentence that the body still holds."""
    return tuple(
        Finding(
            kind="brief",
            severity=Severity.BLOCK,
            message="This sentence holds the place of an editor's text: replace it, or redraft with a model.",
            span=standing.span(),
            firm=True,
        )
        for standing in _STANDING.finditer(body)
    )
