"""Vocabulary for names in one language: our table, CLDR's territories and currencies, and a word list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.core import get_global

from pipeline.checks.language_tables import language_table
from pipeline.checks.names.word_list import WordList, word_list


@dataclass(frozen=True, eq=False)
class NameLexicon:
    """Meanings of capitalised words in one language; every word case folded."""

    nouns_capitalised: bool
    """Every noun is capitalised, as in German."""
    endings: tuple[str, ...]
    inhabitant_endings: tuple[str, ...]
    """Endings that make an inhabitant of a place's name: "er" in Londoner."""
    place_endings: tuple[str, ...]
    """Endings of places' names that give way to those: "en" in München, Münchner."""
    small: frozenset[str]
    """Words within a name that have no capital: "of", "von"."""
    titles: frozenset[str]
    singular_titles: tuple[str, ...]
    """Endings of titles that are no plurals: a noun behind one may be a name."""
    forms_of_address: frozenset[str]
    """Titles that only a name follows: "Frau"."""
    common: frozenset[str]
    """Capitalised words that are no names."""
    plain_acronyms: frozenset[str]
    """Acronyms that are words of their own: TV."""
    frequent: frozenset[str]
    """Words that are hardly names at the start of a sentence."""
    words: WordList
    """Words of the language's word list, where a single one that begins a sentence is no name."""
    nouns: WordList
    """Words of the word list, of a language that capitalises nouns, names among them."""
    foreign: WordList
    """Words of the language that it takes most loan words from."""
    noun_endings: tuple[str, ...]
    linking: tuple[str, ...]
    """What links the parts of a compound: "s" in Haushaltsloch."""
    first_names: frozenset[str]
    generic: frozenset[str]
    """Words that complete a name: "United" in "Newcastle United"."""
    landforms: frozenset[str]
    """Words for what a place is, behind its name: "Ocean"."""
    plain: tuple[str, ...]
    """Endings of words that are hardly names."""
    plural: tuple[str, ...]
    """Plural endings."""
    singular: frozenset[str]
    """Verbs in the singular: no plural precedes them."""
    speech: frozenset[str]
    """Verbs of speech in the singular: without an article a person's name is their subject."""
    intransitive_speech: frozenset[str]
    """Of these, verbs that have no noun as their object."""
    cities: frozenset[str]
    """Cities that the word list has among its nouns."""
    place_name_endings: tuple[str, ...]
    place_prepositions: frozenset[str]
    """Prepositions that need an article before a noun, none before a place."""
    regions: frozenset[str]
    """Regions, which an article may add to say where a city is."""
    wide_regions: frozenset[str]
    """Home countries, continents and unions of countries: a writer adds them as what the places belong to."""
    own_nation: tuple[str, ...]
    """Beginnings of the words for the nation whose news seldom name it: "Deutsche"."""
    appositions: frozenset[str]
    """Nouns before the name of what they call: "Firma"."""
    places: frozenset[str]
    """Countries and their peoples. Source: CLDR, and the synonyms of our table."""
    seats: Mapping[str, tuple[str, ...]]
    """City → what has its seat there, so that the city may stand for it: "brussels" → "eu"."""
    locatives: frozenset[str]
    """Prepositions that say where: behind one, a city is a place."""
    roles: tuple[str, ...]
    """Endings of words for what a person does: "er" in blogger."""
    dictionary: WordList
    """Words of the word list, names among them; empty in a language that capitalises nouns."""
    us_states: frozenset[str]
    """States that are no other country, nor a word of another meaning."""
    synonyms: Mapping[str, tuple[str, ...]]
    """Word or phrase → all its synonyms, itself included."""
    abbreviations: Mapping[str, tuple[str, ...]]
    """Word or phrase → abbreviations as they are spelled: "pennsylvania" → "Pa", "PA"."""
    expansions: Mapping[str, tuple[str, ...]]
    """Abbreviation as it is spelled → words or phrases."""


_MIN_FREQUENCY = 3000
"""Count from which on a word of the dictionary is common; nearly every name has a lower one. Source:
the word counts of pyspellchecker."""
_AMBIGUOUS_CODES = frozenset(
    code
    for line in ("US IT AI TV PR AM PM ID NO IS IN SO", "TO AT BE ME MY CD DJ GM IM MS MC PS VC")
    for code in line.split()
)
"""Codes of countries that mostly mean something else. Chosen, not measured."""
_MIN_CURRENCY_WORD = 4
"""Letters from which on a word of a currency's name is compared. Chosen, not measured."""
_AMBIGUOUS_LANGUAGES = frozenset({"en", "ar", "pt", "es", "fa", "sw", "ms"})
"""Languages whose likely territory is not the only one they stand for. Chosen, not measured."""


def _words(table: Mapping[str, Any], key: str) -> WordList:
    """Return the word list that a table names, an empty one without."""
    return word_list(table[key]) if key in table else WordList()


def _frequent_words(table: Mapping[str, Any]) -> frozenset[str]:
    """Return a language's frequent words without first names."""
    if "dictionary" not in table:
        return frozenset()
    frequent = word_list(table["dictionary"]).frequent(_MIN_FREQUENCY)
    return frequent.difference(_split(table, "first-names"))


