"""Kind `form`: sections that are missing, empty, there twice or in another order than every article has."""

import re
from collections.abc import Iterator, Sequence

from pipeline.models import Beat, Finding, Severity

_SECTION = re.compile(r"^##[ \t]+(?P<heading>[^\r\n]*)", re.M)


def check_form(body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return findings about a body's sections: blocking ones about what is missing or empty."""
    sections = list(_SECTION.finditer(body))
    required = (beat.overview, beat.from_author, f"{beat.impact} {beat.market}")
    present = {_named(section).casefold() for section in sections}
    missing = [
        _block(f'The section "{name}" is missing.') for name in required if name.casefold() not in present
    ]
    ends = [section.start() for section in sections[1:]] + [len(body)]
    empty = [
        _block(f'The section "{_named(section)}" is empty.', section.span())
        for section, end in zip(sections, ends, strict=False)
        if not body[section.end() : end].strip(" \t\r\n-*>#")
    ]
    return (*missing, *empty, *_twice(sections), *_misplaced(sections, required))


def _named(section: re.Match[str]) -> str:
    return section["heading"].rstrip(" \t")


def _twice(sections: Sequence[re.Match[str]]) -> Iterator[Finding]:
    known: set[str] = set()
    for section in sections:
        name = _named(section).casefold()
        if name in known:
            yield _warn(f'The heading "{_named(section)}" stands twice: rename or remove one.', section)
        known.add(name)


def _misplaced(sections: Sequence[re.Match[str]], required: tuple[str, str, str]) -> Iterator[Finding]:
    """Yield what stands elsewhere: the overview comes first, the author's view and the impact last."""
    names = list(dict.fromkeys(_named(section).casefold() for section in sections))
    overview, *last = (name.casefold() for name in required)
    wanted = [name for name in names if name != overview and name not in last]
    wanted = [*([overview] if overview in names else []), *wanted, *(name for name in last if name in names)]
    strayed = next((name for name, right in zip(names, wanted, strict=True) if name != right), None)
    if strayed is not None:
        section = next(one for one in sections if _named(one).casefold() == strayed)
        order = f'"{required[0]}" comes first, "{required[1]}" and "{required[2]}" last'
        yield _warn(f'The section "{_named(section)}" stands in the wrong place: {order}.', section)


def _block(message: str, span: tuple[int, int] | None = None) -> Finding:
    return Finding(kind="form", severity=Severity.BLOCK, message=message, span=span)


def _warn(message: str, section: re.Match[str]) -> Finding:
    return Finding(kind="form", severity=Severity.WARN, message=message, span=section.span())
