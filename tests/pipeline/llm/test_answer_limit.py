import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.answer_limit import MARGIN_TOKENS, AnswerLimit, answer_limit

CONTEXT = "This model's maximum context length is 4096 tokens."


@pytest.mark.parametrize(
    "message",
    [
        f"{CONTEXT} However, you requested 7000 tokens (2000 in the messages, 5000 in the completion).",
        f"{CONTEXT} However you requested 7000 tokens (2000 in your prompt; 5000 for the completion).",
        f"{CONTEXT} You requested about 7000 tokens (2000 of text input, 5000 in the output).",
        f"'max_tokens' is too large: 5000. {CONTEXT} It has 2000 input tokens (5000 > 4096 - 2000).",
        f"{CONTEXT} However, your request has 2000 input tokens plus 5000 'max_tokens'.",
        f"{CONTEXT} You requested 5000 output tokens and your prompt contains at least 2000 input tokens.",
        f"{CONTEXT} You requested a total of 7000 tokens: 2000 tokens from the input messages and others.",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 2000 `inputs` tokens and 5000",
        "input length and `max_tokens` exceed context limit: 2000 + 5000 > 4096, decrease one",
        "input length and `max_tokens` exceed context limit: 2,000 + 5,000 > 4,096",
        "Your request exceeded model token limit: 4096 (requested: 7000)",
        "on tokens per minute (TPM): Limit 4096, Requested 7000, please reduce your message size",
        "total number of tokens (prompt and prediction) cannot exceed 4096 - received 7000.",
    ],
)
def test_the_answer_gets_what_the_prompt_leaves(message: str) -> None:
    assert answer_limit(message, 5000) == AnswerLimit(4096 - 2000 - MARGIN_TOKENS)


def test_a_prompt_of_unknown_length_gets_half_of_the_context() -> None:
    message = f"'max_tokens' is too large: 5000. {CONTEXT}"
    assert answer_limit(message, 5000) == AnswerLimit(2048 - MARGIN_TOKENS)


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens (current value: 5000) must be between 0 and 4000 ",
        "max_tokens is too large: 5000. This model supports at most 4000 completion tokens.",
        "`max_tokens` must be less than or equal to `4000`, which is less than the `context_window`",
        "max_tokens: 5000 > 4000, which is the maximum allowed number of output tokens for acme-1",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 4000]",
        "Range of max_tokens should be [1, 4000]",
        "Invalid 'max_tokens': integer above maximum value. Expected a value <= 4000, but got 5000 instead.",
        "max_completion_tokens cannot exceed 4,000",
        "it has a maxOutputTokens value of 5000 but its range is from 1 (inclusive) to 4001 (exclusive).",
        "max_tokens is too big, the maximum is 4000",
    ],
)
def test_a_model_may_answer_no_more_than_its_limit(message: str) -> None:
    assert answer_limit(message, 5000) == AnswerLimit(4000, of_model=True)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "prompt is too long: 213462 tokens > 200000 maximum",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 509178 tokens.",
        "This model's maximum context length is 4097 tokens. However, your messages resulted in 4294 tokens.",
        "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
        "Please reduce the length of the messages or completion.",
        "temperature must be between 0 and 2",
    ],
)
def test_a_prompt_that_is_too_long_leaves_nothing(message: str) -> None:
    assert answer_limit(message, 5000) is None


def test_a_limit_that_is_no_lower_does_not_help() -> None:
    message = "max_tokens must be between 0 and 4000"
    assert answer_limit(message, 4000) is None
    assert answer_limit(message, None) is None


@given(
    st.text(st.sampled_from("0123456789+>-,. maxtokensinputcontextlengthis[]()"), max_size=200),
    st.integers(1, 10**7),
)
def test_a_limit_is_always_lower(message: str, asked: int) -> None:
    limit = answer_limit(message, asked)
    assert limit is None or 0 < limit.tokens < asked
