"""Kind `form`: words, names and figures that a draft took from the examples of its prompt. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from pipeline.checks.overlap import SharedRun, shared_runs
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.reviews import Finding, Severity

_MIN_WORDS = 8
"""Shorter runs are common phrases. Chosen, not measured."""
_CERTAIN_WORDS = 13
"""So long a run is no stock phrase ("did not respond to a request for comment"). Chosen, not measured."""
_MIN_DIGITS = 3
"""A figure with fewer is in an example by chance. Chosen, not measured."""
_MAX_FINDINGS = 20
"""For one text. Chosen, not measured."""
_CLAIMS = frozenset(("figure", "name", "date", "quotation"))


def check_examples(draft: TokenizedText, source: TokenizedText, examples: Sequence[str]) -> list[Finding]:
    """Return a finding for each run of words that an example has and the source lacks."""
    source_line = f" {' '.join(source.folded)} "
    runs = (
        run
        for text in _tokenized(tuple(examples))
        for run in shared_runs(draft.folded, text.folded, _MIN_WORDS)
    )
    copied = (run for run in runs if f" {' '.join(_words(draft, run))} " not in source_line)
    return [_finding(draft, run) for run in islice(copied, _MAX_FINDINGS)]


def note_examples(
    findings: Iterable[Finding], draft: TokenizedText, examples: Sequence[str]
) -> Iterator[Finding]:
    """Yield the findings; one about a name or a figure that an example has says so.

    Spans are characters of the draft's text.
    """
    lines = [f" {' '.join(text.folded)} " for text in _tokenized(tuple(examples))]
    for finding in findings:
        if finding.span and finding.kind in _CLAIMS and finding.severity is not Severity.NOTE:
            first, behind = draft.between(*finding.span)
            words = " ".join(draft.folded[first:behind])
            if _is_telling(words) and any(f" {words} " in line for line in lines):
                message = f"{finding.message} An example of the prompt has it."
                finding = finding.model_copy(update={"message": message})
        yield finding


@lru_cache(maxsize=16)
def _tokenized(examples: tuple[str, ...]) -> tuple[TokenizedText, ...]:
    return tuple(map(TokenizedText, examples))


def _words(draft: TokenizedText, run: SharedRun) -> tuple[str, ...]:
    return draft.folded[run.start : run.start + run.length]


def _is_telling(words: str) -> bool:
    digits = sum(char.isdigit() for char in words)
    return digits == 0 or digits >= _MIN_DIGITS


def _finding(draft: TokenizedText, run: SharedRun) -> Finding:
    words = draft.words[run.start : run.start + run.length]
    return Finding(
        kind="form",
        severity=Severity.BLOCK if run.length >= _CERTAIN_WORDS else Severity.WARN,
        message=f"These {run.length} words are copied from an example of the prompt: remove them.",
        span=(words[0].start, words[-1].end),
    )
