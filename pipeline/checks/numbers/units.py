"""Reads what belongs to a number: the currency before it, the scale and unit after it, and its hedge."""

import re
from typing import NamedTuple

from pipeline.checks.numbers.lexicon import CURRENCY_CODES, CURRENCY_SYMBOLS, NumberLexicon
from pipeline.checks.numbers.models import (
    FRACTION,
    GROUP,
    MEASURE,
    MONEY,
    MULTIPLE,
    ORDINAL,
    PERCENT,
    PLAIN,
    POINTS,
    TIME,
    YEAR,
    NumberMention,
)
from pipeline.checks.numbers.tokenize import HYPHENS, Token, TokenStream

_ORDINAL_ENDINGS = frozenset(("st", "nd", "rd", "th", "º", "ª"))
_DOLLAR_COUNTRIES = frozenset(("us", "a", "c", "hk", "nz", "s", "r"))
"""Letters before a dollar sign that name the country: US$, A$, HK$."""
_MAX_HEDGE_DISTANCE = 4
"""Maximum number of tokens from a number back to its hedge. Chosen, not measured."""
_MAX_UNIT_DISTANCE = 4
"""Maximum number of tokens from a number to a unit of time after it. Chosen, not measured."""
_MAX_RATE_DISTANCE = 3
"""Tokens from a number to the unit of its rate. Chosen, not measured."""
_DECADE = re.compile(r"(?:1[5-9]|20)?\d0")
"""Digits before an "s" that are a decade, as in dates; others are seconds."""
_SIGNS = {"″": "inch", "′": "foot"}
"""Sign after a length → unit."""
_PUNCTUATION = frozenset(".,;:!?()")
_ENDS_HEDGE = _PUNCTUATION - {",", "(", ")"}


class Unit(NamedTuple):
    """A kind and a unit, and the index of the token after them."""

    kind: str
    name: str
    after: int


def with_unit(
    tokens: TokenStream, lexicon: NumberLexicon, mention: NumberMention, at: int, after: int
) -> tuple[NumberMention, int]:
    """Return a number with its scale, currency and unit, and the index of the token after them.

    `at` is the index of the number's first token, `after` that of the token after its last.
    """
    if mention.kind in (ORDINAL, GROUP):
        return mention, after
    currency, start = _currency_before(tokens, lexicon, at)
    scale, after = _scale_after(tokens, lexicon, after, money=bool(currency))
    unit = _unit_after(tokens, lexicon, after)
    half = half_after(tokens, lexicon, unit.after) if unit.kind in (TIME, MEASURE) and scale == 1 else 0.0
    if half and mention.whole:
        mention = mention._replace(value=mention.value + half, step=half)
        unit = unit._replace(after=unit.after + 2)
    elif scale > 1 and (half := half_after(tokens, lexicon, after)):
        mention = mention._replace(value=mention.value + half, step=half)
        unit = _unit_after(tokens, lexicon, after + 2)
    if currency and _is_name_before(tokens[at - 1], unit, currency):
        currency, start = "", tokens[at].start
    if unit.kind == MONEY and tokens[at - 1].text == "$" and currency in ("USD", "$"):
        currency = unit.name  # the sign of other currencies, too: "$500 pesos"
    kind, name = (MONEY, currency) if currency else (unit.kind or mention.kind, unit.name)
    if kind == FRACTION and scale > 1:
        kind = PLAIN  # half a million
    if not kind and scale == 1 and unit.after == at + 1 and is_year(tokens[at].text):
        kind = YEAR
    scaled = mention._replace(
        start=start,
        end=tokens[unit.after - 1].end,
        value=mention.value * scale,
        step=mention.step * scale,
        kind=kind,
        unit=name,
    )
    return scaled, unit.after


def _is_name_before(token: Token, unit: Unit, currency: str) -> bool:
    """Tell whether a currency code before a number is a noun of its own: "SOL 10%", "BTC 5 dollars"."""
    other_money = unit.kind == MONEY and unit.name != currency
    return token.kind == "word" and (unit.kind in (PERCENT, POINTS, MULTIPLE, TIME) or other_money)


