"""`copydesk proof`: the record of a draft's review, compared with the article on disk."""

import sys
from pathlib import Path

from copydesk.console import err, format_time, print_json, print_line, printable, table
from pipeline.articles.files import as_output_error
from pipeline.config import desk_settings
from pipeline.domain.review_records import ReviewRecord
from pipeline.services import review
from pipeline.services.proof import Proof, proof_of
from pipeline.storage import Database

WAYS = {"desk": "at the desk", "bulk": "at the desk, several at once", "command": "on the command line"}
LEVELS = {"full": "full: every section was shown", "light": "light: not every section was shown"}


def proof(ref: str, page: Path | None, *, as_json: bool) -> None:
    """Print the record of a draft's review, or write it as a page; exit code 1 if it does not agree."""
    settings = desk_settings()
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        compared = proof_of(db, settings.output, ref)
    if page is not None:
        _write_page(compared, page)
    if as_json:
        print_json(_as_json(compared))
    elif page is None:
        _print(compared)
    else:
        print_line(printable(compared.message))
    if not compared.agrees:
        if as_json:
            err.print(printable(compared.message))
        sys.exit(1)


def _write_page(compared: Proof, page: Path) -> None:
    from desk.responses import fragment  # FastAPI takes a while to import

    answer = fragment("proof_page.html", proof=compared)
    with as_output_error("write to", page):
        page.write_bytes(bytes(answer.body))


def _as_json(compared: Proof) -> dict[str, object]:
    record = compared.record
    return {
        "agrees": compared.agrees,
        "message": compared.message,
        "path": compared.path,
        "published_proof": compared.published or None,
        "proof": compared.value,
        "canonical": record.canonical().decode() if record else compared.stored,
        "record": record.model_dump(mode="json", exclude_none=True) if record else None,
    }


def _print(compared: Proof) -> None:
    print_line(f"[bold]{printable(compared.path)}[/bold]")
    if compared.record:
        _print_record(compared.record)
    else:
        print_line("The stored record cannot be read:")
        print_line(printable(compared.stored))
    print_line(f"\nproof {compared.value}")
    print_line(printable(compared.message))


def _print_record(record: ReviewRecord) -> None:
    decided = "rejected" if record.level is None else "approved"
    print_line(f"{decided} by {printable(record.by)}, {WAYS[record.way]}, {format_time(record.decided_at)}")
    if record.level:
        print_line(LEVELS[record.level])
    if record.opened_at:
        print_line(f"opened {format_time(record.opened_at)}")
    print_line(f"text {record.text_sha256}\nsource {record.source_sha256}\n")
    sections = (
        (each.heading or "title and description", "shown" if each.shown else "not shown", _time(each.at))
        for each in record.sections
    )
    table("Sections", ("section", "shown", "at"), sections)
    findings = (
        (each.end, each.kind, each.message, each.reason or "", each.by or "", _time(each.at))
        for each in record.findings
    )
    if record.findings:
        print_line()
        table("Findings", ("end", "kind", "finding", "reason", "by", "at"), findings)


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else ""
