"""The names that a source bears out, in every form that means the same. Pure.

Kind `name`: people, companies, coins and places that the source does not name.

Where the source has the names that a draft has.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from unicodedata import combining, normalize

from pipeline.checks.names.extract import Lexicon, NamePart, extract_names, lexicon
from pipeline.checks.tokens import MAX_SUPPORTS, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.models import Finding, Severity

_LONGEST = 6
"""Letters of an abbreviation that is held against the words it may stand for."""
_SHORT = 3
"""Letters below which an abbreviation needs words with capitals."""


class SourceNames:
    """Answers whether a name stands in a source."""

    def __init__(self, source: TokenizedText, words: Lexicon) -> None:
        self._source = source
        self._words = words
        self._lower = not any(word.text[0].isupper() for word in source.words)

    def has(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word of a name stands in the source, or another that says the same."""
        if part.text in ("US", "U.S.", "UK") and not self._lower:
            return self._same(part.folded)
        forms = self._forms(part.folded)
        if any(form in self._all for form in forms) or self._within(part, name):
            return True
        if any(self._same(form) for form in forms):
            return True
        if not part.text.isalpha() and part.text.casefold() in self._folded:
            return True  # of several pieces: AT&T, Post.find
        if part.capitals or "." in part.text:
            letters = "".join(char for char in part.folded if char.isalnum())
            return letters in self._all or letters in self._initials
        return self._abbreviated(name)

    def completes(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word that is absent only completes a name that the source has shorter."""
        others = [other for other in name if other.folded not in self._words.generic]
        return part.folded in self._words.generic and any(
            form in self._all for other in others for form in self._forms(other.folded)
        )

    def _within(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word belongs to a name of several that the source has in another form."""
        at = name.index(part)
        for first in range(max(0, at - 2), at + 1):
            for last in range(max(at + 1, first + 2), min(len(name), first + 3) + 1):
                phrase = " ".join(other.folded for other in name[first:last])
                if any(self._same(form) for form in self._forms(phrase)):
                    return True
        return False

    def _forms(self, word: str) -> list[str]:
        """Return a word without the endings of its forms, and each of its halves' whole."""
        forms = [word]
        for ending in self._words.endings:
            if word.endswith(ending) and len(word) - len(ending) > 1:
                forms.append(word.removesuffix(ending))
        return [*forms, *(f"{form}s" for form in forms)]

    def _same(self, word: str) -> bool:
        for other in self._words.same.get(word, ()):
            if " " in other or "-" in other:
                if f" {other.replace('-', ' ')} " in self._text:
                    return True
            elif other == "us":
                if self._country:
                    return True
            elif other in self._all:
                return True
        return False

    @cached_property
    def _country(self) -> bool:
        """Tell whether the source speaks of the US, and not of us."""
        spelled = {self._source.words[at].text for at in self._source.where.get("us", ())}
        return self._lower or "US" in spelled or "U.S" in self._source.text

    @cached_property
    def _all(self) -> frozenset[str]:
        """Return the source's words, without endings and accents too."""
        found = set(self._source.where)
        for word in self._source.where:
            found.update(_bare(word).split("'"))
            found.add(_bare(word).removesuffix("'s"))
        text = self._source.text
        if "." in text:
            found.update(piece.replace(".", "").casefold() for piece in text.split() if "." in piece[:-1])
        return frozenset(found)

    @cached_property
    def _folded(self) -> str:
        return self._source.text.casefold()

    @cached_property
    def _text(self) -> str:
        return f" {' '.join(self._source.folded)} "

    @cached_property
    def _initials(self) -> frozenset[str]:
        """Return what the first letters of neighbouring words spell, small words left out or not."""
        found: set[str] = set()
        words = [word for word in self._source.words if word.text[0].isupper() or self._lower]
        names = [word for word in words if word.folded not in self._words.small]
        for every in (words, names):
            letters = "".join(word.folded[0] for word in every)
            for size in range(2 if not self._lower else _SHORT, _LONGEST + 1):
                found.update(letters[at : at + size] for at in range(len(letters) - size + 1))
        return frozenset(found)

    def _abbreviated(self, name: list[NamePart]) -> bool:
        """Tell whether the source has a name of several words as their initials alone."""
        letters = "".join(part.folded[0] for part in name)
        short = len(letters) >= _SHORT and letters in self._source.where
        return short and (self._lower or self._source.text.find(letters.upper()) >= 0)


def _bare(word: str) -> str:
    """Return a word without accents."""
    if word.isascii():
        return word
    return "".join(char for char in normalize("NFKD", word) if not combining(char))


KIND = "name"


def check_names(case: CheckInput) -> list[Finding]:
    """Return a finding for each name, or part of one, that the source does not have.

    Block; warn where a word only completes a name ("Newcastle United").

    Names are compared whole, letter by letter but for case, accents and endings: Johnson is not Johnston.
    """
    words = lexicon(case.language)
    if words is None:
        said = f'Names are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said)]
    known = SourceNames(case.source, words)
    lower = {word.folded for word in case.draft.words if word.text.islower()}
    found = []
    for name in extract_names(case.draft, case.language, words):
        absent = [
            part for part in name if not (part.opens and part.folded in lower) and not known.has(part, name)
        ]
        for part, start, end in _spans(absent, case.draft.text, words.small):
            found.append(_finding(case, start, end, sure=not known.completes(part, name)))
    return found


def _spans(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[tuple[NamePart, int, int]]:
    """Yield the places of words, neighbours as one ("Isle of Wight"), with the first word of each."""
    for number, part in enumerate(parts):
        if number and small.issuperset(text[parts[number - 1].end : part.start].split()):
            continue
        end = part.end
        for other in parts[number + 1 :]:
            if not small.issuperset(text[end : other.start].split()):
                break
            end = other.end
        yield part, part.start, end


def _finding(case: CheckInput, start: int, end: int, *, sure: bool) -> Finding:
    said = f'"{case.draft.text[start:end]}" does not stand in the source.'
    severity = Severity.BLOCK if sure else Severity.WARN
    return Finding(kind=KIND, severity=severity, message=said, span=(start, end))


_LOOKED_AT = 50
"""Places of a name's first word that are looked at."""


def trace_names(case: CheckInput) -> list[SupportedClaim]:
    """Return the names of a draft that stand in the source, whole or by their last word, with the places."""
    words = lexicon(case.language)
    if words is None:
        return []
    found = []
    for name in extract_names(case.draft, case.language, words):
        places = list(_whole(case.source, name)) or list(_last(case.source, name))
        if places:
            found.append(SupportedClaim("name", (name[0].start, name[-1].end), tuple(places[:MAX_SUPPORTS])))
    return found


def _whole(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield where all words of a name stand in their order."""
    wanted = [_without_possessive(part.folded) for part in name]
    for first in source.where.get(name[0].folded, ())[:_LOOKED_AT]:
        there = [_without_possessive(word) for word in source.folded[first : first + len(wanted)]]
        if there == wanted:
            yield source.words[first].start, source.words[first + len(wanted) - 1].end


def _last(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield where the last word stands: a person is called so after the first time."""
    word = _without_possessive(name[-1].folded)
    for at in (*source.where.get(word, ()), *source.where.get(f"{word}'s", ()))[:MAX_SUPPORTS]:
        yield source.words[at].start, source.words[at].end


def _without_possessive(word: str) -> str:
    return word.removesuffix("'s")
