"""A language's vocabulary for numbers: number words, scales, units, currencies and hedges."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.language_tables import Phrases, WordTable, any_of, language_table

CURRENCY_SYMBOLS = {
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₿": "BTC", "Ξ": "ETH", "₹": "INR", "₽": "RUB",
    "₩": "KRW",
}  # fmt: skip
"""Sign before or after an amount, in every language → currency code."""
CURRENCY_CODES = frozenset((
    "usd", "eur", "gbp", "jpy", "cny", "chf", "aud", "cad", "nzd", "hkd", "sgd", "inr", "rub", "krw", "brl",
    "mxn", "sek", "nok", "dkk", "pln", "try", "zar",
    "btc", "eth", "usdt", "usdc", "sol", "xrp", "bnb", "ada", "doge",
))  # fmt: skip
"""Currency codes. Source: ISO 4217 for money, exchange tickers for crypto coins."""


class NumberLexicon(NamedTuple):
    """Meanings of words in and around numbers, read from `figures.toml`. Every word is case folded."""

    decimal: str
    units: Mapping[str, float]
    ordinals: Mapping[str, float]
    scales: Mapping[str, float]
    fractions: Mapping[str, float]
    multiples: Mapping[str, float]
    groups: Mapping[str, float]
    joiners: frozenset[str]
    articles: frozenset[str]
    spoken_clock: Phrases
    """Times of day in words."""
    times: frozenset[str]
    percent: frozenset[str]
    points: frozenset[str]
    ratio: frozenset[str]
    clock: frozenset[str]
    loose: frozenset[str]
    """Words that are no counted noun."""
    unnumbered: frozenset[str]
    counted: frozenset[str]
    """What a writer counts, and no source need count: reasons, points."""
    conjunctions: frozenset[str]
    """Words before the last item of a list: and, or."""
    differences: frozenset[str]
    """Words beside a difference of two numbers: more, remaining."""
    additions: frozenset[str]
    """Words after a number that is added to another: five more."""
    totals: frozenset[str]
    """Words beside a sum: together, combined."""
    per: frozenset[str]
    """Words before the unit of a rate: per, an."""
    shifts: frozenset[str]
    """Words after "a year" where it is a distance in time, no rate: earlier, ago."""
    ages: frozenset[str]
    """Words before the decade of an age: mid."""
    anniversaries: frozenset[str]
    """Words after an ordinal that counts years: anniversary."""
    halves: frozenset[str]
    """Words after an ordinal that counts halves of a year."""
    powers: frozenset[str]
    """Words before a unit of length that make it one of area or volume: square."""
    numbered: frozenset[str]
    """Words before the number of a part, which is no amount: step, chapter."""
    hedges: Mapping[str, str]
    idioms: frozenset[str]
    """Multiples that are idioms as well: "think twice"."""
    records: frozenset[str]
    """Words after an ordinal that make it a record: the fourth successive title."""
    occasions: frozenset[str]
    """Words after an ordinal that count occasions: the first time."""
    wins: frozenset[str]
    """Results that are counted: win, title."""
    firstness: frozenset[str]
    """Words that say that something is the first."""
    at_least: frozenset[str]
    """Hedges that are true of an exact number: at least."""
    content_stem: Callable[[str], str]
    """Return the stem that stands for a word and its synonyms ("killed", "died", "dead"), nothing for a stop
    word or digits."""
    time: Mapping[str, str]
    rates: Mapping[str, str]
    """Word that says how often → unit of time: annually."""
    currencies: Mapping[str, str]
    currency_signs: Mapping[str, str]
    """Sign → currency; "$" for itself where it may be dollars or pesos."""
    measures: Mapping[str, str]
    starts: frozenset[str]
    """Words that can begin a number in words, compounds such as "zweihundert" excluded."""
    colon_scores: bool
    """Scores are written with a colon: 3:1."""
    compounds: bool
    """Number words are written as one compound word, as in German."""
    tens_and_units: bool
    """Tens and units have a joiner between them: "treinta y cinco"."""
    either_decimal: bool
    """The decimal sign differs between the language's countries: "1.234,5" or "1,234.5"."""
    half_words: frozenset[str]
    """Halves only before a unit or scale, or after a joiner: "medio millón", "año y medio"."""
    parts: frozenset[str]
    """Words that make the ordinal before them a fraction: "la tercera parte"."""
    links: frozenset[str]
    """Words between a scale and its unit: "dos millones de euros"."""
    basis_points: frozenset[str]
    rough: frozenset[str]
    """Number words that are no exact numbers: "una veintena"."""


