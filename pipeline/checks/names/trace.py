"""Where the source has the names that a draft has."""

from collections.abc import Iterator, Sequence

from pipeline.checks.names.find import Part, names
from pipeline.checks.names.lexicon import lexicon
from pipeline.checks.reading import TRACED, Case, Reading, Trace

_LOOKED_AT = 50
"""Places of a name's first word that are looked at."""


def trace_names(case: Case) -> list[Trace]:
    """Return the names of a draft that stand in the source, whole or by their last word, with the places."""
    words = lexicon(case.language)
    if words is None:
        return []
    found = []
    for name in names(case.draft, case.language, words):
        places = list(_whole(case.source, name)) or list(_last(case.source, name))
        if places:
            found.append(Trace("name", (name[0].start, name[-1].end), tuple(places[:TRACED])))
    return found


def _whole(source: Reading, name: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Yield where all words of a name stand in their order."""
    wanted = [_bare(part.folded) for part in name]
    for first in source.where.get(name[0].folded, ())[:_LOOKED_AT]:
        there = [_bare(word) for word in source.folded[first : first + len(wanted)]]
        if there == wanted:
            yield source.words[first].start, source.words[first + len(wanted) - 1].end


def _last(source: Reading, name: Sequence[Part]) -> Iterator[tuple[int, int]]:
    """Yield where the last word stands: a person is called so after the first time."""
    word = _bare(name[-1].folded)
    for at in (*source.where.get(word, ()), *source.where.get(f"{word}'s", ()))[:TRACED]:
        yield source.words[at].start, source.words[at].end


def _bare(word: str) -> str:
    return word.removesuffix("'s")
