"""How scores are shown: a table, what is amiss, and what changed against another set of answers."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from copydesk.console import out, pluralize, print_line, printable, table
from pipeline.domain.models import Provenance
from pipeline.rewrite.evaluation.scoring import Score
from pipeline.storage import dollars

Pair = tuple[Score, Score | None]
"""A score, and the same item's in the other set."""
COLUMNS = ("item", "result", "findings", "words", "of source", "repeated", "tokens", "cost")
"""`of source`: overview and sections against the source. `repeated`: sentences / runs of five words."""


def show(scores: Sequence[Score], cases: int) -> None:
    """Print a row for each item and one for all, then what is amiss."""
    rows = [(one.item, *_cells(one)) for one in scores]
    _print("Golden set", [*rows, ("all", *_totals(scores))])
    print_line(f"\n{_passed(scores)} of {pluralize(len(scores), 'article')} as wanted.")
    if cases > len(scores):
        print_line(f"{pluralize(cases - len(scores), 'item')} of the golden set without an answer.")
    for score in scores:
        for line in reasons(score):
            print_line(f"  {printable(score.item)}: {printable(line)}")


def compare(pairs: Sequence[Pair]) -> None:
    """Print what changed: a row for each item that both sets have, and the articles' difference."""
    both = [(one, other) for one, other in pairs if other is not None]
    rows = [(one.item, *_changes(_cells(other), _cells(one))) for one, other in both]
    was, now = _totals([other for _, other in both]), _totals([one for one, _ in both])
    for score, other in both:
        _print_diff(score, other)
    print_line()
    _print("Changed (was → is)", [*rows, ("all", *_changes(was, now))])
    if len(both) < len(pairs):
        print_line(f"{pluralize(len(pairs) - len(both), 'item')} not in the other set.")
    print_line()


def origin(answered: Iterable[Provenance], unknown: Sequence[str]) -> None:
    """Print who answered, and which answers are about no item: a mistyped name would go unseen."""
    who = {f"{by.model} with {by.prompt}" if by.prompt else by.model for by in answered}
    for source in sorted(who):
        print_line(f"Answers by: {printable(source)}.")
    if unknown:
        print_line(f"About no item of the golden set: {printable(', '.join(unknown))}.")


def reasons(score: Score) -> list[str]:
    """Return what is amiss with one article, a line each."""
    lines = [score.trouble] if score.trouble else []
    lines += [f"lacks {expected}" for expected in score.missing]
    lines += [f"has {unwanted}" for unwanted in score.forbidden]
    return lines + ([f"blocked: {', '.join(dict.fromkeys(score.findings))}"] if score.blocked else [])


def as_dict(score: Score, other: Score | None) -> dict[str, Any]:
    """Return a score for machines."""
    mine = score.model_dump() | {"passed": score.passed}
    return mine if other is None else mine | {"before": other.model_dump() | {"passed": other.passed}}


def _print(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows without the columns that say nothing in any of them."""
    columns = [place for place in range(len(COLUMNS)) if any(row[place] != "-" for row in rows)]
    table(title, [COLUMNS[place] for place in columns], [[row[place] for place in columns] for row in rows])


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
    tokens = sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in scores)
    micros = [score.micros for score in scores if score.micros is not None]
    count = max(1, len(scores))
    return [
        f"{_passed(scores)}/{len(scores)}",
        _count_severities([finding for one in scores for finding in one.findings]),
        f"{sum(one.words for one in scores):,}",
        f"{sum(one.ratio for one in scores) / count:.1f}",
        f"{sum(one.repeated for one in scores) / count:.0%} / {sum(one.runs for one in scores) / count:.0%}",
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
