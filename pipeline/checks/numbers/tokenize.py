"""Tokenizer for numbers: splits a text into digits, words and signs, and parses number words."""

import math
import re
from collections.abc import Iterator, Set
from typing import NamedTuple

from pipeline.checks.numbers.compounds import compound_ordinal, compound_value
from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import FRACTION, GROUP, MULTIPLE, ORDINAL

_TOKEN = re.compile(
    r"(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
    r"|(?P<sign>[^\w\s])"
    r"|(?P<number>\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\d)"
    r"|(?<![\w.,:/–-])(?<!\d )\d{1,3}(?: \d{3})+(?![\d.,:/%-]*\d)|\d+(?:[.,'’]\d+)*)"
)
VULGAR_FRACTIONS = {"½": 0.5, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 0.25, "¾": 0.75, "⅕": 0.2, "⅛": 0.125}
HYPHENS = "-‐‑–—−"


class Token(NamedTuple):
    """A token with its character span, half-open."""

    kind: str
    """`number`, `word` or `sign`."""
    text: str
    """Case folded."""
    start: int
    end: int
    upper: bool = False
    """Begins with a capital."""


_DOZEN = 12.0
_NO_TOKEN = Token("", "", -1, -1)


class TokenStream(dict[int, Token]):
    """The tokens of a text by index. An index out of range, negative ones too, gives an empty token.

    Made when they are first asked for: most words are far from a number.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self._matches = list(_TOKEN.finditer(text))

    def __missing__(self, at: int) -> Token:
        token = _NO_TOKEN
        if 0 <= at < len(self._matches):
            match = self._matches[at]
            text = match[0]
            token = Token(match.lastgroup or "", text.casefold(), *match.span(), text[0].isupper())
        self[at] = token
        return token

    def number_starts(self, words: Set[str], *, every: bool) -> Iterator[int]:
        """Yield the indexes where a number may begin: digits, fraction signs, and `words` or `every` word."""
        for at, match in enumerate(self._matches):
            kind, text = match.lastgroup, match[0]
            if kind == "word":
                begins = every or text.casefold() in words
            else:
                begins = kind == "number" or text in VULGAR_FRACTIONS
            if begins:
                yield at

    def is_joined(self, at: int) -> bool:
        """Tell whether no character lies between a token and the next one."""
        return self[at].end == self[at + 1].start >= 0

    def word(self, at: int) -> str:
        """Return the word at an index, case folded; empty where the token is no word."""
        token = self[at]
        return token.text if token.kind == "word" else ""

    def skip_hyphen(self, at: int) -> int:
        """Return the index after a hyphen that is joined to the next token; the index itself without one."""
        return at + 1 if self[at].text in HYPHENS and self[at].text and self.is_joined(at) else at


_DECIMALS = {
    decimal: re.compile(
        rf"\d{group}\d{{3}}(?:{group}\d{{3}}|{sign}\d)(?!\d)"
        rf"|(?<![\w.,:])\d{{1,9}}{sign}(?:\d|\d\d(?= ?[%€$]))(?![\w.,:])"
        rf"|[€$] ?\d{{1,9}}{sign}\d{{1,2}}(?![\d.,])"
    )
    for decimal, sign, group in ((".", r"\.", ","), (",", ",", r"\."))
}
"""Decimal sign → numbers that show it: thousands, or one or two digits after it, a time of day excepted."""
_THREE_DIGITS = re.compile(r"(?<![\d.,])([1-9]\d{0,2})([.,])(\d{3})(?![\d]|[.,]\d)")


def decimal_sign(text: str, usual: str) -> str:
    """Return the decimal sign that a text uses; the usual one where it shows both or none."""
    shown = [sign for sign, pattern in _DECIMALS.items() if pattern.search(text)]
    return shown[0] if len(shown) == 1 else usual


def either_reading(digits: str, decimal: str) -> float | None:
    """Return the factor from the reading of digits such as "1.234" to the other; None without another."""
    match = _THREE_DIGITS.search(digits)
    if match is None or (match[3] == "000" and match[2] != decimal):
        return None
    return 1000.0 if match[2] == decimal else 0.001


def token_value(digits: str, decimal: str) -> tuple[float, float] | None:
    """Return value and step of digits with separators; None where they are not one number.

    `decimal` is the decimal sign of the language. Where it does not parse, the other one is tried.
    """
    plain = re.sub("[ \u00a0\u202f\u2009'’]", "", digits)
    group = "," if decimal == "." else "."
    for decimal_sign, group_sign in ((decimal, group), (group, decimal)):
        whole, _, decimals = plain.partition(decimal_sign)
        groups = whole.split(group_sign)
        fits = len(groups) == 1 or (
            1 <= len(groups[0]) <= 3 and groups[0] != "0" and all(len(each) == 3 for each in groups[1:])
        )
        decimals_fit = decimals.isdecimal() or decimal_sign not in plain
        if fits and decimals_fit and all(each.isdecimal() for each in groups):
            return _value_and_step("".join(groups), decimals)
    return None


def _value_and_step(whole: str, decimals: str) -> tuple[float, float] | None:
    if len(whole) > 18:
        return None
    value = float(f"{whole}.{decimals or 0}")
    if decimals:
        return value, 10.0 ** -min(len(decimals), 12)
    zeros = len(whole) - len(whole.rstrip("0"))
    return value, 10.0 ** (zeros if value else 0)


class NumberWords(NamedTuple):
    """A number parsed from words."""

    value: float
    step: float
    kind: str
    after: int
    """Index of the token after the number."""


def parse_number_words(tokens: TokenStream, at: int, lexicon: NumberLexicon) -> NumberWords | None:
    """Return the number in words that begins at a token, or None."""
    text = tokens[at].text
    if text in lexicon.articles or text in lexicon.fractions:
        parse = _parse_after_article if text in lexicon.articles else _parse_half
        if parsed := parse(tokens, at, lexicon):
            return parsed
    if text in lexicon.units or (lexicon.compounds and compound_value(text, lexicon) is not None):
        return _parse_cardinal(tokens, at, lexicon)
    if text in lexicon.fractions and tokens.word(at + 1) in lexicon.parts:
        return NumberWords(lexicon.fractions[text], 1e-6, FRACTION, at + 2)  # la tercera parte
    ordinal = lexicon.ordinals.get(text) or (compound_ordinal(text, lexicon) if lexicon.compounds else None)
    if ordinal:
        return NumberWords(ordinal, 1, ORDINAL, at + 1)
    if text in lexicon.time:
        return _parse_unit_and_half(tokens, at, lexicon)
    if text in lexicon.groups:
        return NumberWords(lexicon.groups[text], 1, GROUP, at + 1)
    if text in lexicon.multiples:
        return NumberWords(lexicon.multiples[text], 1e-6, MULTIPLE, at + 1)
    return None


def _parse_after_article(tokens: TokenStream, at: int, lexicon: NumberLexicon) -> NumberWords | None:
    """Parse "a hundred", "a dozen", "a third of", "a half"."""
    following = tokens.word(at + 1)
    if following in lexicon.time and following not in lexicon.ordinals:
        return _parse_unit_and_half(tokens, at + 1, lexicon) or NumberWords(1, 1, "", at + 1)
    if len(following) > 2 and following in lexicon.scales:
        return _parse_scale(tokens, at + 1, 1.0, lexicon)
    share = lexicon.fractions.get(following)
    is_ordinal = following in lexicon.ordinals and tokens.word(at + 2) not in lexicon.times | lexicon.ratio
    if share is None or is_ordinal:
        return None
    scale = lexicon.scales.get(tokens.word(at + 2), 0) if lexicon.compounds else 0
    if scale and len(tokens.word(at + 2)) > 2:
        return NumberWords(share * scale, share * scale, "", at + 3)  # eine halbe Million
    return NumberWords(share, 1e-6, FRACTION, at + 2)


def _parse_unit_and_half(tokens: TokenStream, at: int, lexicon: NumberLexicon) -> NumberWords | None:
    """Parse what follows the article in "an hour and a half"; the kind is the unit of time."""
    words, end = _next_three_words(tokens, at + 1)
    if words[0] in lexicon.joiners and words[1] in lexicon.half_words:
        return NumberWords(1.5, 0.5, tokens.word(at), at + 3)  # año y medio
    if words[0] not in lexicon.joiners or words[1] not in lexicon.articles:
        return None
    part = lexicon.fractions.get(words[2])
    return NumberWords(1 + part, part, tokens.word(at), end) if part in (0.5, 0.25) else None


def _parse_half(tokens: TokenStream, at: int, lexicon: NumberLexicon) -> NumberWords | None:
    """Parse "half", "half a million"."""
    value = lexicon.fractions[tokens[at].text]
    if value != 0.5:
        return None
    if tokens[at].text in lexicon.half_words:
        return _parse_half_word(tokens, at, value, lexicon)
    if tokens.word(at + 1) in lexicon.articles:
        scale = lexicon.scales.get(tokens.word(at + 2), 0)
        if scale and len(tokens.word(at + 2)) > 2:
            return NumberWords(value * scale, value * scale, "", at + 3)
        if tokens.word(at + 2) not in lexicon.time:
            return None  # half an answer
        return NumberWords(value, 1e-6, "", at + 2)
    return NumberWords(value, 1e-6, FRACTION, at + 1)


def _parse_half_word(
    tokens: TokenStream, at: int, value: float, lexicon: NumberLexicon
) -> NumberWords | None:
    """Parse "medio millón", "media docena", "media hora"."""
    following = tokens.word(at + 1)
    scale = lexicon.scales.get(following, 0)
    if scale and len(following) > 2:
        return NumberWords(value * scale, value * scale, "", at + 2)
    is_unit = following in lexicon.time or following in lexicon.measures
    return NumberWords(value, 1e-6, "", at + 1) if is_unit else None


def _parse_cardinal(tokens: TokenStream, at: int, lexicon: NumberLexicon) -> NumberWords | None:
    """Parse "twenty-one", "two hundred and fifty thousand", "three quarters", "twenty-first"."""
    total, current, after = 0.0, 0.0, at
    while after <= at or tokens[after].kind:
        index = tokens.skip_hyphen(after) if after > at else after
        text = tokens.word(index)
        value = lexicon.units.get(text)
        if value is None and lexicon.compounds:
            value = compound_value(text, lexicon)
        fresh = after == at or _is_after_scale(tokens, after, lexicon)
        if value is not None and _may_follow(current, value, fresh=fresh):
            current, after = current + value, index + 1
        elif text in lexicon.scales and len(text) > 2 and (current or 0 < total < lexicon.scales[text]):
            scale = lexicon.scales[text]
            if total < scale and total:
                total, current = (total + current) * scale, 0.0  # dos mil quinientos millones
            elif scale == 100:
                current *= 100
            elif scale == _DOZEN and tokens.word(index + 1) not in lexicon.scales:
                return NumberWords((total + current) * scale, scale, "", index + 1)
            else:
                total, current = total + current * scale, 0.0
            after = index + 1
        elif text in lexicon.joiners and _joiner_continues(tokens, index, lexicon, total + current):
            after = index + 1
        else:
            break
    return _finish_cardinal(tokens, after, total + current, lexicon)


def _is_after_scale(tokens: TokenStream, after: int, lexicon: NumberLexicon) -> bool:
    before = tokens.word(after - 1)
    is_hundreds = lexicon.units.get(before, 0) >= 100
    return is_hundreds or before in lexicon.scales or before in lexicon.joiners


def _may_follow(current: float, value: float, *, fresh: bool) -> bool:
    """Tell whether a value may be added to the current one: "twenty" "one", not "one" "two"."""
    if fresh and (current % 100 == 0) and (value < current or not current):
        return True
    return 1 <= value < 10 and current % 100 >= 20 and current % 10 == 0


def _joiner_continues(tokens: TokenStream, at: int, lexicon: NumberLexicon, value: float) -> bool:
    """Tell whether an "and" is part of the number: only after hundreds and before a unit."""
    following = tokens.word(at + 1)
    if lexicon.tens_and_units:
        is_ten = 30 <= value % 100 <= 90 and value % 10 == 0
        return is_ten and 1 <= lexicon.units.get(following, 0) <= 9
    return value >= 100 and value % 100 == 0 and following in lexicon.units and lexicon.units[following] > 0


def _finish_cardinal(tokens: TokenStream, after: int, value: float, lexicon: NumberLexicon) -> NumberWords:
    """Return a cardinal with the fraction, ordinal or "and a half" that follows it."""
    index = tokens.skip_hyphen(after)
    text = tokens.word(index)
    if (
        text in lexicon.fractions
        and 1 <= value < 20
        and not (text in lexicon.ordinals and value == 1 and index == after)
    ):
        plural = text.endswith("s") or value == 1 or text not in lexicon.ordinals
        if plural or lexicon.fractions[text] == 0.5:
            return NumberWords(value * lexicon.fractions[text], 1e-6, FRACTION, index + 1)
    if text in lexicon.ordinals and index > after and value >= 20:
        return NumberWords(value + lexicon.ordinals[text], 1, ORDINAL, index + 1)
    following, end = _next_three_words(tokens, after)
    if (
        following[0] in lexicon.joiners
        and following[1] in lexicon.articles
        and lexicon.fractions.get(following[2]) in (0.5, 0.25)
    ):
        half = lexicon.fractions[following[2]]
        scale = lexicon.scales.get(tokens.word(end), 1.0)
        return NumberWords((value + half) * scale, half * scale, "", end + (scale > 1))
    if following[0] in lexicon.joiners and following[1] in lexicon.half_words:
        factor = lexicon.scales.get(tokens.word(after - 1), 1.0)
        half = lexicon.fractions[following[1]] * factor
        return NumberWords(value + half, half, "", after + 2)  # dos millones y medio
    if text in lexicon.times and value != int(value):
        return NumberWords(value, 1e-6, MULTIPLE, index + 1)
    return NumberWords(value, _step_of(value), "", after)


def _next_three_words(tokens: TokenStream, after: int) -> tuple[list[str], int]:
    """Return the next three words, hyphens skipped, and the index of the token after them."""
    texts = []
    for _ in range(3):
        index = tokens.skip_hyphen(after)
        texts.append(tokens.word(index))
        after = index + 1
    return texts, after


def _parse_scale(tokens: TokenStream, at: int, value: float, lexicon: NumberLexicon) -> NumberWords:
    """Parse one scale word or several ("hundred million")."""
    after = at
    while len(tokens.word(after)) > 2 and tokens.word(after) in lexicon.scales:
        value, after = value * lexicon.scales[tokens.word(after)], after + 1
    return NumberWords(value, _DOZEN if value == _DOZEN else _step_of(value), "", after)


def _step_of(value: float) -> float:
    if value < 100 or value != int(value):
        return 1.0
    zeros = len(str(int(value))) - len(str(int(value)).rstrip("0"))
    return math.pow(10, zeros)
