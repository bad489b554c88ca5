"""Kind `date`: days, months, years and hours that the source does not bear out."""

import re

from pipeline.checks.dates.find import mentions
from pipeline.checks.dates.known import Known
from pipeline.checks.dates.records import RELATIVE, SEASON, Mention
from pipeline.checks.reading import Case
from pipeline.checks.tables import table
from pipeline.models import Finding, Severity

KIND = "date"
_AGO = re.compile(
    r"\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten) years? (?:ago|before|earlier)\b"
)
_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


def check_dates(case: Case) -> list[Finding]:
    """Return findings about the dates of a draft.

    Block: a day, month, year, weekday or hour that the source does not tell, nor means by another word.
    Warn: the same of seasons and of what counts from today ("next month"). Without the time of publication,
    a whole date at the beginning of the source stands for it.
    """
    if table(case.language, "dates") is None:
        said = f'Dates are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said)]
    told = [one for one in mentions(case.draft.text, case.language) if one.sure]
    if not told:
        return []
    published = case.published.date() if case.published else None
    known = Known(mentions(case.source.text, case.language), published, _ago(case.source.text))
    return [_finding(case, one) for one in told if not known.says(one)]


def _ago(text: str) -> frozenset[int]:
    """Return how many years ago the source says that things happened."""
    found = _AGO.findall(text.casefold())
    return frozenset(_WORDS.get(number) or int(number) for number in found)


def _finding(case: Case, told: Mention) -> Finding:
    severity = Severity.WARN if told.kind in (SEASON, RELATIVE) else Severity.BLOCK
    said = f'"{case.draft.text[told.start : told.end]}" does not stand in the source.'
    return Finding(kind=KIND, severity=severity, message=said, span=(told.start, told.end))
