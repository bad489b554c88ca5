"""Kind `name`: people, companies, coins and places that the source does not name."""

from collections.abc import Iterator

from pipeline.checks.names.find import Part, names
from pipeline.checks.names.known import KnownNames
from pipeline.checks.names.lexicon import lexicon
from pipeline.checks.reading import Case
from pipeline.models import Finding, Severity

KIND = "name"


def check_names(case: Case) -> list[Finding]:
    """Return a finding for each name, or part of one, that the source does not have.

    Block; warn where a word only completes a name ("Newcastle United").

    Names are compared whole, letter by letter but for case, accents and endings: Johnson is not Johnston.
    """
    words = lexicon(case.language)
    if words is None:
        said = f'Names are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said)]
    known = KnownNames(case.source, words)
    lower = {word.folded for word in case.draft.words if word.text.islower()}
    found = []
    for name in names(case.draft, case.language, words):
        absent = [
            part for part in name if not (part.opens and part.folded in lower) and not known.has(part, name)
        ]
        for part, start, end in _spans(absent, case.draft.text, words.small):
            found.append(_finding(case, start, end, sure=not known.completes(part, name)))
    return found


def _spans(parts: list[Part], text: str, small: frozenset[str]) -> Iterator[tuple[Part, int, int]]:
    """Yield the places of words, neighbours as one ("Isle of Wight"), with the first word of each."""
    for number, part in enumerate(parts):
        if number and small.issuperset(text[parts[number - 1].end : part.start].split()):
            continue
        end = part.end
        for other in parts[number + 1 :]:
            if not small.issuperset(text[end : other.start].split()):
                break
            end = other.end
        yield part, part.start, end


def _finding(case: Case, start: int, end: int, *, sure: bool) -> Finding:
    said = f'"{case.draft.text[start:end]}" does not stand in the source.'
    severity = Severity.BLOCK if sure else Severity.WARN
    return Finding(kind=KIND, severity=severity, message=said, span=(start, end))
