"""A source's figures, found by value: what a draft's figure may follow from, without looking at every one."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property

from pipeline.checks.figures.hold import in_base
from pipeline.checks.figures.records import FRACTION, MULTIPLE, ORDINAL, PERCENT, YEAR, Figure

_MOST = 80
"""Figures on either side of a value that are looked at: keeps the work linear on texts full of numbers."""
_LOW, _HIGH = 0.5, 1.6
"""How far off a figure's value another may be that it rounds."""
_REACH = 10
"""How many figures on the second operand of a sum may stand: linear again, and chance kept out."""
_FACTORS = (1.0, 100.0, 0.01)
"""Between a share and percent, percent and basis points, dollars and cents."""

Pair = tuple[int, int]


class Given:
    """The figures of a source, the shares that it tells by two of them included."""

    def __init__(self, own: Sequence[Figure], shares: Sequence[Figure]) -> None:
        self.own = own
        self._every = (*own, *shares)
        self._plain = sorted((each.value, number) for number, each in enumerate(self._every))
        self._bases = _by_base(self._every)

    def like(self, told: Figure) -> list[Figure]:
        """Return the figures that a draft's may repeat, round or convert, in the order of the source."""
        found: set[int] = set()
        for factor in _FACTORS if told.kind not in ("", YEAR, ORDINAL) else _FACTORS[:1]:
            found.update(_around(self._plain, told.value * factor))
        base = in_base(told)
        if base:
            found.update(_around(self._bases.get(base[0], []), base[1]))
        return [self._every[number] for number in sorted(found)]

    def pairs(self, told: Figure) -> list[tuple[Figure, Figure]]:
        """Return the pairs that a draft's figure may be worked out from, in the order of the source."""
        if told.kind == MULTIPLE:
            table, value = self._ratios, told.value if told.value >= 1 else 1 / max(told.value, 1e-9)
        else:
            value = told.value * 100 if told.kind == FRACTION else told.value
            table = self._shares if told.kind in (PERCENT, FRACTION) else self._sums
        every = sorted({self._paired[number] for number in _around(table, value)})
        return [(self.own[one], self.own[other]) for one, other in every]

    @cached_property
    def _paired(self) -> list[Pair]:
        near = [
            (number, other)
            for number, one in enumerate(self.own)
            for other in range(number + 1, min(number + 1 + _REACH, len(self.own)))
            if one.kind == self.own[other].kind and one.unit == self.own[other].unit
        ]
        years = [number for number, one in enumerate(self.own) if one.kind == YEAR]
        # A text's first year is mostly its own, from which any other is counted.
        return near + [(years[0], other) for other in years[1:] if other > years[0] + _REACH]

    def _values(self) -> Iterator[tuple[int, float, float]]:
        for number, (one, other) in enumerate(self._paired):
            values = self.own[one].value, self.own[other].value
            yield number, min(values), max(values)

    @cached_property
    def _sums(self) -> list[tuple[float, int]]:
        return sorted(
            (value, number) for number, low, high in self._values() for value in (low + high, high - low)
        )

    @cached_property
    def _shares(self) -> list[tuple[float, int]]:
        shares = [
            (100 * value, number)
            for number, low, high in self._values()
            if low > 0
            for value in (low / high, (high - low) / low, (high - low) / high)
        ]
        return sorted(shares + self._sums)

    @cached_property
    def _ratios(self) -> list[tuple[float, int]]:
        return sorted((high / low, number) for number, low, high in self._values() if low > 0)


def _by_base(every: Sequence[Figure]) -> dict[str, list[tuple[float, int]]]:
    found: dict[str, list[tuple[float, int]]] = {}
    for number, each in enumerate(every):
        base = in_base(each)
        if base:
            found.setdefault(base[0], []).append((base[1], number))
    return {name: sorted(values) for name, values in found.items()}


def _around(table: Sequence[tuple[float, int]], value: float) -> Iterator[int]:
    """Yield the numbers of those whose value is near, the nearest first on each side."""
    middle = bisect_left(table, (value, -1))
    for at in range(middle, min(middle + _MOST, len(table))):
        if table[at][0] > value * _HIGH:
            break
        yield table[at][1]
    for at in range(middle - 1, max(middle - 1 - _MOST, -1), -1):
        if table[at][0] < value * _LOW:
            break
        yield table[at][1]
