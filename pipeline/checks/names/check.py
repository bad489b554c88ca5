"""The names that a source bears out, in every form that means the same. Pure.

Kind `name`: people, companies, coins and places that the source does not name.

Where the source has the names that a draft has.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from unicodedata import combining, normalize

from pipeline.checks.names.extract import NameLexicon, NamePart, extract_names, name_lexicon
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.models import Finding, Severity

_MAX_INITIALS = 6
"""Letters of an abbreviation that is held against the words it may stand for."""
_MIN_INITIALS = 3
"""Letters below which an abbreviation needs words with capitals."""


class SourceNames:
    """Answers whether a name stands in a source."""

    def __init__(self, source: TokenizedText, lexicon: NameLexicon) -> None:
        self._source = source
        self._lexicon = lexicon
        self._is_lowercase = not any(word.text[0].isupper() for word in source.words)

    def has(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word of a name stands in the source, or another that says the same."""
        if part.text in ("US", "U.S.", "UK") and not self._is_lowercase:
            return self._has_synonym(part.folded)
        forms = self._forms(part.folded)
        if any(form in self._word_forms for form in forms) or self._has_phrase_synonym(part, name):
            return True
        if any(self._has_synonym(form) for form in forms):
            return True
        if not part.text.isalpha() and part.text.casefold() in self._folded_text:
            return True  # of several pieces: AT&T, Post.find
        if part.is_all_capitals or "." in part.text:
            letters = "".join(char for char in part.folded if char.isalnum())
            return letters in self._word_forms or letters in self._initials
        return self._has_initials_of(name)

    def completes(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word that is absent only completes a name that the source has shorter."""
        others = [other for other in name if other.folded not in self._lexicon.generic]
        return part.folded in self._lexicon.generic and any(
            form in self._word_forms for other in others for form in self._forms(other.folded)
        )

    def _has_phrase_synonym(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word belongs to a name of several that the source has in another form."""
        at = name.index(part)
        for first in range(max(0, at - 2), at + 1):
            for last in range(max(at + 1, first + 2), min(len(name), first + 3) + 1):
                phrase = " ".join(other.folded for other in name[first:last])
                if any(self._has_synonym(form) for form in self._forms(phrase)):
                    return True
        return False

    def _forms(self, word: str) -> list[str]:
        """Return a word without the endings of its forms, and each of its halves' whole."""
        forms = [word]
        for ending in self._lexicon.endings:
            if word.endswith(ending) and len(word) - len(ending) > 1:
                forms.append(word.removesuffix(ending))
        return [*forms, *(f"{form}s" for form in forms)]

    def _has_synonym(self, word: str) -> bool:
        for other in self._lexicon.synonyms.get(word, ()):
            if " " in other or "-" in other:
                if f" {other.replace('-', ' ')} " in self._joined_words:
                    return True
            elif other == "us":
                if self._names_us:
                    return True
            elif other in self._word_forms:
                return True
        return False

    @cached_property
    def _names_us(self) -> bool:
        """Tell whether the source speaks of the US, and not of us."""
        spellings = {self._source.words[index].text for index in self._source.positions.get("us", ())}
        return self._is_lowercase or "US" in spellings or "U.S" in self._source.text

    @cached_property
    def _word_forms(self) -> frozenset[str]:
        """Return the source's words, without endings and accents too."""
        forms = set(self._source.positions)
        for word in self._source.positions:
            forms.update(_without_accents(word).split("'"))
            forms.add(_without_accents(word).removesuffix("'s"))
        text = self._source.text
        if "." in text:
            forms.update(token.replace(".", "").casefold() for token in text.split() if "." in token[:-1])
        return frozenset(forms)

    @cached_property
    def _folded_text(self) -> str:
        return self._source.text.casefold()

    @cached_property
    def _joined_words(self) -> str:
        return f" {' '.join(self._source.folded)} "

    @cached_property
    def _initials(self) -> frozenset[str]:
        """Return what the first letters of neighbouring words spell, small words left out or not."""
        initials: set[str] = set()
        words = [word for word in self._source.words if word.text[0].isupper() or self._is_lowercase]
        names = [word for word in words if word.folded not in self._lexicon.small]
        for words_of_source in (words, names):
            letters = "".join(word.folded[0] for word in words_of_source)
            for size in range(2 if not self._is_lowercase else _MIN_INITIALS, _MAX_INITIALS + 1):
                initials.update(letters[at : at + size] for at in range(len(letters) - size + 1))
        return frozenset(initials)

    def _has_initials_of(self, name: list[NamePart]) -> bool:
        """Tell whether the source has a name of several words as their initials alone."""
        letters = "".join(part.folded[0] for part in name)
        short = len(letters) >= _MIN_INITIALS and letters in self._source.positions
        return short and (self._is_lowercase or self._source.text.find(letters.upper()) >= 0)


def _without_accents(word: str) -> str:
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
    lexicon = name_lexicon(case.language)
    if lexicon is None:
        message = f'Names are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    source_names = SourceNames(case.source, lexicon)
    lowercase_words = {word.folded for word in case.draft.words if word.text.islower()}
    findings = []
    for name in extract_names(case.draft, case.language, lexicon):
        absent = [
            part
            for part in name
            if not (part.is_sentence_start and part.folded in lowercase_words)
            and not source_names.has(part, name)
        ]
        for part, start, end in _spans(absent, case.draft.text, lexicon.small):
            findings.append(_finding(case, start, end, certain=not source_names.completes(part, name)))
    return findings


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


def _finding(case: CheckInput, start: int, end: int, *, certain: bool) -> Finding:
    message = f'"{case.draft.text[start:end]}" does not stand in the source.'
    severity = Severity.BLOCK if certain else Severity.WARN
    return Finding(kind=KIND, severity=severity, message=message, span=(start, end))


_MAX_POSITIONS = 50
"""Places of a name's first word that are looked at."""


def trace_names(case: CheckInput) -> list[SupportedClaim]:
    """Return the names of a draft that stand in the source, whole or by their last word, with the places."""
    lexicon = name_lexicon(case.language)
    if lexicon is None:
        return []
    supported = []
    for name in extract_names(case.draft, case.language, lexicon):
        evidence = list(_full_matches(case.source, name)) or list(_last_word_matches(case.source, name))
        if evidence:
            supported.append(
                SupportedClaim("name", (name[0].start, name[-1].end), tuple(evidence[:MAX_EVIDENCE]))
            )
    return supported


def _full_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield where all words of a name stand in their order."""
    query = [_without_possessive(part.folded) for part in name]
    for first in source.positions.get(name[0].folded, ())[:_MAX_POSITIONS]:
        candidate = [_without_possessive(word) for word in source.folded[first : first + len(query)]]
        if candidate == query:
            yield source.words[first].start, source.words[first + len(query) - 1].end


def _last_word_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield where the last word stands: a person is called so after the first time."""
    word = _without_possessive(name[-1].folded)
    for at in (*source.positions.get(word, ()), *source.positions.get(f"{word}'s", ()))[:MAX_EVIDENCE]:
        yield source.words[at].start, source.words[at].end


def _without_possessive(word: str) -> str:
    return word.removesuffix("'s")
