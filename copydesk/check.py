"""`copydesk check`: checks a draft, a Markdown file or pairs of texts, and prints the findings."""

import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from rich.text import Text

from copydesk.console import out, print_json
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.front_matter import decode, loads
from pipeline.checks.document import DraftDocument
from pipeline.checks.overlap import overlap_stats
from pipeline.checks.runner import run_checks
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import LINES, Finding, Front, Place, Severity

_STYLES = {Severity.BLOCK: "bold red", Severity.WARN: "bold yellow", Severity.NOTE: "cyan"}
_BY_SEVERITY = (Severity.NOTE, Severity.WARN, Severity.BLOCK)
_MAX_EVIDENCE_CHARS = 200
_GUTTER = 5
BLOCKED = 10
"""Exit code where a finding blocks the text."""


def show(body: str, first_line: int, findings: Sequence[Finding], source: str, front: Front | None) -> None:
    """Print a text with its findings marked `[1: like this]`, then the findings with their lines.

    `first_line`: line number of the text's first line in its file. Title and description are printed above
    the text if they have findings.
    """
    numbered = list(enumerate(findings, 1))
    for field in LINES if front else ():
        about = _placed(numbered, field)
        if front and about:
            line = Text(f"{field}: ").append_text(_mark(front.text(field), about))
            _print_wrapped(" " * _GUTTER, "", line)
    marked = _mark(body, _placed(numbered, "body"))
    marked.rstrip()
    for number, line in enumerate(marked.split("\n", allow_blank=True), first_line):
        _print_wrapped(f"{number:>{_GUTTER - 1}} ", "dim", line)
    out.print()
    for number, finding in numbered:
        _print_finding(number, finding, body, first_line, source)
    out.print(_summary(findings))


def line_of(body: str, finding: Finding, first_line: int) -> int | None:
    """Return the line number in the file where a finding of the body starts; None for other findings."""
    return None if finding.body_span is None else first_line + body.count("\n", 0, finding.body_span[0])


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return the number of findings by severity."""
    by_severity = Counter(finding.severity for finding in findings)
    return {severity.value: by_severity[severity] for severity in Severity}


Numbered = Sequence[tuple[int, Finding]]


def _placed(findings: Numbered, field: Place) -> Numbered:
    """Return the findings about a field, each with its span there."""
    return [
        (number, finding.model_copy(update={"span": span}))
        for number, finding in findings
        for span in finding.spans_in(field)
    ]


def _mark(plain: str, findings: Numbered) -> Text:
    """Return a text with numbered brackets and a colour for each finding."""
    signs: list[tuple[int, int, str]] = []
    for number, finding in findings:
        if finding.span:
            start, end = finding.span
            # At one position closing signs come first, in the reverse order of opening.
            signs += ((start, number, f"[{number}: "), (end, -number, "]"))
    signs.sort(key=lambda sign: (sign[0], sign[1]))
    text, done = Text(), 0
    moved = list(accumulate((len(sign) for _, _, sign in signs), initial=0))
    for at, _, sign in signs:
        text.append(_visible(plain[done:at])).append(sign)
        done = at
    text.append(_visible(plain[done:]))
    _colour(text, findings, [at for at, _, _ in signs], moved)
    return text


def _colour(text: Text, findings: Numbered, places: list[int], moved: list[int]) -> None:
    for severity in _BY_SEVERITY:
        for _, finding in findings:
            if finding.span and finding.severity is severity:
                start, end = finding.span
                behind = end + moved[bisect_right(places, end - 1)] + 1
                text.stylize(_STYLES[severity], start + moved[bisect_right(places, start - 1)], behind)


def _print_finding(number: int, finding: Finding, body: str, first_line: int, source: str) -> None:
    line = line_of(body, finding, first_line)
    where = f"{finding.field}, " if finding.field in LINES else f"line {line}, " if line is not None else ""
    where = "".join(f"{field}, " for field in dict.fromkeys(place for place, _ in finding.also)) + where
    line_text = Text().append(f"{finding.severity.value}: ", _STYLES[finding.severity])
    line_text.append(f"{where}{finding.kind}: {_visible(finding.message)}")
    _print_wrapped(f"{number:>{_GUTTER - 2}}. ", "bold", line_text)
    if finding.suggestion and finding.suggestion not in finding.message:
        _print_wrapped(" " * _GUTTER, "", Text(f"in the source: {_visible(finding.suggestion)}", "dim"))
    for start, end in finding.evidence[:3]:
        shown = " ".join(source[start:end].split())
        if shown in finding.message:
            continue
        cut = shown if len(shown) <= _MAX_EVIDENCE_CHARS else shown[: _MAX_EVIDENCE_CHARS - 1] + "…"
        _print_wrapped(" " * _GUTTER, "", Text(f"source: {_visible(cut)}", "dim"))


def _print_wrapped(gutter: str, style: str, text: Text) -> None:
    """Print text after a gutter: wrapped on a terminal, one line elsewhere."""
    lines = text.wrap(out, max(20, out.width - len(gutter))) if out.is_terminal else [text]
    for number, line in enumerate(lines or [text]):
        line.rstrip()
        beside = (gutter, style) if number == 0 else " " * len(gutter)
        out.print(Text.assemble(beside, line))


def _summary(findings: Sequence[Finding]) -> str:
    parts = [f"{count} {name}" for name, count in counts(findings).items() if count]
    return f"\nFindings: {', '.join(parts)}." if parts else "No findings."


def _visible(text: str) -> str:
    """Return text without control characters."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


