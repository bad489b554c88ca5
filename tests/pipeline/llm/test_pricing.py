from decimal import Decimal

import pytest

from pipeline.config import OPENAI_URL
from pipeline.domain.model_calls import TokenUsage
from pipeline.llm.capabilities import profile_of
from pipeline.llm.pricing import Price, Rates

USED = TokenUsage(prompt_tokens=1_000_000, cached_tokens=400_000, completion_tokens=500_000)


def test_the_operators_price_counts_cached_tokens_apart() -> None:
    price = Price("whatever", "http://127.0.0.1:8000/v1", Rates(Decimal(2), Decimal("0.5"), Decimal(8)))
    assert price.is_known
    assert price.micros(USED) == 1_200_000 + 200_000 + 4_000_000


def test_a_fraction_of_a_millionth_is_one() -> None:
    price = Price("m", "http://127.0.0.1:8000/v1", Rates(Decimal("0.1"), Decimal("0.1"), Decimal(0)))
    assert price.micros(TokenUsage(prompt_tokens=1)) == 1


def test_published_prices_need_no_request_and_unknown_ones_are_none() -> None:
    priced = Price("gpt-4.1-mini", OPENAI_URL)
    assert priced.is_known
    some, more = priced.micros(USED), priced.micros(USED.model_copy(update={"cached_tokens": 0}))
    assert some
    assert more
    assert some < more, "what was cached is cheaper"
    assert Price("gpt-4.1-mini", "http://127.0.0.1:11434/v1").micros(USED) is None
    assert not Price("no-such-model-at-all", OPENAI_URL).is_known


PROXY = "http://proxy.intra:4000/v1"
OPENROUTER = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("azure/gpt-4.1-mini", "gpt-4.1-mini"),
        ("GPT-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gemini/gemini-2.5-flash", "gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("anthropic/claude-sonnet-4", "claude-sonnet-4-0"),
        ("bedrock/anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-0"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-0"),
        ("vertex_ai/claude-sonnet-4@20250514", "claude-sonnet-4-0"),
        ("openrouter/anthropic/claude-sonnet-4", "claude-sonnet-4-0"),
    ],
)
def test_a_model_has_its_price_behind_a_proxys_name_too(named: str, meant: str) -> None:
    uncached = USED.model_copy(update={"cached_tokens": 0})
    expected = Price(meant, PROXY).micros(uncached)
    assert expected
    assert Price(named, PROXY).micros(uncached) == expected


@pytest.mark.parametrize(
    "name",
    ["gpt-9", "my-gpt", "gpt-4o-mini-acme", "ft:gpt-4o-mini:acme::1", "llama3", "fake-1", "m", "/", ""],
)
def test_no_price_is_guessed_for_another_model(name: str) -> None:
    assert Price(name, PROXY).micros(USED) is None


def test_of_the_versions_of_a_model_the_dearest_counts() -> None:
    dear, cheap = Price("gpt-4o-2024-05-13", OPENAI_URL), Price("gpt-4o", OPENAI_URL)
    assert (dear.micros(USED) or 0) > (cheap.micros(USED) or 0)
    assert Price("gpt-4o-2099-01-01", PROXY).micros(USED) == dear.micros(USED)


def test_only_openrouter_has_models_free_of_charge() -> None:
    assert Price("acme/model:free", OPENROUTER).micros(USED) == 0
    assert Price("acme/model:free", PROXY).micros(USED) is None
    assert Price("google/gemma-3-12b", PROXY).micros(USED) is None, "free of charge at its maker's only"


def test_servers_are_known_by_their_place() -> None:
    named = {
        "https://api.openai.com/v1": "openai",
        "https://openrouter.ai/api/v1": "openrouter",
        "http://127.0.0.1:11434/v1": "ollama",
        "http://gpu.intra:8000/v1": "local",
        "https://notopenrouter.ai/v1": "local",
    }
    assert {url: profile_of(url).name for url in named} == named
    assert profile_of("http://proxy.intra/v1", "openai").length_field == "max_completion_tokens"
