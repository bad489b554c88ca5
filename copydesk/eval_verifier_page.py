"""The result of measuring a second reader as rows, as key figures, and as a page of HTML without scripts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from pipeline.storage import dollars
from pipeline.verifier.evaluation.measurement import Measurement
from pipeline.verifier.evaluation.scoring import Count, Scores

_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;margin:.5rem 0 2rem}th,td{text-align:left;"
    "vertical-align:top;padding:.25rem 1rem .25rem 0;border-bottom:1px solid #8886}"
)


def summary(scores: Scores) -> dict[str, float]:
    """Return the key figures, for JSON."""
    return {
        "recall": round(scores.recall, 3),
        "false_objections_a_draft": round(scores.false_per_draft, 3),
        "confirmed_share": round(scores.confirmed_share, 3),
    }


def rows_of(counts: Mapping[str, Count], total: Count | None = None) -> list[tuple[str, str, str]]:
    """Return rows of name, found and recall, with the total as the last one."""
    named = [*counts.items(), *([("all", total)] if total else [])]
    return [
        (
            name,
            f"{count.detected}/{count.planted}",
            f"{count.detected / count.planted:.0%}" if count.planted else "-",
        )
        for name, count in named
    ]


def lines(measurement: Measurement) -> Iterator[tuple[str, str]]:
    """Yield everything that is one figure or one sentence, as name and value."""
    scores, usage = measurement.scores, measurement.usage
    yield "Model", f"{measurement.model} (profile {measurement.profile}) with {measurement.prompt}"
    yield "Measured", f"{measurement.measured_at:%Y-%m-%d %H:%MZ}, labelled set {measurement.labelled_set}"
    yield (
        "False objections a draft",
        f"{scores.false_per_draft:.2f} ({scores.false_objections} about {scores.drafts} faultless drafts)",
    )
    yield "Confirmed", f"{scores.confirmed_share:.0%} of {scores.objections} objections"
    for name, counts in (
        ("Dropped", scores.dropped),
        ("Fixes dropped", scores.dropped_fixes),
        ("Drafts without a result", scores.left_out),
    ):
        if counts:
            reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items())
            yield name, reasons
    cost = "price unknown" if measurement.micros is None else dollars(measurement.micros)
    yield "Cost", f"{cost}; {usage.prompt_tokens:,} tokens in, {usage.completion_tokens:,} out"
    yield "Seconds", f"{scores.call_seconds:.1f} for an answer (median), {measurement.seconds:.0f} in all"


def measurement_page(measurement: Measurement) -> str:
    """Return a page with everything that was measured, missed, and objected to falsely."""
    scores = measurement.scores
    title = f"Second reader: {measurement.model}, {scores.recall:.0%} found"
    parts = [
        _table("", ("", ""), lines(measurement)),
        _table("Errors found", ("kind", "found", "recall"), rows_of(scores.by_kind, scores.total)),
        _table("By language", ("language", "found", "recall"), rows_of(scores.by_language)),
        _table(
            "Missed errors",
            ("draft", "kind", "the draft says", "instead of"),
            ((each.draft, each.kind, each.wrong, each.right) for each in scores.missed),
        ),
        _table(
            "False objections",
            ("draft", "to these words", "what the editor would read"),
            ((each.draft, each.words, each.message) for each in scores.false),
        ),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>\n{''.join(parts)}</html>"
    )


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a headed table; nothing where there are no rows."""
    cells = ["".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows]
    if not cells:
        return ""
    heading = f"<h2>{escape(title)}</h2>\n" if title else ""
    header = "".join(f"<th>{escape(column)}</th>" for column in columns) if any(columns) else ""
    body = "".join(f"<tr>{row}</tr>\n" for row in cells)
    return f"{heading}<table>\n{f'<tr>{header}</tr>' if header else ''}{body}</table>\n"
