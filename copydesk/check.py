"""A checked text on the terminal: its findings marked where they stand, then listed with their lines.

`copydesk check`: what the checks say about a draft, any Markdown file, or pairs of texts.
"""

import json
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from rich.text import Text

from copydesk.console import out, print_json
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.front_matter import decode, loads
from pipeline.checks.claims import check_text
from pipeline.checks.document import DraftDocument
from pipeline.checks.overlap import copied
from pipeline.checks.runner import run_checks
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.errors import ConfigError, OutputError, ReviewError
from pipeline.domain.models import LINES, Beat, Finding, Front, Item, Severity, Source

_STYLES = {Severity.BLOCK: "bold red", Severity.WARN: "bold yellow", Severity.NOTE: "cyan"}
_BY_SEVERITY = (Severity.NOTE, Severity.WARN, Severity.BLOCK)
_MAX_EVIDENCE_CHARS = 200
_GUTTER = 5


def show(body: str, first_line: int, findings: Sequence[Finding], source: str, front: Front | None) -> None:
    """Print a text with its findings marked `[1: like this]`, and what each of them says.

    `first_line` is the number in its file of the text's first line. Title and description stand above it
    where something is marked in them.
    """
    numbered = list(enumerate(findings, 1))
    for field in LINES if front else ():
        about = [pair for pair in numbered if pair[1].field == field and pair[1].span]
        if front and about:
            line = Text(f"{field}: ").append_text(_mark(front.text(field), about))
            _print_wrapped(" " * _GUTTER, "", line)
    marked = _mark(body, [one for one in numbered if one[1].body_span])
    marked.rstrip()
    for number, line in enumerate(marked.split("\n", allow_blank=True), first_line):
        _print_wrapped(f"{number:>{_GUTTER - 1}} ", "dim", line)
    out.print()
    for number, finding in numbered:
        _print_finding(number, finding, body, first_line, source)
    out.print(_summary(findings))


def line_of(body: str, finding: Finding, first_line: int) -> int | None:
    """Return the line of its file in which a finding of the body begins; None for any other."""
    return None if finding.body_span is None else first_line + body.count("\n", 0, finding.body_span[0])


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings there are of each severity."""
    by_severity = Counter(finding.severity for finding in findings)
    return {severity.value: by_severity[severity] for severity in Severity}


Numbered = Sequence[tuple[int, Finding]]


def _mark(text: str, findings: Numbered) -> Text:
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
        text.append(_visible(text[done:at])).append(sign)
        done = at
    text.append(_visible(text[done:]))
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
    line_text = Text().append(f"{finding.severity.value}: ", _STYLES[finding.severity])
    line_text.append(f"{where}{finding.kind}: {_visible(finding.message)}")
    _print_wrapped(f"{number:>{_GUTTER - 2}}. ", "bold", line_text)
    for start, end in finding.evidence[:3]:
        shown = " ".join(source[start:end].split())
        if shown in finding.message:
            continue
        cut = shown if len(shown) <= _MAX_EVIDENCE_CHARS else shown[: _MAX_EVIDENCE_CHARS - 1] + "…"
        _print_wrapped(" " * _GUTTER, "", Text(f"source: {_visible(cut)}", "dim"))


def _print_wrapped(gutter: str, style: str, text: Text) -> None:
    """Print text beside a gutter: wrapped on a terminal, one line elsewhere."""
    lines = text.wrap(out, max(20, out.width - len(gutter))) if out.is_terminal else [text]
    for number, line in enumerate(lines or [text]):
        line.rstrip()
        beside = (gutter, style) if number == 0 else " " * len(gutter)
        out.print(Text.assemble(beside, line))


def _summary(findings: Sequence[Finding]) -> str:
    parts = [f"{count} {name}" for name, count in counts(findings).items() if count]
    return f"\n{', '.join(parts)}." if parts else "No findings."


def _visible(text: str) -> str:
    """Return text so that the terminal does not obey it."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)


class CheckedText(NamedTuple):
    """A text, what it was written from, and what is found about it."""

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
    """Check one draft or file, or each line of a file of pairs; exit code 1 where something blocks."""
    if pairs is not None:
        if draft or source or as_json:
            raise ConfigError("--pairs FILE stands alone: it has its sources in it, and prints JSON")
        _check_pairs(pairs, language or "en")
        return
    if draft is None:
        raise ConfigError("name a draft, or a Markdown file and its --source; or --pairs FILE.jsonl")
    checked = _check_file(draft, source, language) if source is not None else _check_draft(draft, language)
    if as_json:
        print_json(_as_dict(checked))
    else:
        show(checked.body, checked.first_line, checked.findings, checked.source.item.text, checked.front)
    if any(finding.severity is Severity.BLOCK for finding in checked.findings):
        sys.exit(1)


