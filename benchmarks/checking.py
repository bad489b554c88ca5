"""What checking a draft costs, each check by itself, and how that grows with the draft.

    python benchmarks/checking.py [--words 600] [--rounds 40]

The article and its source are put together from the golden set in evals/. The floor finds the words of both.
Milliseconds, the median of the rounds.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.articles.render import render_body
from pipeline.checks.claims import CLAIM_CHECKS
from pipeline.checks.document import DraftDocument
from pipeline.checks.injection.check import check_injection
from pipeline.checks.opinion import check_opinion
from pipeline.checks.overlap import check_overlap
from pipeline.checks.runner import run_checks
from pipeline.checks.structure import check_artifacts, check_repetition
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.models import Beat, Source
from pipeline.rewrite.article_schema import parse_response
from pipeline.rewrite.evaluation.golden_set import load_cases, load_recorded

EVALS = Path(__file__).parents[1] / "evals"


def pair(words: int) -> tuple[Source, str, Beat]:
    """Return a source of so many words, an article about as long, and its beat."""
    told = load_recorded(EVALS, "hand-written")
    cases = [case for case in load_cases(EVALS) if case.source.language == "en"]
    bodies = [
        render_body(parse_response(told[case.key].text, case.source, case.beat), case.beat) for case in cases
    ]
    facts = "\n".join(body.split("## From author")[0].split("## Overview")[1] for body in bodies)
    texts = "\n\n".join(case.source.item.text for case in cases)
    beat, source = cases[0].beat, cases[0].source
    opinion = bodies[0].partition(f"## {beat.from_author}")
    body = f"## {beat.overview}\n\n{_cut(facts, words - 100)}\n\n{opinion[1]}{opinion[2]}"
    item = source.item.model_copy(update={"text": _cut(texts, words)})
    return source.model_copy(update={"item": item}), body, beat


def _cut(text: str, words: int) -> str:
    pieces = text.split(" ")
    return " ".join((pieces * (words // len(pieces) + 1))[:words])


def median(rounds: int, run: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
    took = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        run()
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took[1:])


def read(page: DraftDocument, source: TokenizedText) -> CheckInput:
    """Return the case with everything read that all checks share."""
    for reading in (page.tokens, source):
        assert reading.folded is not None
        assert reading.sentences is not None
    return CheckInput(page.tokens, source)


def each(words: int, rounds: int) -> None:
    """Print what each check costs."""
    source, body, beat = pair(words)
    text, page = source.item.text, DraftDocument(body, beat)
    case = read(page, TokenizedText(text))
    checks: dict[str, Callable[[], object]] = {
        "floor: words and sentences": lambda: read(DraftDocument(body, beat), TokenizedText(text)),
        **{check.__name__: lambda check=check: list(check(case)) for check in CLAIM_CHECKS},  # type: ignore[misc]
        "check_overlap": lambda: check_overlap(case.draft, case.source, beat.checks, page.links),
        "check_opinion": lambda: check_opinion(page, "en", case.source),
        "check_repetition": lambda: check_repetition(case.draft),
        "check_artifacts": lambda: check_artifacts(page, text, "en"),
        "check_injection": lambda: check_injection(source, DraftDocument(body, beat)),
        "all of run_checks": lambda: run_checks(source, body, beat, front=None),
    }
    print(f"{len(body.split())} words about {len(text.split())}")
    for name, run in checks.items():
        print(f"  {name:28}{median(rounds, run):10.2f} ms")


def main() -> None:
    """Print a table for each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--words", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=40)
    told = parser.parse_args()
    each(told.words, told.rounds)
    print("growth of run_checks")
    for words in (10_000, 20_000, 40_000, 80_000):
        source, body, beat = pair(words)
        begun = time.perf_counter()
        run_checks(source, body, beat, front=None)
        print(f"  {words:>7,} words {time.perf_counter() - begun:10.2f} s")


if __name__ == "__main__":
    main()
