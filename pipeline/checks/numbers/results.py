"""Results of games and votes in a text ("2-1", "7-5, 6-3"), and the counts that follow from them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from pipeline.checks.numbers.models import PLAIN, NumberMention
from pipeline.checks.numbers.tokenize import HYPHENS

_MAX_SCORE = 1000
"""From this value on, a hyphen between two numbers is a range, not a score. Chosen, not measured."""
_MAX_RUN = 9
"""Scores in a row of which one match consists. Chosen, not measured."""
_MAX_TOLD_CHARS = 40
"""Characters between the two numbers of a score that is told in words. Chosen, not measured."""
_BETWEEN = re.compile(r"\)?[,;]?\s(?:and\s|und\s|y\s)?")
"""What stands between the scores of one match."""
_SERIES = re.compile(r"\b(?:best[ -]of[ -]|mejor de |maximal )$", re.IGNORECASE)
"""What stands before the greatest number of games of a series."""

_Values = frozenset[float]
"""The two numbers of a score, in any order."""


class Score(NamedTuple):
    """The result of a game or vote."""

    first: NumberMention
    second: NumberMention

    @property
    def values(self) -> _Values:
        """Return the two numbers in any order: one only where they are equal."""
        return frozenset((self.first.value, self.second.value))


def extract_scores(mentions: Sequence[NumberMention], text: str) -> list[Score]:
    """Return the scores of a text: two small numbers with a hyphen or colon between them."""
    return [
        Score(first, second)
        for first, second in pairwise(mentions)
        if _is_joint(text[first.end : second.start].strip()) and _may_be_part(first) and _may_be_part(second)
    ]


def _is_joint(between: str) -> bool:
    return len(between) == 1 and between in (*HYPHENS, ":")


def _may_be_part(mention: NumberMention) -> bool:
    return mention.kind == PLAIN and not mention.spelled and mention.value < _MAX_SCORE and mention.whole


class Results:
    """The results of a source."""

    def __init__(self, mentions: Sequence[NumberMention], text: str) -> None:
        self._mentions = mentions
        self._text = text
        self._scores = extract_scores(mentions, text)

    @cached_property
    def values(self) -> set[_Values]:
        """Return the numbers of each score."""
        return {score.values for score in self._scores}

    def has(self, score: Score) -> bool:
        """Tell whether the source has a score, in figures or as "four games to two"."""
        return score.values in self.values or score.values in self._told

    def may_have(self, score: Score) -> bool:
        """Tell whether a score of the draft may be a draw on the way, or the end of a series."""
        if len(score.values) == 1 and any(max(score.values) <= min(other) for other in self.values):
            return True
        return max(score.values) in self._series_wins and min(score.values) in self._counts

    @cached_property
    def _told(self) -> set[_Values]:
        in_scores = {each.start for score in self._scores for each in score}
        return {
            frozenset((first.value, second.value))
            for first, second in pairwise(self._mentions)
            if first.kind == second.kind == PLAIN
            and second.start - first.end <= _MAX_TOLD_CHARS
            and not {first.start, second.start} & in_scores
        }

    @cached_property
    def _series_wins(self) -> set[float]:
        """Return the games that the winner of a series takes: four of a best of seven."""
        return {
            (mention.value + 1) // 2
            for mention in self._mentions
            if mention.kind == PLAIN and _SERIES.search(self._text[: mention.start][-12:])
        }

    @cached_property
    def _counts(self) -> set[float]:
        return {mention.value for mention in self._mentions if mention.kind == PLAIN}

    def count(self, claim: NumberMention) -> tuple[Score, ...]:
        """Return the scores that a number counts: games of both sides or of one, or the scores themselves."""
        if claim.kind != PLAIN or not claim.whole:
            return ()
        at = bisect_left(self._tallies, (claim.value,), key=lambda tally: (tally[0],))
        found = self._tallies[at : at + 1]
        return found[0][1] if found and found[0][0] == claim.value else ()

    @cached_property
    def _tallies(self) -> list[tuple[float, tuple[Score, ...]]]:
        return sorted(self._find_tallies(), key=lambda tally: tally[0])

    def _find_tallies(self) -> Iterator[tuple[float, tuple[Score, ...]]]:
        for score in self._scores:
            yield score.first.value + score.second.value, (score,)
        for run in self._runs():
            sides = sum(each.first.value for each in run), sum(each.second.value for each in run)
            yield from ((total, run) for total in (*sides, sum(sides), float(len(run))))

    def _runs(self) -> Iterator[tuple[Score, ...]]:
        """Yield the scores of each match; those in brackets are of a part of it."""
        run: list[Score] = []
        for score in (
            each for each in self._scores if self._text[each.first.start - 1 : each.first.start] != "("
        ):
            if run and not self._continues(run[-1], score):
                yield from (tuple(run),) if 1 < len(run) <= _MAX_RUN else ()
                run = []
            run.append(score)
        yield from (tuple(run),) if 1 < len(run) <= _MAX_RUN else ()

    def _continues(self, last: Score, score: Score) -> bool:
        between = re.sub(r"\s?\(.{1,8}\)", "", self._text[last.second.end : score.first.start])
        return len(between) <= _MAX_TOLD_CHARS and _BETWEEN.fullmatch(between) is not None
