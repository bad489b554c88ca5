"""Finds the figures of a text: digits and words, with scale, unit and hedge.

Results of games and votes, "2-1": two figures that only count together. Pure.

Shares that a text tells by two figures: "one in five", "7 of the 12".
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from pipeline.checks.numbers.lexicon import CURRENCY_CODES, NumberLexicon, number_lexicon
from pipeline.checks.numbers.models import FRACTION, MONEY, ORDINAL, PERCENT, PLAIN, YEAR, NumberMention
from pipeline.checks.numbers.tokenize import (
    HYPHENS,
    VULGAR_FRACTIONS,
    Token,
    TokenStream,
    parse_number_words,
    token_value,
)
from pipeline.checks.numbers.units import find_hedge, following_unit, has_no_unit, with_unit

_MAX_DENOMINATOR = 10
"""Denominator of the finest fraction that texts write with a slash, tens and hundreds apart."""
_FRACTION_STEP = 1e-6
"""Step of a fraction."""
_RANGE_JOINERS = frozenset(
    ("-", "–", "—", "/", "to", "and", "or", "instead of", "bis", "und", "oder", "statt", "auf")
)
"""What stands between the two ends of a range, or between two amounts that share a unit."""

_Parsed = tuple[NumberMention, int]
"""A figure, and the place behind it."""


@lru_cache(maxsize=8)
def extract_numbers(text: str, language: str) -> tuple[NumberMention, ...]:
    """Return the figures of a text in their order; none where the language has no table."""
    lexicon = number_lexicon(language)
    return tuple(_with_range_units(_extract_all(TokenStream(text), lexicon), text)) if lexicon else ()


def _extract_all(tokens: TokenStream, lexicon: NumberLexicon) -> list[NumberMention]:
    mentions: list[NumberMention] = []
    end = 0
    for at in tokens.number_starts(lexicon.starts, every=lexicon.compounds):
        parsed = _number_at(tokens, lexicon, at) if at >= end else None
        if parsed is None:
            continue
        mention, end = parsed
        mentions.append(
            mention._replace(
                hedge=find_hedge(tokens, lexicon, at),
                bare=has_no_unit(tokens, lexicon, end),
                later_unit=following_unit(tokens, lexicon, end),
            )
        )
        end = max(end, at + 1)
    return mentions


def _number_at(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    """Return the figure that begins at a place."""
    token = tokens[at]
    if token.kind == "number":
        return _number_in_digits(tokens, lexicon, at)
    if token.kind == "word":
        return _number_in_words(tokens, lexicon, at)
    if token.text in VULGAR_FRACTIONS:
        fraction = NumberMention(
            token.start, token.end, VULGAR_FRACTIONS[token.text], _FRACTION_STEP, FRACTION
        )
        return with_unit(tokens, lexicon, fraction, at, at + 1)
    return None


def _number_in_digits(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    token, previous = tokens[at], tokens[at - 1]
    if _is_part_of_name(tokens, at) or _is_clock(tokens, lexicon, at):
        return None
    if previous.text and previous.text in "'’" and tokens.is_joined(at - 1) and len(token.text) == 2:
        return NumberMention(previous.start, token.end, 1900 + float(token.text), 1, YEAR), at + 1
    value_and_step = token_value(token.text, lexicon.decimal)
    if value_and_step is None:
        return None
    number = NumberMention(token.start, token.end, *value_and_step)
    if tokens[at + 1].text in VULGAR_FRACTIONS and number.value < 1000:
        mixed = number._replace(
            value=number.value + VULGAR_FRACTIONS[tokens[at + 1].text], step=_FRACTION_STEP
        )
        return with_unit(tokens, lexicon, mixed, at, at + 2)
    share = _slash_fraction(tokens, at, number.value)
    if share:
        fraction = number._replace(value=share, step=_FRACTION_STEP, kind=FRACTION)
        return with_unit(tokens, lexicon, fraction, at, at + 3)
    return with_unit(tokens, lexicon, number, at, at + 1)


def _is_part_of_name(tokens: TokenStream, at: int) -> bool:
    """Tell whether digits belong to a name: U2, G20, F-16."""
    previous = tokens[at - 1]
    if previous.text in HYPHENS and previous.text and tokens.is_joined(at - 1) and tokens.is_joined(at - 2):
        return tokens[at - 2].kind == "word" and tokens[at - 2].upper
    return (
        previous.kind == "word"
        and tokens.is_joined(at - 1)
        and previous.text not in CURRENCY_CODES | {"rs", "us"}
    )


def _is_clock(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> bool:
    """Tell whether digits belong to a time of day, a date, a version or an address."""
    if tokens[at + 1].text in lexicon.clock or (
        tokens[at - 1].text in ("#", "@") and tokens.is_joined(at - 1)
    ):
        return True
    for first in (at, at - 2):
        sign, other = tokens[first + 1], tokens[first + 2]
        adjacent = (
            tokens.is_joined(first)
            and tokens.is_joined(first + 1)
            and tokens[first].kind == other.kind == "number"
        )
        if adjacent and (
            sign.text in (":", "@", "#") or (sign.text == "/" and _is_date(tokens[first], other))
        ):
            return True
    return False


def _is_date(first: Token, second: Token) -> bool:
    """Tell whether two numbers with a slash between them are no fraction: 9/11, 2020/21."""
    if not (first.text.isdecimal() and second.text.isdecimal()):
        return True
    return int(first.text) >= int(second.text) or (
        int(second.text) > _MAX_DENOMINATOR and int(second.text) % 10 != 0
    )


def _slash_fraction(tokens: TokenStream, at: int, value: float) -> float | None:
    """Return the value of a fraction such as 3/4 that begins at a place."""
    denominator = tokens[at + 2]
    adjacent = tokens[at + 1].text in ("/", "⁄") and tokens.is_joined(at) and tokens.is_joined(at + 1)
    if (
        not adjacent
        or denominator.kind != "number"
        or not denominator.text.isdecimal()
        or tokens[at + 3].text == "/"
    ):
        return None
    return value / int(denominator.text) if value < int(denominator.text) < 101 else None


def _number_in_words(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    glued = (tokens[at - 1].kind == "number" and tokens.is_joined(at - 1)) or (
        tokens[at + 1].kind == "number" and tokens.is_joined(at)
    )
    parsed = None if glued else parse_number_words(tokens, at, lexicon)  # glued: a name, such as Twenty20
    if parsed is None or (
        not parsed.kind and parsed.value == 1 and tokens[at - 1].text in lexicon.unnumbered
    ):
        return None
    number = NumberMention(
        tokens[at].start, tokens[parsed.after - 1].end, parsed.value, parsed.step, parsed.kind, spelled=True
    )
    return with_unit(tokens, lexicon, number, at, parsed.after)


def _with_range_units(mentions: list[NumberMention], text: str) -> list[NumberMention]:
    """Let both ends of a range have the unit and the scale that one of them names."""
    for index, (_, second) in enumerate(pairwise(list(mentions))):
        first = mentions[index]
        if text[first.end : second.start].strip() not in _RANGE_JOINERS or first.kind in (YEAR, ORDINAL):
            continue
        factor = second.step if second.step >= 1000 and first.value < second.step else 1.0
        scaled = first._replace(value=first.value * factor, step=first.step * factor)
        if not first.kind and second.kind not in ("", YEAR, ORDINAL):
            mentions[index] = scaled._replace(kind=second.kind, unit=second.unit)
        elif first.kind == MONEY and not second.kind:
            mentions[index] = scaled
            mentions[index + 1] = second._replace(kind=first.kind, unit=first.unit)
    return mentions


_MAX_SCORE = 1000
"""Figures from here on stand for years and amounts, and a hyphen between them for a range."""

Score = frozenset[float]


def extract_scores(mentions: Sequence[NumberMention], text: str) -> dict[int, Score]:
    """Return the place of each figure of a result → the result, in whatever order it is told."""
    results: dict[int, Score] = {}
    for first, second in pairwise(mentions):
        between = text[first.end : second.start].strip()
        if len(between) == 1 and between in HYPHENS and _may_be_score(first) and _may_be_score(second):
            results[first.start] = results[second.start] = frozenset((first.value, second.value))
    return results


def _may_be_score(mention: NumberMention) -> bool:
    return mention.kind == PLAIN and not mention.spelled and mention.value < _MAX_SCORE and mention.whole


_MAX_SHARE_CHARS = 24
"""Characters at most between the two."""


def extract_shares(mentions: Sequence[NumberMention], text: str, language: str) -> list[NumberMention]:
    """Return a fraction for each pair of neighbours that tells one."""
    lexicon = number_lexicon(language)
    shares: list[NumberMention] = []
    for first, second in pairwise(mentions):
        between = text[first.end : second.start]
        if lexicon is None or len(between) > _MAX_SHARE_CHARS or not 0 < first.value < second.value:
            continue
        if {first.kind, second.kind} & {ORDINAL, PERCENT, YEAR, FRACTION}:
            continue
        if set(between.casefold().split()) & lexicon.ratio:
            value = first.value / second.value
            shares.append(NumberMention(first.start, second.end, value, 1e-6, FRACTION))
    return shares
