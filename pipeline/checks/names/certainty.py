"""Decides whether an absent word of a name is certainly wrong: only then it blocks."""

from collections.abc import Sequence

from pipeline.checks.names.extract import Name
from pipeline.checks.names.lexicon import NameLexicon
from pipeline.checks.names.parts import NamePart
from pipeline.checks.names.source import SourceNames
from pipeline.checks.names.suggest import NameSuggestions

_MAX_FIRST_NAMES = 2
"""First names that a draft may add to a surname. Chosen, not measured."""
_MIN_CORRECTED = 7
"""Letters from which on a word is hardly another name by a slip of spelling. Chosen, not measured."""


def is_certain(
    span: Sequence[NamePart],
    name: Name,
    suggestion: str,
    source_names: SourceNames,
    suggestions: NameSuggestions,
    lexicon: NameLexicon,
) -> bool:
    """Tell whether absent words that stand together are certainly none of the source's names.

    They are not where a generic word only completes a name ("Newcastle United"), a city stands for what
    governs from there, a country is added to a source that names none, a word is of the nation that news
    in its language seldom name, a first name is added to a surname or spelled as is usual, a spelling of the
    source is put right, or where every noun has a capital and nothing beside a word says that it is a name.
    """
    if source_names.completes(span[0], name.parts) or source_names.has_governed(span[-1], name.run):
        return False
    specific = [part for part in span if part.folded not in lexicon.generic]
    if not suggestion and specific and all(source_names.adds_place(part) for part in specific):
        return False
    if not suggestion and specific and all(part.folded.startswith(lexicon.own_nation) for part in specific):
        return False
    if _begins_known_name(span, name.parts, source_names, lexicon):
        if not suggestions.has_word_before(name.parts[-1]):
            return False
        if _is_usual_spelling(span[0].folded, suggestion.casefold(), lexicon):
            return False
    if _is_corrected(span[0].folded, suggestion.casefold(), lexicon):
        return False
    return bool(suggestion) or any(part.certain for part in span)


def _begins_known_name(
    span: Sequence[NamePart], name: Sequence[NamePart], source_names: SourceNames, lexicon: NameLexicon
) -> bool:
    """Tell whether one or two words are all before a surname that the source has: "José Luis" of Escrivá."""
    if len(span) > _MAX_FIRST_NAMES or len(name) != len(span) + 1 or name[-1].joined != " ":
        return False
    if name[0].start != span[0].start:
        return False
    vocabularies = (lexicon.generic, lexicon.places, lexicon.cities, lexicon.synonyms, lexicon.frequent)
    if any(word.folded in vocabulary for word in name[-1:] for vocabulary in vocabularies):
        return False
    if any(part.folded in vocabulary for part in span for vocabulary in vocabularies[:4]):
        return False
    texts = [word.text.replace("’", "'").removesuffix("'s") for word in name]
    is_word = all(text[0].isupper() and not text.isupper() and text.isalpha() for text in texts)
    return is_word and source_names.has(name[-1], name)


def _is_corrected(word: str, other: str, lexicon: NameLexicon) -> bool:
    """Tell whether a long word of the word list stands for one that is in none: Pinocchio for Pinnochio."""
    vocabularies = (lexicon.dictionary, lexicon.first_names, lexicon.places, lexicon.cities)
    is_spelled_alike = min(len(word), len(other)) >= _MIN_CORRECTED and word[:3] == other[:3]
    return (
        is_spelled_alike and word in lexicon.dictionary and not any(other in words for words in vocabularies)
    )


def _is_usual_spelling(word: str, other: str, lexicon: NameLexicon) -> bool:
    """Tell whether a known first name differs from a word that is none by one letter more: Barack, Barak."""
    if other in lexicon.first_names or len(word) != len(other) + 1:
        return False
    is_known = word in lexicon.first_names or word in lexicon.dictionary
    return is_known and any(word[:at] + word[at + 1 :] == other for at in range(len(word)))