def _check_file(draft: str, source: str, language: str | None) -> CheckedText:
    """Check a Markdown file against a plain text; an article's headings are asked for where it has any."""
    text = _read(draft)
    metadata, body = _split(text, draft)
    beat = _beat(body)
    written_from = _source(_read(source), metadata, language)
    page = DraftDocument(body, beat)
    is_article = any(section.heading.casefold() in map(str.casefold, page.fixed) for section in page.sections)
    front = front_of(metadata, body, beat) if metadata else None
    findings = run_checks(written_from, body, beat, front=front, sections=is_article)
    return CheckedText(draft, body, _first_line(text, body), written_from, beat, findings, front)


def _check_draft(ref: str, language: str | None) -> CheckedText:
    """Check a draft of the ledger against its own source; the text on disk counts."""
    from pipeline.articles.files import read_bytes
    from pipeline.config import load_feeds, load_settings
    from pipeline.services.draft_file import (
        beat_of,
        decode_text,
        draft_front,
        draft_source,
        drop_editor_links,
    )
    from pipeline.storage import Database

    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        try:
            row = db.drafts.get(ref)
        except ReviewError as error:
            message = f"{error.message}; of any other file tell its --source as well"
            raise ConfigError(message, draft=ref) from error
    data = read_bytes(settings.output, row.path)
    text = row.version_text if data is None else decode_text(row.path, data)
    metadata, body = loads(text, row.path)
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    if language:
        source = source.model_copy(update={"language": language})
    front = draft_front(row, metadata, body, beat)
    findings = drop_editor_links(row, body, run_checks(source, body, beat, front=front), front)
    return CheckedText(row.path, body, _first_line(text, body), source, beat, findings, front)


def _read(path: str) -> str:
    try:
        return decode(Path(path).read_bytes(), path).removeprefix("\ufeff")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name a text file", file=path) from error
    except OutputError as error:
        raise ConfigError(error.message, file=path) from error


def _split(text: str, path: str) -> tuple[dict[str, Any], str]:
    """Return front matter and body; a file without front matter is all body."""
    if not text.startswith("---"):
        return {}, text
    try:
        return loads(text, path)
    except OutputError as error:
        raise ConfigError(error.message, file=path) from error


def _beat(body: str) -> Beat:
    """Return the beat that a text's own heading tells of; any other where it has none."""
    plain = Beat(key="file")
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
        published_at=_publication_time(metadata.get("publishedAt")),
    )
    name, code = str(origin.get("name") or ""), language or str(metadata.get("lang") or "en")
    return Source(item=item, feed_key="file", feed_name=name, first_key="file", category="", language=code)


def _publication_time(value: object) -> datetime:
    """Return a file's time of publication; now, where it tells none."""
    try:
        time = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _first_line(text: str, body: str) -> int:
    return text[: len(text) - len(body)].count("\n") + 1 if text.endswith(body) else 1


def _as_dict(checked: CheckedText) -> dict[str, Any]:
    page = DraftDocument(checked.body, checked.beat)
    measured = copied(page.reading, TokenizedText(checked.source.item.text), page.links)
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
            _finding_dict(finding, _checked_field(checked, finding), checked.source.item.text)
            | {
                "field": finding.field,
                "line": line_of(checked.body, finding, checked.first_line),
                "message": finding.message,
                "key": finding.key,
            }
            for finding in checked.findings
        ],
    }


def _checked_field(checked: CheckedText, finding: Finding) -> str:
    """Return what of a file a finding's place lies in."""
    return (checked.front.text(finding.field) if checked.front else "") or checked.body


def _check_pairs(path: str, language: str) -> None:
    """Print what the source of each line does not bear out in its output, a line of JSON each."""
    for row in _rows(path):
        begun = perf_counter()
        findings = check_text(row["source"], row["output"], language=language)
        took = 1000 * (perf_counter() - begun)
        results = [_finding_dict(finding, row["output"], row["source"]) for finding in findings]
        flags = [{key: result[key] for key in _FLAG_FIELDS} for result in results if result["severity"] != Severity.NOTE]
        notes = [one for one in results if one["severity"] == Severity.NOTE]
        line = {"id": row["id"], "flags": flags, "notes": notes, "ms": round(took, 3)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


_FLAG_FIELDS = ("start", "end", "text", "kind", "severity")


def _rows(path: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file of pairs. Raises ConfigError naming the line that is none."""
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: no JSON ({error}); write one object a line") from error
        types = {"id": (str, int), "source": str, "output": str}
        for key, kind in types.items():
            if not isinstance(row, dict) or not isinstance(row.get(key), kind):  # type: ignore[arg-type]
                raise ConfigError(f'{path}:{number}: "{key}" is missing; write {{"id", "source", "output"}}')
        yield row


def _finding_dict(finding: Finding, text: str, source: str) -> dict[str, Any]:
    start, end = finding.span or (0, 0)
    return {
        "start": start,
        "end": end,
        "text": text[start:end],
        "kind": finding.kind,
        "severity": finding.severity.value,
        "evidence": [{"start": start_, "end": two, "text": source[start_:two]} for start_, two in finding.evidence],
    }
