"""The names of one source, in every form: inflected, as synonyms, acronyms and abbreviations."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

from pipeline.checks.names.forms import forms_of, plain_forms, related_places
from pipeline.checks.names.lexicon import NameLexicon, name_lexicon
from pipeline.checks.names.parts import NAME_WORD, NamePart
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import TokenizedText

_MAX_INITIALS = 6
"""Letters of the longest acronym that is compared with the initials of words. Chosen, not measured."""
_MIN_INITIALS = 3
"""Letters of the shortest acronym in a source without capitals, and of a name. Chosen, not measured."""
_PRONOUN_LIKE = ("US", "U.S.", "UK")
"""Acronyms of countries; before a name of two words or more they only say whose it is."""
_DOLLAR = ("dollar", "-dollar", "dólar")
_TOKEN = re.compile(r"[^\s,;:()\[\]\"“”„]+")
_SIGN = re.compile(r"[-.&,;:)(]|['’]s$")
_NUMBERED = re.compile(r"([A-Z]{2,5})-?(\d{1,4})")
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


class SourceNames:
    """The names of one source, in every form."""

    def __init__(self, source: TokenizedText, lexicon: NameLexicon) -> None:
        self._source = source
        self._lexicon = lexicon
        self._phrases: dict[str, bool] = {}
        self._signs = {code for code, sign in _SIGNS.items() if sign in source.text}
        self._is_lowercase = not any(word.text[0].isupper() for word in source.words)

    def has(self, part: NamePart, run: Sequence[NamePart]) -> bool:
        """Tell whether the source has a word of a name, in any form; `run`: the words that it stands with."""
        if part.text in _PRONOUN_LIKE and not self._is_lowercase:
            if "USD" in self._signs and _counts_dollars(part, run):
                return True
            if part.text.replace(".", "") in self._spellings:
                return True
            if part.following == "state" and part is run[-1]:
                return True  # "the US state of Ohio": it says what Ohio is, which is a name of its own
            begins_long_name = _index(part, run) + 2 < len(run)
            return self._has_synonym(part.folded) or self._has_phrase_synonym(part, run) or begins_long_name
        forms = forms_of(part.folded, self._lexicon)
        return (
            any(form in self._word_forms for form in forms)
            or self._has_phrase_synonym(part, run)
            or any(self._has_synonym(form) for form in forms)
            or self._has_abbreviation(part, forms, run)
            or self._has_joined(part, forms, run)
            or self._has_acronym(part, run)
            or any(form in self._word_forms for form in related_places(part.folded, self._lexicon))
        )

    def adds_place(self, part: NamePart) -> bool:
        """Tell whether a word is a country or state of a source that names none, or a wide region."""
        folded = part.folded.removesuffix("'s")
        if folded in self._lexicon.wide_regions:
            return True
        if part.text in _PRONOUN_LIKE:  # not where the source has the pronoun: it was read as a country
            return "us" not in self._source.positions and not self._names_country
        vocabularies = (self._lexicon.places, self._lexicon.us_states, self._lexicon.regions)
        return any(folded in vocabulary for vocabulary in vocabularies) and not self._names_country

    def has_kind(self, part: NamePart, run: Sequence[NamePart]) -> bool:
        """Tell whether a word says what the place before it is, of which the source has the name: Ocean."""
        at = _index(part, run)
        return part.folded in self._lexicon.landforms and at > 0 and self.has(run[at - 1], run)

    def completes(self, part: NamePart, name: Sequence[NamePart]) -> bool:
        """Tell whether an absent word is a generic addition to a name of the source: "Newcastle United"."""
        others = (other for other in name if other.folded not in self._lexicon.generic)
        return part.folded in self._lexicon.generic and any(self.has(other, name) for other in others)

    def has_governed(self, part: NamePart, run: Sequence[NamePart]) -> bool:
        """Tell whether a word is a city that stands for what has its seat there, which the source names.

        "Brussels wants", "from Frankfurt", not "in Brussels": there the city is a place.
        """
        seated = self._lexicon.seats.get(part.folded, ())
        if not seated or run[0].preceding in self._lexicon.locatives:
            return False
        return any(self._has_phrase(name) or self._has_spelling(name) for name in seated)

    def _has_phrase_synonym(self, part: NamePart, run: Sequence[NamePart]) -> bool:
        """Tell whether a word is part of a phrase of two to four words with a synonym in the source."""
        return any(
            self._has_synonym(form) or self._has_spelling(form)
            for phrase in (*_phrases(part, run), f"{part.folded} {part.following.strip('.,;:')}")
            for form in forms_of(phrase, self._lexicon)
        )

    def _has_synonym(self, word: str) -> bool:
        for other in self._lexicon.synonyms.get(word, ()):
            if other == "us":
                if self._names_us:
                    return True
            elif self._has_phrase(other):
                return True
        return False

    def _has_phrase(self, phrase: str) -> bool:
        if " " not in phrase and "-" not in phrase:
            return phrase in self._word_forms
        if phrase not in self._phrases:  # of the lexicon: few, so that each is searched for once
            self._phrases[phrase] = f" {phrase.replace('-', ' ')} " in self._joined_words
        return self._phrases[phrase]

    def _has_spelling(self, word: str) -> bool:
        """Tell whether the source has an abbreviation of a word, spelled with these capitals: Pa., CH."""
        return any(spelling in self._spellings for spelling in self._lexicon.abbreviations.get(word, ()))

    def _has_abbreviation(self, part: NamePart, forms: Sequence[str], run: Sequence[NamePart]) -> bool:
        """Tell whether the source abbreviates a word, or spells out an abbreviation."""
        if any(self._has_spelling(form) for form in forms):
            return True
        abbreviated = part.text.replace(".", "")
        if abbreviated in self._signs:
            return True
        phrases = " ".join(other.folded for other in run)
        return any(
            self._has_phrase(name)
            or self._has_phrase(f"{name}s")
            or self._has_spelling(name)
            or name in phrases
            for name in self._lexicon.expansions.get(abbreviated, ())
        )

    def _has_joined(self, part: NamePart, forms: Sequence[str], run: Sequence[NamePart]) -> bool:
        """Tell whether the source has a word with signs (AT&T), or writes two words as one, or one as two."""
        if not part.text.isalpha() and any(form in self._signed_words for form in forms):
            return True
        if any(form in self._pairs for form in forms):
            return True
        at = _index(part, run)
        pairs = zip(run[max(0, at - 1) : at + 1], run[max(1, at) : at + 2], strict=False)
        if any(first.folded + second.folded in self._word_forms for first, second in pairs):
            return True
        hyphenated = [other.folded for other in run if other is run[0] or other.joined == "-"]
        return part.joined == "-" and (
            "-".join(hyphenated) in self._signed_words or "".join(hyphenated) in self._word_forms
        )

    def _has_acronym(self, part: NamePart, run: Sequence[NamePart]) -> bool:
        """Tell whether the source spells an acronym out, or has the acronym of a name."""
        text = part.text.removesuffix("'s").removesuffix("’s")
        letters = "".join(char for char in text if char.isalpha())
        if self._has_short_form(text):
            return True
        if sum(char.isupper() for char in letters) > 1 and len(letters) <= _MAX_INITIALS:
            spellings = {letters.casefold(), letters.removesuffix("s").casefold()}
            if spellings & self._word_forms or spellings & self._initials:
                return True
        return any(self._has_acronym_spelled(letters) for letters in self._initials_of(part, run))

    def _has_short_form(self, text: str) -> bool:
        """Tell whether the source has a numbered product in short or in full: PS5, PlayStation 5."""
        short = _NUMBERED.fullmatch(text)
        if short:
            letters = short[1].casefold()
            return short[2] in self._source.positions and (
                letters in self._camel_initials or letters in self._initials
            )
        capitals = _capitals(text)
        return bool(capitals) and capitals in self._numbered

    def _has_acronym_spelled(self, letters: str) -> bool:
        return letters in self._source.positions and (self._is_lowercase or letters in self._acronyms)

    def _initials_of(self, part: NamePart, run: Sequence[NamePart]) -> Iterator[str]:
        """Yield the initials of the words around a word, with and without the small words between them."""
        at = _index(part, run)
        for first in range(at + 1):
            for last in range(at + 1, len(run) + 1):
                letters = [other.folded[0] for other in run[first:last]]
                is_body = len(letters) == len(run) == 2 and run[-1].folded in self._lexicon.generic
                if len(letters) >= _MIN_INITIALS or is_body:
                    yield "".join(letters)
                small = [
                    "".join(word[0] for word in other.joined.split() if word.isalpha())
                    for other in run[first:last]
                ]
                if any(small[1:]):
                    yield "".join(
                        f"{between}{letter}"
                        for between, letter in zip(["", *small[1:]], letters, strict=True)
                    )

    @cached_property
    def _names_country(self) -> bool:
        """Tell whether the source names a country, a people or a US state, also by an abbreviation."""
        lexicon = self._lexicon
        vocabulary = (lexicon.places | lexicon.us_states | lexicon.regions) - {"us"}
        if self._names_us or not vocabulary.isdisjoint(self._word_forms):
            return True
        return any(spelling in self._lexicon.expansions for spelling in self._spellings)

    @cached_property
    def _names_us(self) -> bool:
        """Tell whether the source names the US, not the pronoun, or one of its states."""
        spellings = {self._source.words[index].text for index in self._source.positions.get("us", ())}
        if self._is_lowercase or "US" in spellings or "U.S" in self._source.text:
            return True
        return any(f" {state} " in self._joined_words for state in self._lexicon.us_states)

    @cached_property
    def _acronyms(self) -> frozenset[str]:
        """Return the source's words with two capitals or more, case folded."""
        words = (word.text for word in self._source.words)
        return frozenset(word.casefold() for word in words if sum(char.isupper() for char in word) > 1)

    @cached_property
    def _spellings(self) -> frozenset[str]:
        """Return the source's words with capitals as they are spelled, without dots."""
        tokens = (token.replace(".", "") for token in _TOKEN.findall(self._source.text))
        return frozenset(
            piece
            for token in tokens
            if not token.islower()
            for piece in (token, *token.split("-"), *token.split("/"))
        )

    @cached_property
    def _word_forms(self) -> frozenset[str]:
        """Return the source's words, also without accents, possessive endings and the signs of acronyms."""
        forms = set(self._source.positions)
        for word in self._source.positions:
            if word.isalnum() and word.isascii():
                continue
            for plain in plain_forms(word):
                forms.update(plain.split("'"))
                forms.add(plain.removesuffix("'s"))
        text = self._source.text
        tokens = (token for token in text.split() if "." in token[:-1] or "&" in token or "-" in token)
        for token in tokens:
            forms.add(_SIGN.sub("", token).casefold())
            if token[0].isupper() and "-" in token:  # DACH of D-A-CH-Region
                forms.add("".join(piece for piece in token.split("-") if piece.isupper()).casefold())
        return frozenset(forms)

    @cached_property
    def _camel_initials(self) -> frozenset[str]:
        """Return the capitals of the words with capitals inside, case folded: PlayStation → ps."""
        return frozenset(_capitals(word.text) for word in self._source.words)

    @cached_property
    def _numbered(self) -> frozenset[str]:
        """Return the letters of the source's words of capitals and digits, case folded: PS5 → ps."""
        matches = (_NUMBERED.fullmatch(word.text) for word in self._source.words)
        return frozenset(match[1].casefold() for match in matches if match)

    @cached_property
    def _signed_words(self) -> frozenset[str]:
        """Return the source's words with signs or digits in them, and their first parts before a hyphen."""
        text = self._source.text.casefold().replace("’", "'")
        words = {word.rstrip(".") for word in NAME_WORD.findall(text) if not word.isalpha()}
        for token in _TOKEN.findall(text):
            if not token.isalpha():
                pieces = token.split("-", _MAX_INITIALS)
                starts = ("-".join(pieces[:size]) for size in range(1, len(pieces) + 1))
                for start in starts:
                    words.update((start, start.strip(".!?'"), start.removesuffix("'s")))
        return frozenset(words)

    @cached_property
    def _joined_words(self) -> str:
        return f" {' '.join(self._source.folded)} "

    @cached_property
    def _pairs(self) -> frozenset[str]:
        """Return each two neighbouring words as one."""
        words = self._source.folded
        return frozenset(first + second for first, second in pairwise(words))

    @cached_property
    def _initials(self) -> frozenset[str]:
        """Return the acronyms that the initials of neighbouring words spell, with and without small words."""
        small = self._lexicon.small
        function_words = small | self._lexicon.common if self._lexicon.nouns_capitalised else small
        words = self._source.words
        capitalised = [word for word in words if word.text[0].isupper() or self._is_lowercase]
        names = [word for word in capitalised if word.folded not in small]
        with_small = [word for word in words if word.text[0].isupper() or word.folded in small]
        content = [word for word in words if word.folded not in function_words]
        initials: set[str] = set()
        for each, shortest in (
            (capitalised, 2),
            (names, 2),
            (with_small, _MIN_INITIALS),
            (content, _MIN_INITIALS),
        ):
            letters = "".join(word.folded[0] for word in each)
            for size in range(shortest if not self._is_lowercase else _MIN_INITIALS, _MAX_INITIALS + 1):
                initials.update(letters[at : at + size] for at in range(len(letters) - size + 1))
        return frozenset(initials)


