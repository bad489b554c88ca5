import time

import pytest

from pipeline.checks.overlap import check_overlap, overlap_stats
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import CheckLevels
from tests.lengths import lengths
from tests.pipeline.checks.articles import ARTICLE, run, summarize

SOURCE = """On a wet morning the ferry crew found that somebody had cut both mooring ropes during the night
and left the boat to drift towards the weir below the old bridge where it stuck. Nobody was hurt.
Members of the Royal Society for the Protection of Harbour Seals, the Friends of Saint Brendan and
the Old Quay Rowing Club took part."""
WORDS = SOURCE.split()
FILLER = " ".join(f"word{number}" for number in range(200))


def check(text: str, limits: CheckLevels | None = None) -> list[tuple[str, str]]:
    findings = check_overlap(TokenizedText(text), TokenizedText(SOURCE), limits or CheckLevels())
    return [
        (finding.severity.value, text[slice(*finding.span)] if finding.span else "") for finding in findings
    ]


@pytest.mark.parametrize(
    ("length", "severities"),
    [(8, []), (12, []), (13, ["warn"]), (19, ["warn"]), (20, ["block"]), (30, ["block"])],
)
def test_copied_words_warn_from_thirteen_and_block_from_twenty(length: int, severities: list[str]) -> None:
    run = " ".join(WORDS[2 : 2 + length])
    findings = check(f"Here. {run} and {FILLER}")
    assert [severity for severity, _ in findings] == severities
    assert all(words == run for _, words in findings)


def test_the_thresholds_are_the_beats() -> None:
    text = f"Here. {' '.join(WORDS[2:12])} and {FILLER}"
    assert [severity for severity, _ in check(text, CheckLevels(overlap_warn_words=10))] == ["warn"]
    assert [
        severity for severity, _ in check(text, CheckLevels(overlap_warn_words=10, overlap_block_words=10))
    ] == ["block"]


def test_evidence_is_the_same_words_in_the_source() -> None:
    [finding] = check_overlap(
        TokenizedText(
            f"So THE ferry  crew found—that somebody had cut “both” mooring ropes during the night {FILLER}"
        ),
        TokenizedText(SOURCE),
        CheckLevels(),
    )
    [place] = finding.evidence
    assert SOURCE[slice(*place)].startswith("the ferry crew")


def test_a_large_share_of_short_runs_blocks_and_they_warn() -> None:
    pieces = [" ".join(WORDS[start : start + 9]) for start in (2, 12, 22)]
    text = " and then, as we heard, ".join(pieces)
    (severity, whole), *rest = check(text)
    assert (severity, whole) == ("block", "")
    assert rest == [("warn", piece) for piece in pieces]
    assert check(f"{text} {FILLER}") == []
    assert check(text, CheckLevels(overlap_block_share=0.9)) == []


def test_a_short_text_is_not_blocked_for_one_run() -> None:
    assert check(" ".join(WORDS[2:11])) == []


@pytest.mark.parametrize("pattern", ['"{}," he said.', "“{}” it was.", "> {}\n"])
def test_quotations_are_no_overlap(pattern: str) -> None:
    copied_words = " ".join(WORDS[2:27])
    assert check(f"Here:\n\n{pattern.format(copied_words)}\n\n{FILLER}") == []


def test_names_and_figures_are_no_overlap() -> None:
    named = SOURCE[SOURCE.index("Royal") : SOURCE.index(" took")]
    assert check(f"There came the {named} {FILLER}") == []


def test_a_links_label_is_no_overlap() -> None:
    linked = " ".join(WORDS[2:27])
    text = f"From {linked}: {FILLER}"
    start = text.index(linked)
    assert (
        check_overlap(
            TokenizedText(text), TokenizedText(SOURCE), CheckLevels(), [(start, start + len(linked))]
        )
        == []
    )


def test_measures_are_of_the_writers_own_words() -> None:
    whole = overlap_stats(TokenizedText(SOURCE), TokenizedText(SOURCE))
    assert (whole.longest, whole.share, whole.density) == (
        len(TokenizedText(SOURCE).words),
        1.0,
        whole.longest,
    )
    none = overlap_stats(TokenizedText("Entirely different."), TokenizedText(SOURCE))
    assert none == (0, 0.0, 0.0)
    quoted = overlap_stats(TokenizedText(f'"{" ".join(WORDS[:30])}" {FILLER}'), TokenizedText(SOURCE))
    assert quoted.longest <= 1


def test_a_sentence_over_a_heading_is_two() -> None:
    body = ARTICLE.replace("Buyers stayed away", "The mill has 240 workers and made 31,000 tonnes last year")
    body = body.replace("Maren Tolle told", "It is going to ask the region for help. Maren Tolle told")
    assert not [finding for finding in summarize(body, *run(body)) if finding[:2] == ("overlap", "block")]


@pytest.mark.parametrize("length", lengths(100_000))
@pytest.mark.parametrize("words", ["same ", "a b a c ", '"a b" ', "A b "])
def test_time_is_linear_in_the_text(words: str, length: int) -> None:
    text = words * (length // len(words.split()))
    begun = time.process_time()
    check_overlap(TokenizedText(text), TokenizedText(text), CheckLevels())
    overlap_stats(TokenizedText(text), TokenizedText(text))
    assert time.process_time() - begun < 10
