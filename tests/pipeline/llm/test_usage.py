"""Token usage of every dialect is read as it is meant; a missing count is booked at its upper bound."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.model_calls import TokenUsage
from pipeline.llm.usage import UpperBound, read_usage, settle

BOUND = UpperBound(2000, 4096)


def booked(usage: Any, text: str = "An article.") -> tuple[tuple[int, int, int, int], bool]:
    """Return prompt, cached, completion and reasoning tokens, and whether they are estimated."""
    settled, estimated = settle(*read_usage({"usage": usage}), BOUND, text)
    counts = (settled.prompt_tokens, settled.cached_tokens, settled.completion_tokens)
    return (*counts, settled.reasoning_tokens), estimated


OPENAI = {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (OPENAI, (1000, 0, 300, 0)),
        (OPENAI | {"prompt_tokens_details": {"cached_tokens": 800}}, (1000, 800, 300, 0)),
        (OPENAI | {"completion_tokens_details": {"reasoning_tokens": 200}}, (1000, 0, 300, 200)),
        (OPENAI | {"prompt_cache_hit_tokens": 900, "prompt_cache_miss_tokens": 100}, (1000, 900, 300, 0)),
        (OPENAI | {"cache_read_input_tokens": 700}, (1000, 700, 300, 0)),
        (OPENAI | {"cached_content_token_count": 600}, (1000, 600, 300, 0)),
        (OPENAI | {"num_cached_tokens": 500}, (1000, 500, 300, 0)),
        (OPENAI | {"prompt_tokens_details": {"cached_tokens": 5000}}, (1000, 1000, 300, 0)),
        ({"prompt_tokens": 1000.0, "completion_tokens": 299.2}, (1000, 0, 300, 0)),
        ({"prompt_tokens": "1000", "completion_tokens": " 300 "}, (1000, 0, 300, 0)),
        ({"input_tokens": 1000, "output_tokens": 300}, (1000, 0, 300, 0)),
        ({"input_tokens": 100, "cache_read_input_tokens": 900, "output_tokens": 300}, (1000, 900, 300, 0)),
        (
            {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 900}, "output_tokens": 300},
            (1000, 900, 300, 0),
        ),
        ({"promptTokenCount": 1000, "candidatesTokenCount": 300, "totalTokenCount": 1300}, (1000, 0, 300, 0)),
    ],
)
def test_every_dialect_is_read(usage: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert booked(usage) == (expected, False)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, (2000, 0, 4096, 0)),
        ([], (2000, 0, 4096, 0)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, (2000, 0, 4096, 0)),
        ({"prompt_tokens": "many", "completion_tokens": -1}, (2000, 0, 4096, 0)),
        ({"prompt_tokens": True, "completion_tokens": float("nan")}, (2000, 0, 4096, 0)),
        ({"prompt_tokens": 1000}, (1000, 0, 4096, 0)),
        ({"prompt_tokens": 1000, "total_tokens": 1300}, (1000, 0, 300, 0)),
        ({"completion_tokens": 300}, (2000, 0, 300, 0)),
        ({"completion_tokens": 300, "total_tokens": 5000}, (2000, 0, 3000, 0)),
        # Reasoning beside the completion: in the total, or only in the details.
        (
            OPENAI | {"total_tokens": 4300, "completion_tokens_details": {"reasoning_tokens": 3000}},
            (1000, 0, 3300, 3000),
        ),
        (
            {
                "prompt_tokens": 1000,
                "completion_tokens": 300,
                "completion_tokens_details": {"reasoning_tokens": 3000},
            },
            (1000, 0, 3300, 3000),
        ),
        ({"promptTokenCount": 21, "thoughtsTokenCount": 60, "totalTokenCount": 81}, (21, 0, 60, 60)),
        # No total tells whether the reasoning is a part of the completion.
        (
            {
                "prompt_tokens": 1000,
                "completion_tokens": 300,
                "completion_tokens_details": {"reasoning_tokens": 200},
            },
            (1000, 0, 500, 200),
        ),
        # Writing to a cache costs a quarter more.
        (OPENAI | {"cache_creation_input_tokens": 100}, (1025, 0, 300, 0)),
        (OPENAI | {"total_tokens": 1900, "cache_creation_input_tokens": 100}, (1025, 0, 900, 0)),
        (OPENAI | {"prompt_tokens_details": {"cache_write_tokens": 400}}, (1100, 0, 300, 0)),
        ({"input_tokens": 900, "cache_creation_input_tokens": 100, "output_tokens": 300}, (1025, 0, 300, 0)),
    ],
)
def test_what_is_not_told_is_the_most_it_can_be(usage: Any, expected: tuple[int, ...]) -> None:
    assert booked(usage) == (expected, True)


def test_a_text_over_the_limit_that_was_asked_for_counts_as_long_as_it_is() -> None:
    (_, _, completion, _), estimated = booked(None, "word " * 10_000)
    assert (completion, estimated) == (20_000, True)


def test_an_answer_without_text_may_cost_nothing() -> None:
    assert booked({"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}, "") == (
        (9, 0, 0, 0),
        False,
    )


def test_objects_of_the_sdk_are_read_as_well() -> None:
    details = SimpleNamespace(cached_tokens=4)
    usage = SimpleNamespace(prompt_tokens=11, completion_tokens=7, prompt_tokens_details=details)
    found, _ = read_usage(SimpleNamespace(usage=usage))
    assert found == TokenUsage(prompt_tokens=11, cached_tokens=4, completion_tokens=7)


COUNT = st.one_of(st.none(), st.integers(-5, 10**6), st.floats(), st.text(max_size=5), st.booleans())
NAMES = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "input_tokens",
    ]
)


@given(st.dictionaries(NAMES, COUNT), st.text(max_size=50))
def test_no_usage_fails_and_none_is_too_low(usage: dict[str, Any], text: str) -> None:
    (prompt, cached, completion, reasoning), _ = booked(usage, text)
    assert prompt > 0
    assert cached <= prompt
    assert completion >= reasoning
    assert completion > 0 or not text