_WORD_SETS = {
    "joiners": "and", "articles": "article", "times": "times", "percent": "percent", "points": "points",
    "ratio": "in", "clock": "clock", "loose": "loose", "unnumbered": "no-number-after", "counted": "counted",
    "conjunctions": "conjunction", "differences": "difference", "additions": "addition", "totals": "total",
    "per": "per", "shifts": "shift", "ages": "age", "anniversaries": "anniversary", "halves": "half",
    "powers": "power", "numbered": "numbered", "idioms": "idiom", "records": "record",
    "occasions": "occasion", "wins": "win", "firstness": "firstness", "at_least": "at-least",
    "half_words": "half-word", "parts": "part", "links": "of", "basis_points": "basis-points",
    "rough": "rough",
}  # fmt: skip
"""Field → key of its words in the table `words`."""
_VALUES = ("units", "ordinals", "scales", "fractions", "multiples", "groups")
_NAMES = ("hedges", "time", "rates", "currencies", "measures")
_HABITS = ("colon-scores", "compounds", "tens-and-units", "either-decimal")


@lru_cache(maxsize=32)
def number_lexicon(language: str) -> NumberLexicon | None:
    """Return a language's vocabulary for numbers; None where the language has no table."""
    table = language_table(language, "figures")
    if table is None:
        return None
    words = table["words"]
    sets = {name: _word_set(words.get(key, ())) for name, key in _WORD_SETS.items()}
    names = {name: _inverted(table[name]) for name in _NAMES}
    habits = {habit.replace("-", "_"): bool(table.get(habit, False)) for habit in _HABITS}
    fields: dict[str, Any] = {name: dict(table[name]) for name in _VALUES} | habits | names | sets
    begin = (word for name in _VALUES if name != "scales" for word in table[name])
    return NumberLexicon(
        decimal=table["decimal"],
        starts=sets["articles"] | names["time"].keys() | frozenset(begin),
        spoken_clock=_clock_pattern(words["spoken-clock"], table["units"]),
        content_stem=_content_stems(_word_set(words["stop"]), _inverted(table["same"])),
        currency_signs=CURRENCY_SYMBOLS | table.get("currency-signs", {}),
        **fields,
    )


def _word_set(words: str | Sequence[str]) -> frozenset[str]:
    return frozenset(words.split() if isinstance(words, str) else words)


def _clock_pattern(phrases: Sequence[str], units: Mapping[str, float]) -> Phrases:
    hours = [word for word, value in units.items() if 1 <= value <= 12 and value == int(value)]
    pattern = any_of(*(phrase.replace("{hour}", f"(?:{'|'.join(hours)})") for phrase in phrases))
    return Phrases(pattern, (*hours, *re.findall(r"\w+", " ".join(phrases))))


def _inverted(groups: Mapping[str, Any]) -> dict[str, str]:
    return {word: name for name, words in groups.items() for word in words}


def _content_stems(stop: frozenset[str], same: Mapping[str, str]) -> Callable[[str], str]:
    def content_stem(word: str) -> str:
        if len(word) <= 2 or word in stop or word[0].isdigit():
            return ""
        stemmed = _stem(word)
        return same.get(word) or same.get(stemmed, stemmed)

    return WordTable(content_stem).__getitem__


def _stem(word: str) -> str:
    """Return a word without its inflectional ending: a rough English stemmer."""
    word = word.removesuffix("'s").removesuffix("s'")
    for ending in ("ingly", "edly", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e"):
        if len(word) - len(ending) >= 4 and word.endswith(ending):
            return word[: -len(ending)]
    return word
