import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.overlap import SharedRun, shared_runs

WORDS = st.lists(st.sampled_from("abc"), max_size=40)


def brute_force(draft: list[str], source: list[str], min_words: int) -> list[SharedRun]:
    """Return the longest run at each position, without those within another one."""
    runs: list[SharedRun] = []
    for start in range(len(draft)):
        best = SharedRun(start, 0, 0)
        for at in range(len(source)):
            length = 0
            while (
                start + length < len(draft)
                and at + length < len(source)
                and draft[start + length] == source[at + length]
            ):
                length += 1
            if length > best.length:
                best = SharedRun(start, at, length)
        inside = runs and best.start + best.length <= runs[-1].start + runs[-1].length
        if best.length >= min_words and not inside:
            runs.append(best)
    return runs


@given(WORDS, WORDS, st.integers(1, 9))
def test_runs_equal_those_of_a_brute_force_search(
    draft: list[str], source: list[str], min_words: int
) -> None:
    assert shared_runs(draft, source, min_words) == brute_force(draft, source, min_words)


@given(st.lists(st.sampled_from("ab"), max_size=60), st.integers(1, 5))
def test_a_text_is_one_run_of_itself(words: list[str], min_words: int) -> None:
    assert shared_runs(words, words, min_words) == (
        [SharedRun(0, 0, len(words))] if len(words) >= min_words else []
    )


def test_runs_may_overlap_and_never_cross_what_the_source_does_not_have() -> None:
    source = list("abcd.bcdef")
    assert shared_runs(list("abcdef"), source, 3) == [SharedRun(0, 0, 4), SharedRun(1, 5, 5)]
    assert shared_runs(list("abcxdef"), source, 3) == [SharedRun(0, 0, 3), SharedRun(4, 7, 3)]


def test_a_run_has_a_word() -> None:
    with pytest.raises(ValueError, match="one word"):
        shared_runs(["a"], ["a"], 0)


@pytest.mark.parametrize("period", [1, 2, 7, 1000])
def test_repetitive_texts_take_linear_time(period: int) -> None:
    source = [f"w{number % period}" for number in range(100_000)]
    draft = [f"w{(number * 3) % (period + 1)}" for number in range(50_000)] + source[:50_000]
    begun = time.process_time()
    runs = shared_runs(draft, source, 8)
    assert max(run.length for run in runs) >= 50_000
    assert time.process_time() - begun < 10
