"""Kind `form`: a section that every article has is missing, or a section is empty."""

import re

from pipeline.models import Beat, Finding, Severity

_SECTION = re.compile(r"^##[ \t]+(?P<heading>[^\r\n]*?)[ \t]*\r?$", re.M)


def check_form(body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return a blocking finding for each fixed heading that is missing and each section without text."""
    sections = list(_SECTION.finditer(body))
    present = {section["heading"].casefold() for section in sections}
    required = (beat.overview, beat.from_author, f"{beat.impact} {beat.market}")
    missing = [
        _block(f'The section "{name}" is missing.') for name in required if name.casefold() not in present
    ]
    ends = [section.start() for section in sections[1:]] + [len(body)]
    empty = [
        _block(f'The section "{section["heading"]}" is empty.', section.span())
        for section, end in zip(sections, ends, strict=False)
        if not body[section.end() : end].strip(" \t\r\n-*>#")
    ]
    return (*missing, *empty)


def _block(message: str, span: tuple[int, int] | None = None) -> Finding:
    return Finding(kind="form", severity=Severity.BLOCK, message=message, span=span)