def _english_first_names() -> frozenset[str]:
    """Return the first names of the English table, which are met in every language."""
    return _split(language_table("en", "names") or {}, "first-names")


def _split(table: Mapping[str, Any], key: str) -> frozenset[str]:
    return frozenset(table.get(key, "").split())


@lru_cache(maxsize=32)
def name_lexicon(language: str) -> NameLexicon | None:
    """Return a language's vocabulary for names; None where the language has no table."""
    table = language_table(language, "names")
    if table is None:
        return None
    locale = Locale.parse(language.replace("-", "_").partition("_")[0])
    abbreviations = _abbreviations(table, locale)
    synonyms = _synonyms([*table["same"], *_languages(locale)])
    titles = _split(table, "titles")
    return NameLexicon(
        nouns_capitalised=table["nouns-capitalised"],
        endings=tuple(table["ending"]),
        inhabitant_endings=tuple(table["inhabitant"]),
        place_endings=("", *table["place"]),
        small=frozenset(table["small"]),
        titles=titles,
        singular_titles=tuple(table.get("singular-titles", ())),
        forms_of_address=_split(table, "forms-of-address"),
        common=_split(table, "common"),
        plain_acronyms=_split(table, "plain-acronyms"),
        frequent=_frequent_words(table) - synonyms.keys(),
        words=_words(table, "dictionary") if table.get("words-begin-sentences") else WordList(),
        nouns=_words(table, "nouns"),
        foreign=_words(table, "foreign"),
        noun_endings=tuple(table.get("noun-endings", ())),
        linking=tuple(table.get("linking", ())),
        first_names=(_split(table, "first-names") | _english_first_names()) - _split(table, "no-first-names"),
        generic=_split(table, "generic"),
        landforms=_split(table, "landforms"),
        plain=tuple(table["plain"]),
        plural=tuple(table["plural"]),
        singular=frozenset(table["singular"]),
        speech=_split(table, "speech"),
        intransitive_speech=_split(table, "intransitive-speech"),
        cities=_split(table, "cities"),
        place_name_endings=tuple(table.get("place-names", ())),
        place_prepositions=_split(table, "place-prepositions"),
        regions=_split(table, "regions"),
        wide_regions=_split(table, "wide-regions"),
        own_nation=tuple(table.get("own-nation", ())),
        appositions=_split(table, "appositions"),
        places=_places(synonyms, locale),
        seats={city: tuple(names) for city, names in table.get("seats", {}).items()},
        locatives=_split(table, "locatives"),
        roles=tuple(table.get("roles", ())),
        dictionary=_words(table, "dictionary"),
        us_states=_split(table, "us-states"),
        synonyms=synonyms,
        abbreviations=abbreviations,
        expansions=_inverted(abbreviations),
    )


def _synonyms(groups: Iterable[Iterable[str]]) -> dict[str, tuple[str, ...]]:
    synonyms: dict[str, tuple[str, ...]] = {}
    for group in groups:
        words = tuple(word.casefold() for word in group)
        for word in words:
            synonyms[word] = (*synonyms.get(word, ()), *words)
    return synonyms


def _territories(locale: Locale) -> dict[str, str]:
    """Return the code of each country → its name. Source: CLDR."""
    names = locale.territories.items()
    return {code: name for code, name in names if code.isalpha() and code not in ("ZZ", "XA", "XB")}


def _places(synonyms: Mapping[str, tuple[str, ...]], locale: Locale) -> frozenset[str]:
    countries = {name.casefold() for name in _territories(locale).values()}
    return frozenset([*countries, *(word for country in countries for word in synonyms.get(country, ()))])


def _languages(locale: Locale) -> Iterable[tuple[str, str]]:
    """Yield a country with its language, whose name is also the adjective. Source: CLDR."""
    likely = get_global("likely_subtags")
    for code, name in locale.languages.items():
        territory = str(likely.get(code, "")).rpartition("_")[2]
        country = locale.territories.get(territory)
        if country and len(code) == 2 and code not in _AMBIGUOUS_LANGUAGES:
            yield country, name


def _abbreviations(table: Mapping[str, Any], locale: Locale) -> dict[str, tuple[str, ...]]:
    """Return the names of states, countries and currencies → their abbreviations and codes."""
    abbreviations: dict[str, tuple[str, ...]] = {}

    def add(name: str, *spellings: str) -> None:
        abbreviations[name.casefold()] = (*abbreviations.get(name.casefold(), ()), *spellings)

    for name, spellings in table.get("abbreviations", {}).items():
        add(name, *spellings.split())
    for code, name in _territories(locale).items():
        if code not in _AMBIGUOUS_CODES:
            add(name, code)
    for code, name in locale.currencies.items():
        for word in name.split() if "(" not in name else ():
            if len(word) >= _MIN_CURRENCY_WORD:
                add(word, code)
    return abbreviations


def _inverted(abbreviations: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    expansions: dict[str, tuple[str, ...]] = {}
    for name, spellings in abbreviations.items():
        for spelling in spellings:
            expansions[spelling] = (*expansions.get(spelling, ()), name)
    return expansions