def is_year(digits: str) -> bool:
    """Tell whether digits alone are read as a year."""
    return len(digits) == 4 and digits.isdecimal() and 1500 <= int(digits) <= 2100


def _currency_before(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> tuple[str, int]:
    """Return the currency before a number, and the character at which both begin."""
    sign, start = tokens[at - 1], tokens[at].start
    if not sign.text or start - sign.end > 1:
        return "", start
    if sign.text in CURRENCY_SYMBOLS:
        country = tokens[at - 2]
        if tokens.is_joined(at - 2) and country.text in _DOLLAR_COUNTRIES:
            return CURRENCY_SYMBOLS[sign.text] if country.text == "us" else f"{country.text}$", country.start
        return lexicon.currency_signs[sign.text], sign.start
    if sign.text in CURRENCY_CODES and tokens.text[sign.start : sign.end].isupper():
        return lexicon.currencies.get(sign.text, sign.text.upper()), sign.start
    return "", start


def _scale_after(
    tokens: TokenStream, lexicon: NumberLexicon, after: int, *, money: bool
) -> tuple[float, int]:
    """Return the scale after a number, up to two words ("hundred million"), and the index after it."""
    scale = 1.0
    for _ in range(2):
        index = tokens.skip_hyphen(after)
        factor = lexicon.scales.get(tokens.word(index))
        if factor is None:
            break
        if len(tokens[index].text) == 1 and not _is_scale_letter(tokens, index, money=money):
            break
        scale, after = scale * factor, index + 1
    return scale, after


def _is_scale_letter(tokens: TokenStream, at: int, *, money: bool) -> bool:
    """Tell whether a letter is a scale: "5M" and "$5m" are, "5 m" and "5m" are metres."""
    token = tokens[at]
    if tokens.is_joined(at) and tokens[at + 1].text in CURRENCY_SYMBOLS:
        return True  # "50 M€"
    if money and token.text in "mbt" and tokens[at - 1].end + 1 == token.start:
        return True  # "$50 m"
    return tokens.is_joined(at - 1) and (token.text not in "mt" or money or token.upper)


def _unit_after(tokens: TokenStream, lexicon: NumberLexicon, after: int) -> Unit:
    """Return the kind and unit after a number; empty ones where there is no unit."""
    token, no_unit = tokens[after], Unit("", "", after)
    if tokens.is_joined(after - 1) and token.text in _ORDINAL_ENDINGS:
        return Unit(ORDINAL, "", after + 1)
    if tokens.is_joined(after - 1) and token.text == "s":
        is_decade = _DECADE.fullmatch(tokens[after - 1].text)
        return Unit(YEAR, "decade", after + 1) if is_decade else Unit(TIME, "second", after + 1)
    if token.text in HYPHENS and token.text:
        is_bound = tokens.is_joined(after) or tokens.word(after + 1) in lexicon.time  # also "6 - month"
        return _unit_at(tokens, lexicon, after + 1) or no_unit if is_bound else no_unit
    if token.text == "." and tokens.word(after - 1) in lexicon.scales:
        return _unit_at(tokens, lexicon, after + 1) or no_unit  # an abbreviation: "Mrd. Euro"
    if tokens.text[tokens[after - 1].end : max(token.start, 0)].strip():
        return no_unit
    if _is_link(tokens, lexicon, after):
        return _unit_at(tokens, lexicon, after + 1) or no_unit
    return _unit_at(tokens, lexicon, after) or no_unit


def _is_link(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> bool:
    """Tell whether a word only joins a scale to what is counted: "millones de euros"."""
    before = tokens.word(at - 1)
    return tokens.word(at) in lexicon.links and (before in lexicon.scales or before in lexicon.half_words)


def half_after(tokens: TokenStream, lexicon: NumberLexicon, after: int) -> float:
    """Return the half that follows a number or its unit without an article: "dos años y medio"; 0 without."""
    joined = tokens.word(after) in lexicon.joiners and tokens.word(after + 1) in lexicon.half_words
    return lexicon.fractions[tokens.word(after + 1)] if joined else 0.0


def _unit_at(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> Unit | None:
    """Return the unit that a token names, or None."""
    text = tokens[at].text
    phrase = f"{text} {tokens.word(at + 1)}"
    if phrase in lexicon.points or text in lexicon.points:
        small = bool({text, phrase} & lexicon.basis_points)
        return Unit(POINTS, "bp" if small else "", at + 1 + (phrase in lexicon.points))
    if phrase in lexicon.percent:
        return Unit(PERCENT, "", at + 2)
    if text == "%" or text in lexicon.percent:
        return Unit(PERCENT, "", at + 1)
    if text in _SIGNS:
        return Unit(MEASURE, _SIGNS[text], at + 1)
    measure = lexicon.measures.get(tokens.word(at + 1)) if text in lexicon.powers else None
    if measure:
        return Unit(MEASURE, f"{'cubic' if text == 'cubic' else 'square'} {measure}", at + 2)
    if text in CURRENCY_SYMBOLS:
        return Unit(MONEY, lexicon.currency_signs[text], at + 1)
    if text == "us" and tokens.word(at + 1) in lexicon.currencies:
        return Unit(MONEY, lexicon.currencies[tokens.word(at + 1)], at + 2)
    if unit := _named_unit(lexicon, text, phrase, at):
        return unit
    return Unit(MULTIPLE, "", at + 1) if text in lexicon.times else None


def _named_unit(lexicon: NumberLexicon, text: str, phrase: str, at: int) -> Unit | None:
    """Return the time, currency or measure that a word, or it and the next one, names; None without."""
    for kind, units in ((TIME, lexicon.time), (MONEY, lexicon.currencies), (MEASURE, lexicon.measures)):
        if phrase in units:
            return Unit(kind, units[phrase], at + 2)
        if text in units:
            return Unit(kind, units[text], at + 1)
    return None


def find_hedge(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> str:
    """Return the hedge before a number at an index: `about`, `under` or `over`; empty without one."""
    for distance in range(1, _MAX_HEDGE_DISTANCE + 1):
        token = tokens[at - distance]
        if token.text in _ENDS_HEDGE or token.kind == "number":
            return ""
        phrase = f"{token.text} {tokens.word(at - distance + 1)}"
        if hedge := lexicon.hedges.get(phrase) or lexicon.hedges.get(token.text):
            return hedge
        is_number = token.text in lexicon.units or token.text in lexicon.multiples
        if is_number and token.text not in lexicon.articles:
            return ""  # the hedge of another number: "gut zwei Prozent auf 168 Millionen"
    return ""


def find_rate(tokens: TokenStream, lexicon: NumberLexicon, after: int) -> tuple[str, int]:
    """Return the unit of time that a number is counted by, and the index after it: "20% a year".

    A noun may stand between ("300 letters per day"). Empty without a rate.
    """
    for at in range(after, after + _MAX_RATE_DISTANCE):
        text, following = tokens[at].text, tokens.word(at + 1)
        if text in lexicon.rates:
            return lexicon.rates[text], at + 1
        is_per = text in lexicon.per or (text == "/" and tokens.is_joined(at - 1))
        if is_per and (following in lexicon.time or following in lexicon.rates):
            is_shift = tokens.word(at + 2) in lexicon.shifts and text in lexicon.articles
            if is_shift or tokens[at + 2].kind == "number":
                return "", after
            return lexicon.time.get(following) or lexicon.rates[following], at + 2
        if tokens[at].kind != "word" or text in lexicon.loose:
            return "", after
    return "", after


def following_unit(tokens: TokenStream, lexicon: NumberLexicon, after: int) -> str:
    """Return the unit of time a few words after a number; empty without one."""
    for at in range(after, after + _MAX_UNIT_DISTANCE):
        text = tokens[at].text
        if not text or text in lexicon.loose or text in _PUNCTUATION:
            return ""
        if text in lexicon.time:
            return lexicon.time[text]
    return ""


def has_no_unit(tokens: TokenStream, lexicon: NumberLexicon, after: int) -> bool:
    """Tell whether no noun follows a number."""
    token: Token = tokens[after]
    if _is_link(tokens, lexicon, after):
        token = tokens[after + 1]
    if token.kind == "word":
        ends_line = "\n" in tokens.text[tokens[after - 1].end : token.start]
        return ends_line or token.text in lexicon.loose
    return not token.text or token.text not in HYPHENS
