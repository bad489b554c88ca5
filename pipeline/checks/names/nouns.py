"""Names in a language that capitalises every noun: a word is one for what stands beside it."""

from collections.abc import Sequence
from functools import lru_cache

from pipeline.checks.names.lexicon import NameLexicon
from pipeline.checks.names.parts import NamePart

_MIN_PART = 3
"""Letters of the shortest part of a compound. Chosen, not measured."""
_MIN_HEAD = 4
"""Letters of the shortest last part of a compound. Chosen, not measured."""
_MIN_DERIVED = 9
"""Letters from which on an ending such as "-ler" makes a noun: Schindler is a name. Chosen, not measured."""
_MAX_WORD = 40
"""Letters of the longest word that is divided: keeps the work linear. Chosen, not measured."""


@lru_cache(maxsize=8192)
def is_noun(word: str, lexicon: NameLexicon) -> bool:
    """Tell whether a case-folded word may be a common noun: known, inflected, or a compound."""
    if word in lexicon.nouns or word in lexicon.foreign:
        return True
    if len(word) >= _MIN_DERIVED and word.endswith(lexicon.noun_endings):
        return True
    stems = [word.removesuffix(ending) for ending in lexicon.linking if word.endswith(ending)]
    if any(stem in lexicon.nouns or stem in lexicon.foreign for stem in stems):
        return True
    return any(_is_compound(stem, lexicon) for stem in (word, *stems) if len(stem) <= _MAX_WORD)


def _is_compound(word: str, lexicon: NameLexicon) -> bool:
    """Tell whether a word ends with a known one, before which another word has place: Kryptobörse."""
    for at in range(_MIN_PART, len(word) - _MIN_PART + 1):
        first, head = word[:at], word[at:]
        if len(head) >= _MIN_HEAD and head in lexicon.nouns:
            return True
        if first in lexicon.foreign and head in lexicon.foreign:
            return True
    return False


def name_parts_among_nouns(run: Sequence[NamePart], lexicon: NameLexicon) -> list[NamePart]:
    """Return the words of a run of capitalised words that are names, each with whether it surely is one."""
    parts = []
    place = _Place(lexicon, run)
    for index, part in enumerate(run):
        certain = place.is_name(index)
        if certain is not None:
            parts.append(part._replace(certain=certain))
    return parts


def _ends_with_one(word: str, nouns: frozenset[str]) -> bool:
    """Tell whether a word is one of these, or a compound of one."""
    ends = range(_MIN_PART, min(len(word), _MAX_WORD) - _MIN_HEAD + 1)
    return word in nouns or any(word[at:] in nouns for at in ends)


class _Place:
    """What the words beside a word of a run say of it."""

    def __init__(self, lexicon: NameLexicon, run: Sequence[NamePart]) -> None:
        self._lexicon = lexicon
        self._run = run

    def is_name(self, index: int) -> bool | None:
        """Tell whether a word is surely a name; None where it is likely none."""
        part, lexicon = self._run[index], self._lexicon
        word = part.folded
        if len(word) < 2 or word in lexicon.common or self._is_title(index):
            return None
        if part.is_all_capitals:
            return None if word in lexicon.plain_acronyms else word not in lexicon.nouns
        if (
            word in lexicon.places
            or word in lexicon.cities
            or (word in lexicon.synonyms and not self._is_noun(index))
        ):
            return True
        if self._is_person(index) or self._is_apposition(index) or self._is_place(index):
            return True
        if part.joined == "-" and self._is_person(index - 1):
            return False
        if word in lexicon.regions:
            return False
        if part.is_sentence_start and part.following not in lexicon.speech:
            return None
        return self._is_single_name(index)

    def _is_person(self, index: int) -> bool:
        """Tell whether a word stands where a person's name does."""
        part, before = self._run[index], self._before(index)
        if before is not None and part.joined == "-":
            return not self._is_noun(index) and self._is_person(index - 1)
        if before is not None and (
            before.folded in self._lexicon.forms_of_address or self._is_first_name(index - 1)
        ):
            return True
        if before is not None and self._is_title(index - 1) and not self._is_noun(index):
            return True
        after = index + 1 < len(self._run) and self._run[index + 1].joined != "-"
        if after and self._is_first_name(index):
            return not self._is_title(index + 1)
        beside = [at for at in (index - 1, index + 1) if 0 <= at < len(self._run)]
        return not self._is_noun(index) and any(not self._is_noun(at) for at in beside)

    def _is_apposition(self, index: int) -> bool:
        """Tell whether a word that is no noun stands behind a noun that calls a thing by its name: Firma."""
        before = self._before(index)
        if before is None or self._run[index].joined == "-" or self._is_noun(index):
            return False
        return _ends_with_one(before.folded, self._lexicon.appositions)

    def _is_place(self, index: int) -> bool:
        """Tell whether a word sounds like a place, behind a preposition without an article: in Ravensburg."""
        part, lexicon = self._run[index], self._lexicon
        ending = next((ending for ending in lexicon.place_name_endings if part.folded.endswith(ending)), "")
        is_alone = self._before(index) is None and (
            index + 1 == len(self._run) or self._run[index + 1].joined != "-"
        )
        is_longer = len(part.folded) >= len(ending) + _MIN_PART
        return bool(ending) and is_longer and is_alone and part.preceding in lexicon.place_prepositions

    def _is_single_name(self, index: int) -> bool | None:
        """Tell whether a word is a name by the verb or preposition beside it."""
        part = self._run[index]
        is_last = index + 1 == len(self._run)
        is_speaker = is_last and part.following in self._lexicon.speech and part.is_sentence_start
        if is_speaker or (is_last and index == 0 and part.preceding in self._lexicon.speech):
            verb = part.following if is_speaker else part.preceding
            return not self._is_noun(index) or (False if verb in self._lexicon.intransitive_speech else None)
        before = self._before(index)
        if before is not None and before.folded.endswith(self._lexicon.singular_titles):
            return False
        return None if self._is_noun(index) else False

    def _before(self, index: int) -> NamePart | None:
        """Return the word right before another; with a small word between, only where that is in a name."""
        before = self._run[index - 1] if index else None
        if before is None or not self._run[index].joined.strip(" -\u00a0"):
            return before
        is_noble = before.folded in self._lexicon.forms_of_address or self._is_first_name(index - 1)
        return before if is_noble else None

    def _is_title(self, index: int) -> bool:
        """Tell whether a word is a title, or a compound of one: Firmenchefin."""
        word = self._run[index].folded
        titles = self._lexicon.titles
        if word in titles or word in self._lexicon.forms_of_address:
            return True
        return _ends_with_one(word, titles)

    def _is_first_name(self, index: int) -> bool:
        return self._run[index].folded in self._lexicon.first_names

    def _is_noun(self, index: int) -> bool:
        return is_noun(self._run[index].folded, self._lexicon)
