"""Number words written as one compound word, as in German."""

from pipeline.checks.numbers.lexicon import NumberLexicon

_ORDINAL_ENDINGS = ("te", "ten", "ter", "tes", "tem")
_FIRST_LONG_ORDINAL = 20
"""From this number on, German ordinals have "ste" for "te"."""


def compound_value(text: str, lexicon: NumberLexicon) -> float | None:
    """Return the value of a compound number word: "zweihundertfünfzig". Words over 60 letters have none."""
    value = lexicon.units.get(text)
    if value is not None or len(text) > 60:
        return value
    if text.endswith("einhalb"):
        whole = lexicon.units.get(text.removesuffix("einhalb") or "eins")
        return None if whole is None else whole + 0.5
    for word, scale in (("tausend", 1000.0), ("hundert", 100.0)):
        head, separator, tail = text.partition(word)
        if separator:
            multiplier = compound_value(head, lexicon) if head else 1.0
            rest = compound_value(tail.removeprefix("und"), lexicon) if tail else 0.0
            return None if multiplier is None or rest is None else multiplier * scale + rest
    unit, separator, ten = text.partition("und")
    small, tens = lexicon.units.get(unit), lexicon.units.get(ten)
    return small + tens if separator and small and tens and small < 10 <= tens else None


def compound_ordinal(text: str, lexicon: NumberLexicon) -> float | None:
    """Return the value of an ordinal made of a number word: "fünfzehnten", "einundzwanzigste"."""
    if not text.endswith(_ORDINAL_ENDINGS):
        return None
    stem = text[: text.rindex("t")]
    value = compound_value(stem.removesuffix("s"), lexicon)
    is_long = stem.endswith("s") and not lexicon.units.get(stem)
    return value if value and is_long == (value >= _FIRST_LONG_ORDINAL) else None
