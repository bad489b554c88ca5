"""A language's words for figures, turned round for looking them up."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.languages import language_table

CURRENCY_SYMBOLS = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₿": "BTC",
    "Ξ": "ETH",
    "₹": "INR",
    "₽": "RUB",
    "₩": "KRW",
}
"""Signs that stand before or behind an amount, in every language."""
CURRENCY_CODES = frozenset(
    [
        "usd",
        "eur",
        "gbp",
        "jpy",
        "cny",
        "chf",
        "aud",
        "cad",
        "nzd",
        "hkd",
        "sgd",
        "inr",
        "rub",
        "krw",
        "brl",
        "mxn",
        "sek",
        "nok",
        "dkk",
        "pln",
        "try",
        "zar",
        "btc",
        "eth",
        "usdt",
        "usdc",
        "sol",
        "xrp",
        "bnb",
        "ada",
        "doge",
    ]
)


class NumberLexicon(NamedTuple):
    """What a word may mean in a figure; every word case folded."""

    decimal: str
    units: Mapping[str, float]
    ordinals: Mapping[str, float]
    scales: Mapping[str, float]
    fractions: Mapping[str, float]
    multiples: Mapping[str, float]
    groups: Mapping[str, float]
    joiners: frozenset[str]
    articles: frozenset[str]
    times: frozenset[str]
    percent: frozenset[str]
    points: frozenset[str]
    ratio: frozenset[str]
    clock: frozenset[str]
    loose: frozenset[str]
    """Words that are no noun a figure could count."""
    unnumbered: frozenset[str]
    counted: frozenset[str]
    hedges: Mapping[str, str]
    stop: frozenset[str]
    """Words that tell nothing of what a figure is of."""
    same: Mapping[str, str]
    """Words, or their stems, that mean the same."""
    time: Mapping[str, str]
    currencies: Mapping[str, str]
    measures: Mapping[str, str]
    starts: frozenset[str]
    """Every word that a figure in words may begin with, those written together apart."""
    compounds: bool
    """Number words are written together, as in German."""


@lru_cache(maxsize=32)
def number_lexicon(language: str) -> NumberLexicon | None:
    """Return a language's words for figures; None where there is no table."""
    table = language_table(language, "figures")
    if table is None:
        return None
    words = table["words"]
    begin = ("units", "ordinals", "fractions", "multiples", "groups")
    return NumberLexicon(
        starts=frozenset((*words["article"], *(word for name in begin for word in table[name]))),
        decimal=table["decimal"],
        **{
            name: dict(table[name])
            for name in ("units", "ordinals", "scales", "fractions", "multiples", "groups")
        },
        joiners=frozenset(words["and"]),
        articles=frozenset(words["article"]),
        times=frozenset(words["times"]),
        percent=frozenset(words["percent"]),
        points=frozenset(words["points"]),
        ratio=frozenset(words["in"]),
        clock=frozenset(words["clock"]),
        loose=frozenset(words["loose"]),
        unnumbered=frozenset(words["no-number-after"]),
        counted=frozenset(words["counted"]),
        hedges=_inverted(table["hedges"]),
        stop=frozenset(words["stop"].split()),
        same=_inverted(table["same"]),
        time=_inverted(table["time"]),
        currencies=_inverted(table["currencies"]),
        measures=_inverted(table["measures"]),
        compounds=bool(table.get("compounds", False)),
    )


def _inverted(groups: Mapping[str, Any]) -> dict[str, str]:
    return {word: name for name, words in groups.items() for word in words}
