"""Checks the named entities of a draft: finding `name` is one that its source does not have."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from unicodedata import combining, normalize

from pipeline.checks.names.extract import NameLexicon, NamePart, extract_names, name_lexicon
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "name"
_MAX_INITIALS = 6
"""Letters of the longest acronym that is compared with the initials of words. Chosen, not measured."""
_MIN_INITIALS = 3
"""Letters of the shortest acronym in a source without capitals, and of a name. Chosen, not measured."""
_MAX_POSITIONS = 50
"""Positions of a name's first word that are compared: keeps the work linear. Chosen, not measured."""


class SourceNames:
    """The names of one source, in every form: inflected, without accents, as synonyms and as acronyms."""

    def __init__(self, source: TokenizedText, lexicon: NameLexicon) -> None:
        self._source = source
        self._lexicon = lexicon
        self._is_lowercase = not any(word.text[0].isupper() for word in source.words)

    def has(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether the source has a word of a name, in any form."""
        if part.text in ("US", "U.S.", "UK") and not self._is_lowercase:
            return self._has_synonym(part.folded)
        forms = self._forms(part.folded)
        if any(form in self._word_forms for form in forms) or self._has_phrase_synonym(part, name):
            return True
        if any(self._has_synonym(form) for form in forms):
            return True
        if not part.text.isalpha() and part.text.casefold() in self._folded_text:
            return True  # a word with signs: AT&T, Post.find
        if part.is_all_capitals or "." in part.text:
            letters = "".join(char for char in part.folded if char.isalnum())
            return letters in self._word_forms or letters in self._initials
        return self._has_initials_of(name)

    def completes(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether an absent word is a generic addition to a name of the source: "Newcastle United"."""
        others = [other for other in name if other.folded not in self._lexicon.generic]
        return part.folded in self._lexicon.generic and any(
            form in self._word_forms for other in others for form in self._forms(other.folded)
        )

    def _has_phrase_synonym(self, part: NamePart, name: list[NamePart]) -> bool:
        """Tell whether a word is part of a phrase of two or three words with a synonym in the source."""
        at = name.index(part)
        for first in range(max(0, at - 2), at + 1):
            for last in range(max(at + 1, first + 2), min(len(name), first + 3) + 1):
                phrase = " ".join(other.folded for other in name[first:last])
                if any(self._has_synonym(form) for form in self._forms(phrase)):
                    return True
        return False

    def _forms(self, word: str) -> list[str]:
        """Return a word, its forms without an ending, and the plural of each."""
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
        """Tell whether the source names the US, not the pronoun."""
        spellings = {self._source.words[index].text for index in self._source.positions.get("us", ())}
        return self._is_lowercase or "US" in spellings or "U.S" in self._source.text

    @cached_property
    def _word_forms(self) -> frozenset[str]:
        """Return the source's words, also without accents, possessive endings and the dots of acronyms."""
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
        """Return the acronyms that the initials of neighbouring words spell, with and without small words."""
        initials: set[str] = set()
        words = [word for word in self._source.words if word.text[0].isupper() or self._is_lowercase]
        names = [word for word in words if word.folded not in self._lexicon.small]
        for each in (words, names):
            letters = "".join(word.folded[0] for word in each)
            for size in range(2 if not self._is_lowercase else _MIN_INITIALS, _MAX_INITIALS + 1):
                initials.update(letters[at : at + size] for at in range(len(letters) - size + 1))
        return frozenset(initials)

    def _has_initials_of(self, name: list[NamePart]) -> bool:
        """Tell whether the source has a name of several words only as its acronym."""
        letters = "".join(part.folded[0] for part in name)
        is_word = len(letters) >= _MIN_INITIALS and letters in self._source.positions
        return is_word and (self._is_lowercase or self._source.text.find(letters.upper()) >= 0)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(char for char in normalize("NFKD", word) if not combining(char))


def check_names(case: CheckInput) -> list[Finding]:
    """Return a finding for each name, or part of a name, that the source does not have.

    Block; warn where a generic word only completes a name ("Newcastle United"). Words are compared exactly,
    except for case, accents and endings: Johnson is not Johnston.
    """
    lexicon = name_lexicon(case.language)
    if lexicon is None:
        message = f'Names are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    source_names = SourceNames(case.source, lexicon)
    lowercase_words = {word.folded for word in case.draft.words if word.text.islower()}
    findings = []
    for name in extract_names(case.draft, case.language, lexicon):
        parts = (part for part in name if not (part.is_sentence_start and part.folded in lowercase_words))
        absent = [part for part in parts if not source_names.has(part, name)]
        for part, start, end in _spans(absent, case.draft.text, lexicon.small):
            findings.append(_finding(case, start, end, certain=not source_names.completes(part, name)))
    return findings


def _spans(parts: list[NamePart], text: str, small: frozenset[str]) -> Iterator[tuple[NamePart, int, int]]:
    """Yield the first word and the span of each run of neighbouring words ("Isle of Wight")."""
    for index, part in enumerate(parts):
        if index and small.issuperset(text[parts[index - 1].end : part.start].split()):
            continue
        end = part.end
        for other in parts[index + 1 :]:
            if not small.issuperset(text[end : other.start].split()):
                break
            end = other.end
        yield part, part.start, end


def _finding(case: CheckInput, start: int, end: int, *, certain: bool) -> Finding:
    message = f'"{case.draft.text[start:end]}" is not in the source.'
    severity = Severity.BLOCK if certain else Severity.WARN
    return Finding(kind=KIND, severity=severity, message=message, span=(start, end))


def trace_names(case: CheckInput) -> list[SupportedClaim]:
    """Return the names of a draft that are in the source, in full or by their last word, with their spans."""
    lexicon = name_lexicon(case.language)
    if lexicon is None:
        return []
    supported = []
    for name in extract_names(case.draft, case.language, lexicon):
        evidence = list(_full_matches(case.source, name)) or list(_last_word_matches(case.source, name))
        if evidence:
            span = name[0].start, name[-1].end
            supported.append(SupportedClaim(KIND, span, tuple(evidence[:MAX_EVIDENCE])))
    return supported


def _full_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield the spans of all words of a name in order."""
    query = [_without_possessive(part.folded) for part in name]
    for first in source.positions.get(name[0].folded, ())[:_MAX_POSITIONS]:
        candidate = [_without_possessive(word) for word in source.folded[first : first + len(query)]]
        if candidate == query:
            yield source.words[first].start, source.words[first + len(query) - 1].end


def _last_word_matches(source: TokenizedText, name: Sequence[NamePart]) -> Iterator[tuple[int, int]]:
    """Yield the spans of the last word: texts use the surname alone after the first mention."""
    word = _without_possessive(name[-1].folded)
    for at in (*source.positions.get(word, ()), *source.positions.get(f"{word}'s", ()))[:MAX_EVIDENCE]:
        yield source.words[at].start, source.words[at].end


def _without_possessive(word: str) -> str:
    return word.removesuffix("'s")
