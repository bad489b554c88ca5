"""The date of the source that a wrong date of the draft most likely stands for."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.checks.dates.extract import CLOCK, DATE, DECADE, QUARTER, RELATIVE, SEASON, WEEKDAY, DateMention
from pipeline.checks.dates.lexicon import DateLexicon

_MAX_YEAR_DISTANCE = 10
"""Years up to which one year may stand for another. Chosen, not measured."""
_SMALL_NUMBER = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_WORD = re.compile(r"[^\W\d_]{3,}")


class Alternative(NamedTuple):
    """What the text of a date should be, and where the source has it."""

    text: str
    evidence: tuple[tuple[int, int], ...]


_NONE = Alternative("", ())


class Alternatives:
    """The dates of a source by their kind, each form once."""

    def __init__(self, mentions: Iterable[DateMention], text: str, lexicon: DateLexicon | None) -> None:
        self._text = text
        self._lexicon = lexicon
        distinct: dict[tuple[object, ...], DateMention] = {}
        for mention in mentions:
            if mention.certain:
                distinct.setdefault((mention.kind, *_value(mention)), mention)
        self._by_kind: dict[str, list[DateMention]] = {}
        for mention in distinct.values():
            self._by_kind.setdefault(mention.kind, []).append(mention)

    def of(self, claim: DateMention, phrase: str) -> Alternative:
        """Return the one date that differs from a claim in a single part; none where there are several."""
        near = [each for each in self._by_kind.get(claim.kind, ()) if _is_near(claim, each)]
        if len({_compared(claim, each) for each in near}) != 1:
            return _NONE
        chosen = near[0]
        return Alternative(self._written(claim, phrase, chosen), ((chosen.start, chosen.end),))

    def weekday(self, phrase: str, claim: DateMention, number: int) -> str:
        """Return a weekday in the form of the claim: with its ending, and its capital letter."""
        if self._lexicon is None:
            return ""
        old = [name for name, at in self._lexicon.weekdays.items() if at == claim.number]
        ending = phrase[max((len(name) for name in old if phrase.casefold().startswith(name)), default=0) :]
        name = self._lexicon.weekday_names[number]
        return (name.capitalize() if phrase[:1].isupper() else name) + ending

    def _written(self, claim: DateMention, phrase: str, chosen: DateMention) -> str:
        """Return a date of the source in the form of the claim, where only one part of it changes."""
        own_words = self._text[chosen.start : chosen.end]
        if claim.kind == WEEKDAY:
            return self.weekday(phrase, claim, chosen.number)
        if claim.kind == DECADE:
            return phrase.replace(str(claim.year), str(chosen.year))
        if claim.kind != DATE or claim.last > 0:
            return own_words
        if claim.month != chosen.month:
            return _with_month(phrase, own_words)
        if claim.days and claim.days != chosen.days:
            return _with_days(phrase, chosen.days) or own_words
        return phrase.replace(str(claim.year), str(chosen.year)) if claim.year and chosen.year else own_words


def _with_month(phrase: str, own_words: str) -> str:
    """Return a phrase with the month of other words; the other words where one of them has none."""
    old, new = (max(_WORD.findall(text), key=len, default="") for text in (phrase, own_words))
    return phrase.replace(old, new) if old and new and not re.search(r"[-/.]\d", phrase) else own_words


def _with_days(phrase: str, days: Sequence[int]) -> str:
    """Return a phrase with other days; "" where it has ordinals or a month in figures."""
    numbers = list(_SMALL_NUMBER.finditer(phrase))
    if len(numbers) != len(days) or any(phrase[each.end() :][:1].isalpha() for each in numbers):
        return ""
    replaced = iter(days)
    return _SMALL_NUMBER.sub(lambda _: str(next(replaced)), phrase)


def _value(mention: DateMention) -> tuple[object, ...]:
    return (mention.days, mention.month, mention.year, mention.number, mention.unit, mention.last)


def _compared(claim: DateMention, other: DateMention) -> tuple[object, ...]:
    """Return the parts by which dates of the source differ for a claim: for a month alone, the month."""
    if claim.kind == DATE and not claim.days and not (claim.month and claim.year):
        return (other.month if claim.month else other.year, other.last)
    return _value(other)


def _is_near(claim: DateMention, other: DateMention) -> bool:
    """Tell whether a date of the source has the form of a claim and differs from it in one part only."""
    if claim.kind == DATE:
        return _is_near_date(claim, other)
    if claim.kind == RELATIVE:
        return claim.unit == other.unit
    if claim.kind == CLOCK:
        return other.last == claim.last and _share(claim.number, other.number)
    if claim.kind == DECADE:
        return True
    return claim.kind in (WEEKDAY, QUARTER, SEASON) and other.year == claim.year


def _share(minute: int, other: int) -> bool:
    """Tell whether two minutes of the day have the same hour or the same minute past it."""
    return minute // 60 % 12 == other // 60 % 12 or minute % 60 == other % 60


def _is_near_date(claim: DateMention, other: DateMention) -> bool:
    if claim.last > 0 or other.last > 0:
        return claim.last > 0 and (claim.last == other.last or claim.year == other.year)
    if not claim.month:
        return bool(other.year) and abs(claim.year - other.year) <= _MAX_YEAR_DISTANCE
    if not claim.days and not claim.year:
        return bool(other.month)
    if not other.month or len(claim.days) != len(other.days):
        return False
    same_year = claim.year == other.year or not (claim.year and other.year)
    if claim.days == other.days and claim.month == other.month:
        return not same_year
    return same_year and (claim.month == other.month or claim.days == other.days)