@lru_cache(maxsize=PREPARED)
def names_of_source(source: TokenizedText, language: str) -> SourceNames | None:
    """Return the names of a source; None where the language has no table."""
    lexicon = name_lexicon(language)
    return SourceNames(source, lexicon) if lexicon else None


def _index(part: NamePart, run: Sequence[NamePart]) -> int:
    """Return where a word is in a run, 0 if it is not."""
    return next((index for index, other in enumerate(run) if other.start == part.start), 0)


def _capitals(word: str) -> str:
    """Return the capitals of a word that has one inside, case folded: PlayStation → ps; else nothing."""
    capitals = "".join(char for char in word if char.isupper())
    return capitals.casefold() if 1 < len(capitals) < len(word) - 1 and word[0].isupper() else ""


def _counts_dollars(part: NamePart, run: Sequence[NamePart]) -> bool:
    """Tell whether a word says whose dollars are meant: US dollars, US-Dollar."""
    return any(word.startswith(_DOLLAR) for word in (part.following, *(other.folded for other in run)))


def _phrases(part: NamePart, run: Sequence[NamePart]) -> Iterator[str]:
    """Yield the phrases of two to four words of a run, small words included, that a word is part of."""
    at = _index(part, run)
    for first in range(max(0, at - 2), at + 1):
        for last in range(max(at + 1, first + 2), min(len(run), first + 3) + 1):
            words = run[first:last]
            yield " ".join(other.folded for other in words)
            if any(other.joined.strip(" -") for other in words[1:]):
                rest = (f" {other.joined.strip()} {other.folded}" for other in words[1:])
                yield words[0].folded + "".join(rest).replace("  ", " ")