class CheckedText(NamedTuple):
    """A text with its source and its findings."""

    name: str
    body: str
    first_line: int
    source: Source
    beat: Beat
    findings: tuple[Finding, ...]
    front: Front | None


def check(
    draft: str | None, source: str | None, pairs: str | None, language: str | None, *, as_json: bool
) -> None:
    """Check a draft, a file, or each line of a file of pairs; exit code 10 for a blocking finding."""
    if pairs is not None:
        if draft or source or as_json:
            raise ConfigError(
                "use --pairs FILE without a draft, --source and --json: the file contains the sources, "
                "and the output is always JSON"
            )
        from copydesk.check_pairs import check_pairs

        check_pairs(pairs, language)
        return
    if draft is None:
        raise ConfigError("name a draft, a Markdown file with its --source, or --pairs FILE.jsonl")
    checked = _check_file(draft, source, language) if source is not None else _check_draft(draft, language)
    if as_json:
        print_json(_as_dict(checked))
    else:
        show(checked.body, checked.first_line, checked.findings, checked.source.item.text, checked.front)
    if any(finding.severity is Severity.BLOCK for finding in checked.findings):
        sys.exit(BLOCKED)


def _check_file(draft: str, source: str, language: str | None) -> CheckedText:
    """Check a Markdown file against a plain text; required sections only if it has one of an article's."""
    text = read_file(draft)
    metadata, body = _split(text, draft)
    beat = beat_of_text(body)
    basis = _source(read_file(source), metadata, language)
    page = DraftDocument(body, beat)
    is_article = any(
        section.heading.casefold() in map(str.casefold, page.beat.headings) for section in page.sections
    )
    front = front_of(metadata, body, beat) if metadata else None
    findings = run_checks(basis, body, beat, front=front, sections=is_article)
    return CheckedText(draft, body, _first_line(text, body), basis, beat, findings, front)


def _check_draft(ref: str, language: str | None) -> CheckedText:
    """Check a draft of the database against its own source, with its text on disk."""
    from pipeline.articles.files import read_bytes
    from pipeline.config import load_settings
    from pipeline.services.draft_file import (
        beat_of,
        decode_text,
        draft_front,
        draft_source,
        join_stored,
    )
    from pipeline.services.subscriptions import load_subscriptions
    from pipeline.storage import Database

    settings = load_settings()
    subscriptions = load_subscriptions(settings)
    with Database.open(settings.database_url) as db:
        try:
            row = db.drafts.get(ref)
        except ReviewError as error:
            message = f"{error.message}; for a file that is no draft, add --source"
            raise ConfigError(message, draft=ref) from error
    data = read_bytes(settings.output, row.path)
    text = row.version_text if data is None else decode_text(row.path, data)
    metadata, body = loads(text, row.path)
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    if language:
        source = source.model_copy(update={"language": language})
    front = draft_front(row, metadata, body, beat)
    findings = join_stored(row, source, beat, body, run_checks(source, body, beat, front=front), front)
    return CheckedText(row.path, body, _first_line(text, body), source, beat, findings, front)


