"""`copydesk check --pairs`: checks each line of a JSON Lines file, a source and a text about it."""

import json
import sys
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

from copydesk.check import beat_of_text, finding_dict, publication_time, read_file
from pipeline.checks.claims import check_text
from pipeline.checks.runner import run_checks
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, Item, Source
from pipeline.domain.reviews import Finding, Severity


def check_pairs(path: str, language: str | None) -> None:
    """Print one JSON object for each pair: what its output has that its source does not support."""
    for row in _rows(path):
        begun = perf_counter()
        findings = _pair_findings(row, language or row.get("language") or "en")
        took = 1000 * (perf_counter() - begun)
        results = [finding_dict(finding, row["output"], row["source"]) for finding in findings]
        notes = [result for result in results if result["severity"] == Severity.NOTE]
        claims = [result for result in results if result["severity"] != Severity.NOTE]
        flags = [{key: result[key] for key in _FLAG_FIELDS} for result in claims]
        line = {"id": row["id"], "flags": flags, "notes": notes, "ms": round(took, 3)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def _pair_findings(row: dict[str, Any], language: str) -> Sequence[Finding]:
    """Return the findings about a pair: a plain text, or with `headings` or `title` an article's body."""
    if "headings" not in row and "title" not in row:
        return check_text(row["source"], row["output"], language=language)
    labels = row.get("labels") or ()
    item = Item(
        guid=str(row["id"]),
        link=None,
        canonical=None,
        title=str(row.get("title") or ""),
        text=row["source"],
        author=row.get("author") or None,
        published_at=publication_time(row.get("published")),
        categories=(labels,) if isinstance(labels, str) else tuple(map(str, labels)),
    )
    name = str(row.get("feed") or "")
    source = Source(
        item=item, feed_key="pairs", feed_name=name, first_key="pairs", category="", language=language
    )
    return run_checks(source, row["output"], _pair_beat(row), front=None)


def _pair_beat(row: dict[str, Any]) -> Beat:
    """Return a beat with the headings of a pair; without them, the one that its text looks like."""
    headings, plain = row.get("headings"), Beat(key="pairs")
    if not isinstance(headings, dict):
        return beat_of_text(row["output"])
    impact, _, market = str(headings.get("impact") or "").partition(" ")
    fixed = {name: str(headings[name]) for name in ("overview", "from_author") if headings.get(name)}
    fixed |= {"impact": impact, "market": market} if impact else {}
    return plain.model_copy(update=fixed)


_FLAG_FIELDS = ("start", "end", "text", "kind", "severity")


def _rows(path: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON Lines file of pairs. Raises ConfigError with the number of an invalid line."""
    for number, line in enumerate(read_file(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            message = f"{path}:{number}: not valid JSON ({error}); write one object on each line"
            raise ConfigError(message) from error
        types = {"id": (str, int), "source": str, "output": str}
        for key, kind in types.items():
            if not isinstance(row, dict) or not isinstance(row.get(key), kind):  # type: ignore[arg-type]
                raise ConfigError(f'{path}:{number}: "{key}" is missing; write {{"id", "source", "output"}}')
        yield row
