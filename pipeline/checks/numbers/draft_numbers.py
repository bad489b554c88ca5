"""The numbers of a draft with the words around them."""

import re
from collections.abc import Set
from functools import cached_property
from itertools import pairwise

from pipeline.checks.dates.extract import date_spans, extract_dates
from pipeline.checks.numbers.clock_times import spoken_clock_spans
from pipeline.checks.numbers.context import ContextIndex, NumberContext
from pipeline.checks.numbers.extract import extract_numbers, extract_shares
from pipeline.checks.numbers.lexicon import NumberLexicon, number_lexicon
from pipeline.checks.numbers.models import ORDINAL, PLAIN, TIME, YEAR, NumberMention
from pipeline.checks.numbers.severity import MAX_COUNTED
from pipeline.checks.tokens import TokenizedText

_WHOLE_UNITS = {(12, "month"), (7, "day"), (60, "minute"), (60, "second"), (10, "year"), (4, "week")}
"""Numbers of a unit of time that make a larger one."""
_MAX_NUMBERED = 20
"""Highest number of a step or list item that is not looked for in the source. Chosen, not measured."""
_MAX_LINE_START = 40
"""Characters before a number that are read for the beginning of its line. Chosen, not measured."""
_MAX_WIN_DISTANCE = 4
"""Words from "first" to the win that it counts. Chosen, not measured."""
_WORDS_BEFORE, _WORDS_AFTER = 8, 4
"""Words around a number that may name the arithmetic behind it: "more", "together". Chosen, not measured."""

_MAX_DAY = 31
_MAX_DAY_DISTANCE = 28
"""Characters from the first day of two to the date with the month. Chosen, not measured."""
_DAY_JOINER = re.compile(
    r"\.? ?(?:[-–,/&]|and|or|to|und|bis|oder|beziehungsweise|bzw\.|y|al?|o)"
    r"(?: \w+,?)?(?: the| dem| den| el)? ?"
)
"""What lies between two days of one month."""


