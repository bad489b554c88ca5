"""A checked text on the terminal: its findings marked where they stand, then listed with their lines."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from rich.text import Text

from copydesk.console import out
from pipeline.models import LINES, Finding, Front, Severity

_STYLES = {Severity.BLOCK: "bold red", Severity.WARN: "bold yellow", Severity.NOTE: "cyan"}
_HARDEST = (Severity.NOTE, Severity.WARN, Severity.BLOCK)
_EVIDENCE = 200
_GUTTER = 5


def show(body: str, first_line: int, findings: Sequence[Finding], source: str, front: Front | None) -> None:
    """Print a text with its findings marked `[1: like this]`, and what each of them says.

    `first_line` is the number in its file of the text's first line. Title and description stand above it
    where something is marked in them.
    """
    numbered = list(enumerate(findings, 1))
    for field in LINES if front else ():
        about = [one for one in numbered if one[1].field == field and one[1].span]
        if front and about:
            line = Text(f"{field}: ").append_text(_marked(front.text(field), about))
            _wrapped(" " * _GUTTER, "", line)
    marked = _marked(body, [one for one in numbered if one[1].body_span])
    marked.rstrip()
    for number, line in enumerate(marked.split("\n", allow_blank=True), first_line):
        _wrapped(f"{number:>{_GUTTER - 1}} ", "dim", line)
    out.print()
    for number, finding in numbered:
        _listed(number, finding, body, first_line, source)
    out.print(_summary(findings))


def line_of(body: str, finding: Finding, first_line: int) -> int | None:
    """Return the line of its file in which a finding of the body begins; None for any other."""
    return None if finding.body_span is None else first_line + body.count("\n", 0, finding.body_span[0])


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each severity."""
    found = Counter(finding.severity for finding in findings)
    return {severity.value: found[severity] for severity in Severity}


Numbered = Sequence[tuple[int, Finding]]


def _marked(told: str, findings: Numbered) -> Text:
    """Return a text with a bracket and a number around each of its findings, and its colour on it."""
    signs: list[tuple[int, int, str]] = []
    for number, finding in findings:
        if finding.span:
            start, end = finding.span
            # What closes comes first where both stand at one place, and what opened last closes first.
            signs += ((start, number, f"[{number}: "), (end, -number, "]"))
    signs.sort(key=lambda sign: (sign[0], sign[1]))
    text, done = Text(), 0
    moved = list(accumulate((len(sign) for _, _, sign in signs), initial=0))
    for at, _, sign in signs:
        text.append(_visible(told[done:at])).append(sign)
        done = at
    text.append(_visible(told[done:]))
    _colour(text, findings, [at for at, _, _ in signs], moved)
    return text


def _colour(text: Text, findings: Numbered, places: list[int], moved: list[int]) -> None:
    for severity in _HARDEST:
        for _, finding in findings:
            if finding.span and finding.severity is severity:
                start, end = finding.span
                behind = end + moved[bisect_right(places, end - 1)] + 1
                text.stylize(_STYLES[severity], start + moved[bisect_right(places, start - 1)], behind)


def _listed(number: int, finding: Finding, body: str, first_line: int, source: str) -> None:
    line = line_of(body, finding, first_line)
    where = f"{finding.field}, " if finding.field in LINES else f"line {line}, " if line is not None else ""
    said = Text().append(f"{finding.severity.value}: ", _STYLES[finding.severity])
    said.append(f"{where}{finding.kind}: {_visible(finding.message)}")
    _wrapped(f"{number:>{_GUTTER - 2}}. ", "bold", said)
    for start, end in finding.evidence[:3]:
        shown = " ".join(source[start:end].split())
        if shown in finding.message:
            continue
        cut = shown if len(shown) <= _EVIDENCE else shown[: _EVIDENCE - 1] + "…"
        _wrapped(" " * _GUTTER, "", Text(f"source: {_visible(cut)}", "dim"))


def _wrapped(gutter: str, style: str, text: Text) -> None:
    """Print text beside a gutter: wrapped on a terminal, one line elsewhere."""
    lines = text.wrap(out, max(20, out.width - len(gutter))) if out.is_terminal else [text]
    for number, line in enumerate(lines or [text]):
        line.rstrip()
        beside = (gutter, style) if number == 0 else " " * len(gutter)
        out.print(Text.assemble(beside, line))


def _summary(findings: Sequence[Finding]) -> str:
    told = [f"{count} {name}" for name, count in counts(findings).items() if count]
    return f"\n{', '.join(told)}." if told else "No findings."


def _visible(text: str) -> str:
    """Return text so that the terminal does not obey it."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
