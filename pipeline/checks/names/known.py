"""The names that a source bears out, in every form that means the same. Pure."""

from functools import cached_property
from unicodedata import combining, normalize

from pipeline.checks.names.find import Part
from pipeline.checks.names.lexicon import Lexicon
from pipeline.checks.reading import Reading

_LONGEST = 6
"""Letters of an abbreviation that is held against the words it may stand for."""
_SHORT = 3
"""Letters below which an abbreviation needs words with capitals."""


class KnownNames:
    """Answers whether a name stands in a source."""

    def __init__(self, source: Reading, words: Lexicon) -> None:
        self._source = source
        self._words = words
        self._lower = not any(word.text[0].isupper() for word in source.words)

    def has(self, part: Part, name: list[Part]) -> bool:
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

    def completes(self, part: Part, name: list[Part]) -> bool:
        """Tell whether a word that is absent only completes a name that the source has shorter."""
        others = [other for other in name if other.folded not in self._words.generic]
        return part.folded in self._words.generic and any(
            form in self._all for other in others for form in self._forms(other.folded)
        )

    def _within(self, part: Part, name: list[Part]) -> bool:
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

    def _abbreviated(self, name: list[Part]) -> bool:
        """Tell whether the source has a name of several words as their initials alone."""
        letters = "".join(part.folded[0] for part in name)
        short = len(letters) >= _SHORT and letters in self._source.where
        return short and (self._lower or self._source.text.find(letters.upper()) >= 0)


def _bare(word: str) -> str:
    """Return a word without accents."""
    if word.isascii():
        return word
    return "".join(char for char in normalize("NFKD", word) if not combining(char))
