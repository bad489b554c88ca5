from decimal import Decimal

from pipeline.config import OPENAI_URL
from pipeline.domain.models import TokenUsage
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
