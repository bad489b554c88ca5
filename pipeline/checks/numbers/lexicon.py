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


@lru_cache(maxsize=32)
def number_lexicon(language: str) -> NumberLexicon | None:
    """Return a language's vocabulary for numbers; None where the language has no table."""
    table = language_table(language, "figures")
    if table is None:
        return None
    words = table["words"]
    begin = ("units", "ordinals", "fractions", "multiples", "groups")
    return NumberLexicon(
        starts=frozenset(
            (*words["article"], *_inverted(table["time"]), *(w for name in begin for w in table[name]))
        ),
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
        conjunctions=frozenset(words["conjunction"]),
        spoken_clock=_clock_pattern(words["spoken-clock"], table["units"]),
        differences=frozenset(words["difference"].split()),
        additions=frozenset(words["addition"]),
        totals=frozenset(words["total"].split()),
        per=frozenset(words["per"]),
        shifts=frozenset(words["shift"]),
        ages=frozenset(words["age"]),
        anniversaries=frozenset(words["anniversary"]),
        halves=frozenset(words["half"]),
        powers=frozenset(words["power"]),
        numbered=frozenset(words["numbered"]),
        hedges=_inverted(table["hedges"]),
        idioms=frozenset(words["idiom"]),
        records=frozenset(words["record"]),
        occasions=frozenset(words["occasion"]),
        wins=frozenset(words["win"]),
        firstness=frozenset(words["firstness"].split()),
        at_least=frozenset(words["at-least"]),
        content_stem=_content_stems(frozenset(words["stop"].split()), _inverted(table["same"])),
        time=_inverted(table["time"]),
        rates=_inverted(table["rates"]),
        currencies=_inverted(table["currencies"]),
        currency_signs=CURRENCY_SYMBOLS | table.get("currency-signs", {}),
        measures=_inverted(table["measures"]),
        colon_scores=bool(table.get("colon-scores", False)),
        compounds=bool(table.get("compounds", False)),
        tens_and_units=bool(table.get("tens-and-units", False)),
        either_decimal=bool(table.get("either-decimal", False)),
        half_words=frozenset(words.get("half-word", ())),
        parts=frozenset(words.get("part", ())),
        links=frozenset(words.get("of", ())),
        basis_points=frozenset(words["basis-points"]),
        rough=frozenset(words.get("rough", ())),
    )


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
