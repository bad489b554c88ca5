"""Forms of one name: without accents, with umlauts spelled out, without endings, of a place's inhabitants."""

from collections.abc import Iterator
from unicodedata import combining, normalize

from pipeline.checks.names.lexicon import NameLexicon

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})
_WITHOUT_STROKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i"})
_MIN_STEM = 4
"""Letters of the shortest stem that a place shares with its inhabitants. Chosen, not measured."""


def plain_forms(word: str) -> tuple[str, ...]:
    """Return a case-folded word without accents, and with its umlauts spelled out."""
    if word.isascii():
        return (word,)
    decomposed = normalize("NFKD", word.translate(_WITHOUT_STROKE))
    plain = "".join(char for char in decomposed if not combining(char))
    return plain, normalize("NFC", word).translate(_SPELLED_OUT)


def forms_of(word: str, lexicon: NameLexicon) -> list[str]:
    """Return a word, its forms without an ending, and the plural of each, as spelled and without accents."""
    forms = [word]
    for ending in lexicon.endings:
        is_long = len(word) - len(ending) > 1 or ending.startswith("'")  # "X's"
        if word.endswith(ending) and is_long:
            forms.append(word.removesuffix(ending))
    if "s" in lexicon.endings and word.endswith("ies"):
        forms.append(f"{word.removesuffix('ies')}y")
    forms += [plain for form in forms if not form.isascii() for plain in plain_forms(form)]
    return [*forms, *(f"{form}s" for form in forms)]


def related_places(word: str, lexicon: NameLexicon) -> Iterator[str]:
    """Yield what may be the place of an inhabitant, and the inhabitants of a place: Münchner, München."""
    for ending in lexicon.inhabitant_endings:
        stem = word.removesuffix(ending)
        if len(stem) < len(word) and len(stem) >= _MIN_STEM - (lexicon.nouns_capitalised):
            yield from (stem + other for other in (*lexicon.place_endings, *lexicon.inhabitant_endings))
    for ending in lexicon.place_endings:
        stem = word.removesuffix(ending)
        if (not ending or len(stem) < len(word)) and len(stem) >= _MIN_STEM - (lexicon.nouns_capitalised):
            yield from (stem + other for other in lexicon.inhabitant_endings)
