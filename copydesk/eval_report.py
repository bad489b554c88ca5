"""Prints the scores of `copydesk eval`: a table, the failures, and the changes against another set."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from copydesk.console import out, pluralize, print_line, printable, table
from pipeline.domain.model_calls import Provenance
from pipeline.rewrite.evaluation.scoring import Score
from pipeline.storage import dollars

Pair = tuple[Score, Score | None]
"""A score, and the score of the same item in the other set."""
COLUMNS = ("item", "result", "findings", "words", "of source", "repeated", "tokens", "cost")
"""`of source`: length of overview and sections divided by the source's. `repeated`: share of repeated
sentences / repeated runs of five words."""


def show(scores: Sequence[Score], cases: int) -> None:
    """Print a row for each item and one for the total, then the failures."""
    rows = [(score.item, *_cells(score)) for score in scores]
    _print("Golden set", [*rows, ("all", *_totals(scores))])
    print_line(f"\n{_passed(scores)} of {pluralize(len(scores), 'article')} passed.")
    if cases > len(scores):
        print_line(f"No answer for {pluralize(cases - len(scores), 'item')} of the golden set.")
    for score in scores:
        for line in reasons(score):
            print_line(f"  {printable(score.item)}: {printable(line)}")


def compare(pairs: Sequence[Pair]) -> None:
    """Print the diff of each article that both sets have, then a table of the changes."""
    both = [(score, other) for score, other in pairs if other is not None]
    rows = [(score.item, *_changes(_cells(other), _cells(score))) for score, other in both]
    was, now = _totals([other for _, other in both]), _totals([score for score, _ in both])
    for score, other in both:
        _print_diff(score, other)
    print_line()
    _print("Changes (before → now)", [*rows, ("all", *_changes(was, now))])
    if len(both) < len(pairs):
        print_line(f"{pluralize(len(pairs) - len(both), 'item')} missing in the other set.")
    print_line()


def print_origin(answered: Iterable[Provenance], unknown: Sequence[str]) -> None:
    """Print the models and prompts of the answers, and the answers without an item in the golden set."""
    writers = {f"{by.model} with {by.prompt}" if by.prompt else by.model for by in answered}
    for writer in sorted(writers):
        print_line(f"Answers by: {printable(writer)}.")
    if unknown:
        print_line(f"Not in the golden set: {printable(', '.join(unknown))}.")


def reasons(score: Score) -> list[str]:
    """Return the reasons why an article fails, one line each."""
    lines = [score.trouble] if score.trouble else []
    lines += [f"lacks {expected}" for expected in score.missing]
    lines += [f"has {unwanted}" for unwanted in score.forbidden]
    return lines + ([f"blocked: {', '.join(dict.fromkeys(score.findings))}"] if score.blocked else [])


def as_dict(score: Score, other: Score | None) -> dict[str, Any]:
    """Return a score as a JSON object, with the other score as `before`."""
    result = score.model_dump() | {"passed": score.passed}
    return result if other is None else result | {"before": other.model_dump() | {"passed": other.passed}}


def _print(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows without the columns that are empty in all of them."""
    used = [column for column in range(len(COLUMNS)) if any(row[column] != "-" for row in rows)]
    table(title, [COLUMNS[column] for column in used], [[row[column] for column in used] for row in rows])


def _cells(score: Score) -> list[str]:
    tokens = score.usage.prompt_tokens + score.usage.completion_tokens
    return [
        "good" if score.passed else "wrong",
        _count_severities(score.findings),
        str(score.words),
        f"{score.ratio:.1f}",
        f"{score.repeated:.0%} / {score.runs:.0%}",
        f"{tokens:,}" if tokens else "-",
        "-" if score.micros is None else dollars(score.micros),
    ]


def _totals(scores: Sequence[Score]) -> list[str]:
    tokens = sum(score.usage.prompt_tokens + score.usage.completion_tokens for score in scores)
    micros = [score.micros for score in scores if score.micros is not None]
    repeated, runs = sum(score.repeated for score in scores), sum(score.runs for score in scores)
    count = max(1, len(scores))
    return [
        f"{_passed(scores)}/{len(scores)}",
        _count_severities([finding for score in scores for finding in score.findings]),
        f"{sum(score.words for score in scores):,}",
        f"{sum(score.ratio for score in scores) / count:.1f}",
        f"{repeated / count:.0%} / {runs / count:.0%}",
        f"{tokens:,}" if tokens else "-",
        dollars(sum(micros)) if micros else "-",
    ]


def _count_severities(findings: Sequence[str]) -> str:
    counts = Counter(finding.partition(" ")[0] for finding in findings)
    return ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())) or "0"


def _passed(scores: Sequence[Score]) -> int:
    return sum(score.passed for score in scores)


def _changes(was: Sequence[str], now: Sequence[str]) -> list[str]:
    pairs = zip(was, now, strict=True)
    return [after if before == after else f"{before} → {after}" for before, after in pairs]


def _print_diff(score: Score, other: Score) -> None:
    if score.body == other.body:
        return
    print_line(f"\n[bold]{printable(score.item)}[/bold]")
    lines = difflib.unified_diff(other.body.splitlines(), score.body.splitlines(), n=0, lineterm="")
    for line in _diff_lines(lines):
        out.print(printable(line), style={"+": "green", "-": "red"}.get(line[:1]))


def _diff_lines(lines: Iterable[str]) -> list[str]:
    return [line for line in list(lines)[2:] if not line.startswith("@@") and line[1:].strip()]