class DraftNumbers:
    """The numbers of one draft, and what its words say about each of them."""

    def __init__(self, draft: TokenizedText, language: str, lexicon: NumberLexicon) -> None:
        self._draft = draft
        self._language = language
        self._lexicon = lexicon
        self._contexts = ContextIndex(draft, lexicon)
        self.claims = numbers_outside_dates(draft.text, language)

    def context_of(self, claim: NumberMention) -> NumberContext:
        """Return the context of a number of the draft."""
        return self._contexts.context_of(claim)

    @cached_property
    def heads(self) -> Set[tuple[float, str]]:
        """Return the value of each number with the head of its context."""
        return {(claim.value, self.context_of(claim).head) for claim in self.claims}

    @cached_property
    def values(self) -> set[tuple[float, str]]:
        """Return the values of all numbers with their units."""
        return {(claim.value, claim.unit) for claim in self.claims}

    def values_beside(self, claim: NumberMention) -> set[tuple[float, str]]:
        """Return the values with their units of the other numbers in the sentence of a number."""
        begin, end = self._draft.sentence_words(self._draft.between(claim.start, claim.end)[0])
        first, last = self._draft.words[begin].start, self._draft.words[end - 1].end
        beside = (each for each in self.claims if first <= each.start < last and each.start != claim.start)
        return {(each.value, each.unit) for each in beside}

    def text_of(self, claim: NumberMention) -> str:
        """Return a number as the draft writes it."""
        return self._draft.text[claim.start : claim.end]

    @cached_property
    def shares(self) -> dict[int, NumberMention]:
        """Return the start of each number of a share in the draft ("nine out of ten") → the share."""
        shares = extract_shares(self.claims, self._draft.text, self._language)
        by_place = {share.start: share for share in shares} | {share.end: share for share in shares}
        pairs = ((claim, by_place.get(claim.start) or by_place.get(claim.end)) for claim in self.claims)
        return {claim.start: _tenths(share, claim) for claim, share in pairs if share}

    def next_word(self, claim: NumberMention) -> str:
        """Return the word after a number, case folded; empty at the end."""
        _, last = self._draft.between(claim.start, claim.end)
        return self._draft.folded[last] if last < len(self._draft.folded) else ""

    def previous_word(self, claim: NumberMention) -> str:
        """Return the word before a number, case folded; empty at the beginning."""
        first, _ = self._draft.between(claim.start, claim.end)
        return self._draft.folded[first - 1] if first else ""

    def is_age_decade(self, claim: NumberMention) -> bool:
        """Tell whether a number is the decade of an age: "Mitte 20"."""
        return claim.value in range(20, 100, 10) and self.previous_word(claim) in self._lexicon.ages

    def is_numbering(self, claim: NumberMention) -> bool:
        """Tell whether a number is that of a list item or a step."""
        if claim.spelled or claim.kind != PLAIN or claim.value > _MAX_NUMBERED:
            return False
        line = self._draft.text[max(0, claim.start - _MAX_LINE_START) : claim.start].rpartition("\n")
        starts_line = not line[2].strip(" *#>-") and (bool(line[1]) or claim.start < _MAX_LINE_START)
        item = starts_line and self._draft.text[claim.end : claim.end + 2] in (". ", ") ")
        return item or self.previous_word(claim) in self._lexicon.numbered

    def hedge(self, claim: NumberMention) -> str:
        """Return the hedge as the draft writes it."""
        before = self._draft.text[max(0, claim.start - 30) : claim.start].split()
        phrases = (f"{first} {second}" for first, second in pairwise(before))
        words = [each for pair in zip(before, (*phrases, ""), strict=False) for each in pair]
        hedges = self._lexicon.hedges
        return next((word for word in reversed(words) if word.casefold() in hedges), claim.hedge)

    def is_counted_by_writer(self, claim: NumberMention) -> bool:
        """Tell whether the writer counted what the source lists: "two reasons"."""
        first, last = self._draft.between(claim.start, claim.end)
        following = self._draft.folded[first : last + 2]
        return claim.value <= MAX_COUNTED and any(word in self._lexicon.counted for word in following)

    def words_around(self, claim: NumberMention) -> set[str]:
        """Return the words of the sentence that may name the arithmetic behind a number."""
        first, last = self._draft.between(claim.start, claim.end)
        begin, end = self._draft.sentence_words(first)
        words = self._draft.folded
        return {
            *words[max(begin, first - _WORDS_BEFORE) : first],
            *words[last : min(end, last + _WORDS_AFTER)],
        }

    def is_article(self, claim: NumberMention) -> bool:
        """Tell whether a number is an article and a unit of time: "a year"."""
        is_unit = claim.spelled and claim.kind == TIME and claim.value == 1
        return is_unit and self.text_of(claim).casefold().split()[0] in self._lexicon.articles

    def is_distance(self, claim: NumberMention) -> bool:
        """Tell whether a time is a distance from another: "a year earlier"."""
        return bool({self.next_word(claim), self.previous_word(claim)} & self._lexicon.shifts)

    def is_first_occasion(self, claim: NumberMention) -> bool:
        """Tell whether an ordinal counts occasions: "the first time", "their first league win"."""
        _, last = self._draft.between(claim.start, claim.end)
        _, end = self._draft.sentence_words(max(0, last - 1))
        following = self._draft.folded[last : min(end, last + _MAX_WIN_DISTANCE)]
        return self.next_word(claim) in self._lexicon.occasions or any(
            word in self._lexicon.wins for word in following
        )

    def day_of(self, claim: NumberMention) -> int:
        """Return the day that an ordinal beside a month is: "in January, on the 13th"; 0 where it is none."""
        if claim.kind != ORDINAL or not claim.bare:
            return 0
        begin, end = self._draft.sentence_words(self._draft.between(claim.start, claim.end)[0])
        first, last = self._draft.words[begin].start, self._draft.words[end - 1].end
        dates = extract_dates(self._draft.text, self._language)
        return int(claim.value) if any(each.month and first <= each.start < last for each in dates) else 0

    def is_calendar(self, claim: NumberMention) -> bool:
        """Tell whether a time is a larger unit in smaller ones, or the first part of a year."""
        if claim.kind != TIME:
            return False
        is_whole = (claim.value, claim.unit) in _WHOLE_UNITS
        return is_whole or self._lexicon.ordinals.get(self.previous_word(claim)) == 1

    def is_in_name(self, claim: NumberMention) -> bool:
        """Tell whether a number with a capital follows a word with one: "League Two"."""
        if not self._draft.text[claim.start].isupper():
            return False
        before = self._draft.text[max(0, claim.start - _MAX_LINE_START) : claim.start].split()
        return bool(before) and before[-1][:1].isupper() and before[-1][-1:].isalpha()


def numbers_outside_dates(text: str, language: str) -> list[NumberMention]:
    """Return the numbers of a text outside its dates and times. Years stay, to derive differences from."""
    lexicon = number_lexicon(language)
    clocks = spoken_clock_spans(text, lexicon) if lexicon else []
    spans = iter(sorted([*date_spans(text, language), *clocks]))
    start, end = next(spans, (len(text), len(text)))
    mentions = []
    for mention in extract_numbers(text, language):
        while end <= mention.start:
            start, end = next(spans, (len(text), len(text) + 1))
        if mention.kind == YEAR or (mention.end <= start and not _is_day_before(mention, start, text)):
            mentions.append(mention)
    return mentions


def _is_day_before(mention: NumberMention, start: int, text: str) -> bool:
    """Tell whether a number is a day whose month follows with the next: "Friday 17 and Saturday 18 April"."""
    if mention.spelled or not 1 <= mention.value <= _MAX_DAY or mention.kind not in (PLAIN, ORDINAL):
        return False
    return start - mention.end <= _MAX_DAY_DISTANCE and bool(_DAY_JOINER.fullmatch(text[mention.end : start]))


def _tenths(share: NumberMention, claim: NumberMention) -> NumberMention:
    """Return a share of the draft as precise as it is written: "nine out of ten" is rounded to tenths."""
    step = 0.1 if abs(share.value * 10 - round(share.value * 10)) < 1e-9 else share.value * 0.1
    return share._replace(step=step, hedge=claim.hedge, spelled=claim.spelled)
