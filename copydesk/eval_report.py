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
    rows = [(one.item, *_figures(one)) for one in scores]
    _print("Golden set", [*rows, ("all", *_sums(scores))])
    print_line(f"\n{_good(scores)} of {pluralize(len(scores), 'article')} as wanted.")
    if cases > len(scores):
        print_line(f"{pluralize(cases - len(scores), 'item')} of the golden set without an answer.")
    for one in scores:
        for line in reasons(one):
            print_line(f"  {printable(one.item)}: {printable(line)}")


def compare(pairs: Sequence[Pair]) -> None:
    """Print what changed: a row for each item that both sets have, and the articles' difference."""
    both = [(one, other) for one, other in pairs if other is not None]
    rows = [(one.item, *_both(_figures(other), _figures(one))) for one, other in both]
    was, now = _sums([other for _, other in both]), _sums([one for one, _ in both])
    for one, other in both:
        _difference(one, other)
    print_line()
    _print("Changed (was → is)", [*rows, ("all", *_both(was, now))])
    if len(both) < len(pairs):
        print_line(f"{pluralize(len(pairs) - len(both), 'item')} not in the other set.")
    print_line()


def origin(answered: Iterable[Provenance], unknown: Sequence[str]) -> None:
    """Print who answered, and which answers are about no item: a mistyped name would go unseen."""
    who = {f"{by.model} with {by.prompt}" if by.prompt else by.model for by in answered}
    for one in sorted(who):
        print_line(f"Answers by: {printable(one)}.")
    if unknown:
        print_line(f"About no item of the golden set: {printable(', '.join(unknown))}.")


def reasons(one: Score) -> list[str]:
    """Return what is amiss with one article, a line each."""
    told = [one.trouble] if one.trouble else []
    told += [f"lacks {wanted}" for wanted in one.missing]
    told += [f"has {unwanted}" for unwanted in one.forbidden]
    return told + ([f"blocked: {', '.join(dict.fromkeys(one.findings))}"] if one.blocked else [])


def as_dict(one: Score, other: Score | None) -> dict[str, Any]:
    """Return a score for machines."""
    mine = one.model_dump() | {"passed": one.passed}
    return mine if other is None else mine | {"before": other.model_dump() | {"passed": other.passed}}


def _print(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows without the columns that say nothing in any of them."""
    told = [place for place in range(len(COLUMNS)) if any(row[place] != "-" for row in rows)]
    table(title, [COLUMNS[place] for place in told], [[row[place] for place in told] for row in rows])


def _figures(one: Score) -> list[str]:
    tokens = one.usage.prompt_tokens + one.usage.completion_tokens
    return [
        "good" if one.passed else "wrong",
        _severities(one.findings),
        str(one.words),
        f"{one.ratio:.1f}",
        f"{one.repeated:.0%} / {one.runs:.0%}",
        f"{tokens:,}" if tokens else "-",
        "-" if one.micros is None else dollars(one.micros),
    ]


def _sums(scores: Sequence[Score]) -> list[str]:
    tokens = sum(one.usage.prompt_tokens + one.usage.completion_tokens for one in scores)
    micros = [one.micros for one in scores if one.micros is not None]
    count = max(1, len(scores))
    return [
        f"{_good(scores)}/{len(scores)}",
        _severities([finding for one in scores for finding in one.findings]),
        f"{sum(one.words for one in scores):,}",
        f"{sum(one.ratio for one in scores) / count:.1f}",
        f"{sum(one.repeated for one in scores) / count:.0%} / {sum(one.runs for one in scores) / count:.0%}",
        f"{tokens:,}" if tokens else "-",
        dollars(sum(micros)) if micros else "-",
    ]


def _severities(findings: Sequence[str]) -> str:
    counts = Counter(finding.partition(" ")[0] for finding in findings)
    return ", ".join(f"{count} {severity}" for severity, count in sorted(counts.items())) or "0"


def _good(scores: Sequence[Score]) -> int:
    return sum(one.passed for one in scores)


def _both(was: Sequence[str], now: Sequence[str]) -> list[str]:
    pairs = zip(was, now, strict=True)
    return [after if before == after else f"{before} → {after}" for before, after in pairs]


def _difference(one: Score, other: Score) -> None:
    if one.body == other.body:
        return
    print_line(f"\n[bold]{printable(one.item)}[/bold]")
    lines = difflib.unified_diff(other.body.splitlines(), one.body.splitlines(), n=0, lineterm="")
    for line in _without_heads(lines):
        out.print(printable(line), style={"+": "green", "-": "red"}.get(line[:1]))


def _without_heads(lines: Iterable[str]) -> list[str]:
    return [line for line in list(lines)[2:] if not line.startswith("@@") and line[1:].strip()]