def read_file(path: str) -> str:
    """Return the text of a file. Raises ConfigError where it cannot be read."""
    try:
        return decode(Path(path).read_bytes(), path).removeprefix("\ufeff")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a text file", file=path) from error
    except OutputError as error:
        raise ConfigError(error.message, file=path) from error


def _split(text: str, path: str) -> tuple[dict[str, Any], str]:
    """Return front matter and body; a file without front matter is only body."""
    if not text.startswith("---"):
        return {}, text
    try:
        return loads(text, path)
    except OutputError as error:
        raise ConfigError(error.message, file=path) from error


def beat_of_text(body: str) -> Beat:
    """Return a beat with the market that the text's impact heading names, else with the default market.

    Whether its title may be the source's is not known.
    """
    plain = Beat(key="file", titles="source")
    start = f"## {plain.impact} ".casefold()
    line = next((line for line in body.splitlines() if line.casefold().startswith(start)), "")
    return plain.model_copy(update={"market": line[len(start) :].strip() or plain.market})


def _source(text: str, metadata: dict[str, Any], language: str | None) -> Source:
    value = metadata.get("source")
    origin: dict[str, Any] = value if isinstance(value, dict) else {}
    url = str(origin.get("url") or "") or None
    item = Item(
        guid=url or "file",
        link=url,
        canonical=url,
        title=str(origin.get("title") or metadata.get("title") or ""),
        text=text,
        author=str(origin.get("author") or "") or None,
        published_at=publication_time(metadata.get("publishedAt")),
    )
    name, code = str(origin.get("name") or ""), language or str(metadata.get("lang") or "en")
    return Source(item=item, feed_key="file", feed_name=name, first_key="file", category="", language=code)


def publication_time(value: object) -> datetime:
    """Return a file's publication time, aware; the current time if it has none."""
    try:
        time = datetime.fromisoformat(str(value).replace(" UTC", "Z").replace("Z", "+00:00"))
    except ValueError:
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _first_line(text: str, body: str) -> int:
    return text[: len(text) - len(body)].count("\n") + 1 if text.endswith(body) else 1


def _as_dict(checked: CheckedText) -> dict[str, Any]:
    page = DraftDocument(checked.body, checked.beat)
    measured = overlap_stats(page.tokens, TokenizedText(checked.source.item.text), page.links)
    return {
        "file": checked.name,
        "language": checked.source.language,
        "counts": counts(checked.findings),
        "copied": {
            "longest": measured.longest,
            "share": round(measured.share, 3),
            "density": round(measured.density, 2),
        },
        "findings": [
            finding_dict(finding, _checked_field(checked, finding), checked.source.item.text)
            | {
                "field": finding.field,
                "line": line_of(checked.body, finding, checked.first_line),
                "message": finding.message,
                "key": finding.key,
                "suggestion": finding.suggestion,
                "also": [{"field": field, "start": span[0], "end": span[1]} for field, span in finding.also],
            }
            for finding in checked.findings
        ],
    }


def _checked_field(checked: CheckedText, finding: Finding) -> str:
    """Return the field or body that a finding's span refers to."""
    return (checked.front.text(finding.field) if checked.front else "") or checked.body


def finding_dict(finding: Finding, text: str, source: str) -> dict[str, Any]:
    """Return a finding about a text as JSON, with its words and those of its evidence."""
    start, end = finding.span or (0, 0)
    return {
        "start": start,
        "end": end,
        "text": text[start:end],
        "kind": finding.kind,
        "severity": finding.severity.value,
        "evidence": [
            {"start": first, "end": last, "text": source[first:last]} for first, last in finding.evidence
        ],
    }
