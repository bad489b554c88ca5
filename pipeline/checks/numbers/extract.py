"""Extracts the numbers of a text, in digits and words, with scale, unit and hedge; also shares."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from pipeline.checks.numbers.lexicon import CURRENCY_CODES, NumberLexicon, number_lexicon
from pipeline.checks.numbers.models import FRACTION, MONEY, ORDINAL, PERCENT, TIME, YEAR, NumberMention
from pipeline.checks.numbers.tokenize import (
    HYPHENS,
    VULGAR_FRACTIONS,
    Token,
    TokenStream,
    decimal_sign,
    parse_number_words,
    token_value,
)
from pipeline.checks.numbers.units import (
    find_hedge,
    find_rate,
    following_unit,
    has_no_unit,
    is_year,
    with_unit,
)

_MAX_DENOMINATOR = 10
"""Largest denominator of a fraction written with a slash, multiples of ten excepted. Chosen, not measured."""
_FRACTION_STEP = 1e-6
"""Precision of a fraction, whose value is exact."""
_RANGE_JOINERS = frozenset(
    (
        "-",
        "–",
        "—",
        "/",
        "×",
        "x",
        "by",
        "mal",
        "to",
        "and",
        "or",
        "instead of",
        "bis",
        "und",
        "oder",
        "statt",
        "auf",
        "a",
        "al",
        "y",
        "y el",
        "y un",
        "o",
        "o el",
        "por",
        "en lugar de",
        "en vez de",
    )
)
"""Text between the two ends of a range, or between two amounts that share a unit."""

_Parsed = tuple[NumberMention, int]
"""A number, and the index of the token after it."""


@lru_cache(maxsize=8)
def extract_numbers(text: str, language: str) -> tuple[NumberMention, ...]:
    """Return the numbers of a text in order; none where the language has no table."""
    lexicon = number_lexicon(language)
    if lexicon and lexicon.either_decimal:
        lexicon = lexicon._replace(decimal=decimal_sign(text, lexicon.decimal))
    return tuple(_with_range_units(_extract_all(TokenStream(text), lexicon), text)) if lexicon else ()


def _extract_all(tokens: TokenStream, lexicon: NumberLexicon) -> list[NumberMention]:
    mentions: list[NumberMention] = []
    end = 0
    for at in tokens.number_starts(lexicon.starts, every=lexicon.compounds):
        parsed = _number_at(tokens, lexicon, at) if at >= end else None
        if parsed is None:
            continue
        mention, end = parsed
        rate, after_rate = find_rate(tokens, lexicon, end)
        mentions.append(
            mention._replace(
                hedge=find_hedge(tokens, lexicon, at) or _rough_hedge(tokens, lexicon, at),
                bare=has_no_unit(tokens, lexicon, end) or tokens[at - 1].text == "=",
                later_unit="" if rate else following_unit(tokens, lexicon, end),
                rate=rate,
                rate_end=tokens[after_rate - 1].end if rate else 0,
            )
        )
        end = max(end, after_rate, at + 1)
    return mentions


def _rough_hedge(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> str:
    """Return the hedge of a number in words that is a rough one: "una veintena", "medio centenar"."""
    return "about" if {tokens.word(at), tokens.word(at + 1)} & lexicon.rough else ""


def _number_at(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    """Return the number that begins at a token."""
    token = tokens[at]
    if token.kind == "number":
        return _number_in_digits(tokens, lexicon, at)
    if token.kind == "word":
        return _number_in_words(tokens, lexicon, at)
    if token.text in VULGAR_FRACTIONS:
        value = VULGAR_FRACTIONS[token.text]
        fraction = NumberMention(token.start, token.end, value, _FRACTION_STEP, FRACTION)
        return with_unit(tokens, lexicon, fraction, at, at + 1)
    return None


def _number_in_digits(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    token, previous = tokens[at], tokens[at - 1]
    if _is_part_of_name(tokens, at) or (
        _is_clock(tokens, lexicon, at) and not _is_colon_score(tokens, lexicon, at)
    ):
        return None
    if previous.text and previous.text in "'’" and tokens.is_joined(at - 1) and len(token.text) == 2:
        return NumberMention(previous.start, token.end, 1900 + float(token.text), 1, YEAR), at + 1
    if century := _century_of_range(tokens, at):
        return NumberMention(token.start, token.end, century + float(token.text), 1, YEAR), at + 1
    value_and_step = token_value(token.text, lexicon.decimal)
    if value_and_step is None:
        return None
    number = NumberMention(token.start, token.end, *value_and_step)
    if tokens[at + 1].text in VULGAR_FRACTIONS and number.value < 1000:
        value = number.value + VULGAR_FRACTIONS[tokens[at + 1].text]
        return with_unit(tokens, lexicon, number._replace(value=value, step=_FRACTION_STEP), at, at + 2)
    if hundreds := _hundreds_after_thousand(tokens, lexicon, at):
        value = number.value * 1000 + hundreds
        step = 100.0 if hundreds % 100 == 0 else 1.0
        return with_unit(tokens, lexicon, number._replace(value=value, step=step), at, at + 3)
    share = _slash_fraction(tokens, at, number.value)
    if share:
        fraction = number._replace(value=share, step=_FRACTION_STEP, kind=FRACTION)
        return with_unit(tokens, lexicon, fraction, at, at + 3)
    return with_unit(tokens, lexicon, number, at, at + 1)


def _hundreds_after_thousand(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> float:
    """Return what follows the thousands of a number in figures: 200 in "43 mil 200"; 0 where nothing does."""
    word, last = tokens.word(at + 1), tokens[at + 2]
    is_thousand = len(word) > 2 and lexicon.scales.get(word) == 1000
    gap = tokens.text[tokens[at + 1].end : max(last.start, 0)]
    is_last = last.kind == "number" and last.text.isdecimal() and len(last.text) <= 3 and gap == " "
    return float(last.text) if is_thousand and is_last and tokens[at].text.isdecimal() else 0.0


def _is_part_of_name(tokens: TokenStream, at: int) -> bool:
    """Tell whether digits are part of a name: U2, G20, F-16."""
    previous = tokens[at - 1]
    if previous.text in HYPHENS and previous.text and tokens.is_joined(at - 1) and tokens.is_joined(at - 2):
        return tokens[at - 2].kind == "word" and tokens[at - 2].upper
    is_currency = previous.text in CURRENCY_CODES or previous.text in ("rs", "us")
    return previous.kind == "word" and tokens.is_joined(at - 1) and not is_currency


def _is_clock(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> bool:
    """Tell whether digits are part of a time of day, a date, a version or an address."""
    if tokens[at + 1].text in lexicon.clock:
        return True
    if tokens[at - 1].text in ("#", "@") and tokens.is_joined(at - 1):
        return True
    for index in (at, at - 2):
        first, sign, second = tokens[index], tokens[index + 1], tokens[index + 2]
        adjacent = tokens.is_joined(index) and tokens.is_joined(index + 1)
        if not adjacent or first.kind != "number" or second.kind != "number":
            continue
        if sign.text in (":", "@", "#") or (sign.text == "/" and _is_date(first, second)):
            return True
    return False


def _century_of_range(tokens: TokenStream, at: int) -> int:
    """Return the century of the second year of a range such as 2007–11; 0 where there is none."""
    year, sign, last = tokens[at - 2], tokens[at - 1], tokens[at]
    joined = tokens.is_joined(at - 2) and tokens.is_joined(at - 1)
    next_year = year.text[2:].isdecimal() and f"{int(year.text[2:]) + 1:02}" == last.text  # "2010 - 11"
    is_range = sign.text != "" and sign.text in (*HYPHENS, "/") and (joined or next_year)
    is_range = is_range and tokens[at + 1].text != "%"
    if not (is_range and is_year(year.text) and len(last.text) == 2 and last.text.isdecimal()):
        return 0
    return int(year.text[:2]) * 100 if last.text > year.text[2:] else 0


def _is_colon_score(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> bool:
    """Tell whether digits are part of a score with a colon, where the language writes it so: "3:1"."""
    return lexicon.colon_scores and any(
        tokens[index + 1].text == ":"
        and tokens.is_joined(index)
        and tokens.is_joined(index + 1)
        and tokens[index].text.isdecimal()
        and len(tokens[index + 2].text) == 1
        and tokens[index + 2].text.isdecimal()
        and tokens[index + 3].text != ":"
        for index in (at, at - 2)
    )


def _is_date(first: Token, second: Token) -> bool:
    """Tell whether two numbers with a slash between them are a date, not a fraction: 9/11, 2020/21."""
    if not (first.text.isdecimal() and second.text.isdecimal()):
        return True
    numerator, denominator = int(first.text), int(second.text)
    return numerator >= denominator or (denominator > _MAX_DENOMINATOR and denominator % 10 != 0)


def _slash_fraction(tokens: TokenStream, at: int, value: float) -> float | None:
    """Return the value of a fraction such as 3/4 that begins at a token; None where there is none."""
    denominator = tokens[at + 2]
    adjacent = tokens[at + 1].text in ("/", "⁄") and tokens.is_joined(at) and tokens.is_joined(at + 1)
    if not adjacent or tokens[at + 3].text == "/":
        return None
    if denominator.kind != "number" or not denominator.text.isdecimal():
        return None
    return value / int(denominator.text) if value < int(denominator.text) < 101 else None


def _number_in_words(tokens: TokenStream, lexicon: NumberLexicon, at: int) -> _Parsed | None:
    parsed = parse_number_words(tokens, at, lexicon)
    if parsed is None:
        return None
    after_digits = tokens[at - 1].kind == "number" and tokens.is_joined(at - 1)
    if after_digits or (tokens[at + 1].kind == "number" and tokens.is_joined(at)):
        return None  # part of a name, such as Twenty20
    if not parsed.kind and parsed.value == 1 and tokens[at - 1].text in lexicon.unnumbered:
        return None
    start, end = tokens[at].start, tokens[parsed.after - 1].end
    number = NumberMention(start, end, parsed.value, parsed.step, parsed.kind, spelled=True)
    if parsed.kind in lexicon.time:
        return number._replace(kind=TIME, unit=lexicon.time[parsed.kind]), parsed.after
    return with_unit(tokens, lexicon, number, at, parsed.after)


def _with_range_units(mentions: list[NumberMention], text: str) -> list[NumberMention]:
    """Give both ends of a range the unit and the scale that one of them names; changes `mentions`."""
    for index, (_, second) in enumerate(pairwise(list(mentions))):
        first = mentions[index]
        if text[first.end : second.start].strip() not in _RANGE_JOINERS or first.kind in (YEAR, ORDINAL):
            continue
        has_scale = second.step >= 1000 and not _is_in_full(second, text)
        factor = second.step if has_scale and first.value < second.step else 1.0
        scaled = first._replace(value=first.value * factor, step=first.step * factor)
        if not first.kind and second.kind not in ("", YEAR, ORDINAL):
            mentions[index] = scaled._replace(kind=second.kind, unit=second.unit)
        elif first.kind == MONEY and not second.kind:
            mentions[index] = scaled
            mentions[index + 1] = second._replace(kind=first.kind, unit=first.unit)
    return mentions


def _is_in_full(mention: NumberMention, text: str) -> bool:
    """Tell whether a number is written with all its digits: 1,000, not 1 thousand."""
    digits = "".join(filter(str.isdecimal, text[mention.start : mention.end]))
    return digits == str(int(mention.value))


_MAX_SHARE_CHARS = 24
"""Maximum number of characters between the two numbers of a share. Chosen, not measured."""


def extract_shares(mentions: Sequence[NumberMention], text: str, language: str) -> list[NumberMention]:
    """Return a fraction for each pair of neighbouring numbers that expresses a share: "one in five"."""
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
            shares.append(NumberMention(first.start, second.end, value, _FRACTION_STEP, FRACTION))
    return shares
