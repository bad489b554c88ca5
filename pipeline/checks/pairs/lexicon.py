"""A language's table `pairs.toml`: stems, and the words that contradict each other."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.checks.language_tables import WordTable, language_table

_MIN_STEM = 3
_REACH = 8
"""Words on each side of a word in which what it is said of is searched. Chosen, not measured."""
_DOUBLED = "bdfgklmnprtz"


class Contrast(NamedTuple):
    """Groups of words that exclude each other, when said of the same thing."""

    name: str
    message: str
    """What the finding says; `{draft}` and `{source}` stand for the two words."""
    before: int
    """Words before the two words in which what they are said of is searched."""
    after: int
    """Words after them."""
    weight: float
    """Weight of shared stems from which on they are said of the same thing."""
    shared: int
    """Number of shared stems from which on they are said of the same thing."""
    next: int
    """The stem of one of so many words after the first must follow the other as well; 0: need not."""
    figure: bool
    """That stem must be a figure."""
    digit: bool
    """A figure must be among what both share."""
    capital: bool
    """The words count with a capital letter within a sentence as well."""
    vague: bool
    """The words count only where no figure stands before them: "thousands", "a few hundred"."""
    open: frozenset[str] = frozenset()
    """Words before the draft's word that leave open what it says: "optimistic that it will be signed"."""


class Side(NamedTuple):
    """What a word is in a contrast: a member of one of its groups, counted from 0."""

    contrast: int
    group: int
    reported: bool
    """A draft with this word beside a source with a word of the other group is reported."""


class PairLexicon:
    """A language's stems and contrasts."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._stems = WordTable(self._stem)
        self.content_stem = WordTable(lambda word: "" if word in self.stop else self.stem(word)).__getitem__
        """Return the stem of a folded word, empty for a stop word."""
        self.marks = WordTable(self._marks_of).__getitem__
        """Return what a folded word may be: the numbers of the fields of `Marks`, mostly none."""
        self._word_sides = WordTable(self._sides_of)
        self._endings = tuple(table["endings"].split())
        pairs = ((form, base) for base, forms in table["forms"].items() for form in forms.split())
        self._forms = {form: self._cut(base) for form, base in pairs}
        # "surge" stands for "surged" and "surging" too.
        self._forms = {self._cut(form): base for form, base in self._forms.items()} | self._forms
        self.stop = frozenset(table["stop"].split())
        negation = table["negation"]
        self.deniers = frozenset(negation["words"].split())
        self._prefixes = tuple(negation["prefixes"].split())
        self._adjective_prefixes = tuple(negation["adjective_prefixes"].split())
        self._adjective_endings = tuple(negation["adjective_endings"].split())
        self.negatives = self.deniers | frozenset(negation["also"].split())
        self.borders = frozenset(negation["borders"].split())
        self.opposing = frozenset(negation["opposing"].split())
        self.link, self.adverb = negation["link"], negation["adverb"]
        self.uncertain = frozenset(negation["others"].split())
        self.unreal = frozenset(negation["unreal"].split())
        self._negative_ending: str | None = negation["ending"] or None
        self._read_bounds(table)
        plan = table["plan"]
        self.plans = frozenset(plan["words"].split())
        self.open = frozenset(plan["open"].split())
        roles = table["roles"]
        self.has_names = bool(roles["names"])
        self.equal = frozenset(self.stem(word) for word in roles["equal"].split())
        self.passive = frozenset(roles["passive"].split())
        self.joints = frozenset(roles["joints"].split())
        self.articles = frozenset(roles["articles"].split())
        self.periods = frozenset(self.stem(word) for word in roles["periods"].split())
        self.times = frozenset(roles["times"].split())
        self.mutual = frozenset(roles["mutual"].split())
        self.being = frozenset(roles["being"].split())
        self.between = frozenset(plan["between"].split())
        self._past_ending = plan["past_ending"]
        self._past = frozenset(plan["past"].split())
        self.done = frozenset(plan["done"].split())
        self.contrasts: tuple[Contrast, ...] = tuple(map(_contrast, table.get("contrast", ())))
        self._exact = self._groups(table.get("contrast", ()), exact=True)
        self._sides = self._groups(table.get("contrast", ()), exact=False)
        idioms = (phrase.split() for phrase in table["idioms"].split(";"))
        self._idioms = frozenset((self.stem(first), second) for first, second in idioms)

    def _read_bounds(self, table: Mapping[str, Any]) -> None:
        """Set the bounds of figures, the weekdays and the words of speech."""
        bounds, speech = table["bounds"], table["speech"]
        self.numerals: dict[str, str] = bounds["numerals"]
        self.bounds_before = _phrases(bounds["before"])
        self.bounds_after = _phrases(bounds["after"])
        phrases = (*self.bounds_before, *self.bounds_after)
        self.bound_words = frozenset(phrase.split()[0] for phrase in phrases)
        self.weekdays = frozenset(table["weekdays"].split())
        self.sources = frozenset(speech["sources"].split())
        self.speech = self.sources | frozenset(speech["verbs"].split())

    def stem(self, word: str) -> str:
        """Return the stem of a folded word; words of the same meaning in the table share one."""
        return self._stems[word]

    def is_denier(self, word: str) -> bool:
        """Tell whether a folded word denies the verb after it."""
        return word in self.deniers or (
            self._negative_ending is not None and word.endswith(self._negative_ending)
        )

    def is_negative(self, word: str) -> bool:
        """Tell whether a folded word turns what follows it into its contrary."""
        return word in self.negatives or self.is_denier(word)

    def sides_of(self, word: str) -> tuple[Side, ...]:
        """Return the groups of the contrasts that a folded word belongs to."""
        return self._word_sides[word]

    def is_idiom(self, word: str, following: str) -> bool:
        """Tell whether two folded words have a meaning of their own: "fell back", "how many"."""
        return (self.stem(word), following) in self._idioms

    def _sides_of(self, word: str) -> tuple[Side, ...]:
        return tuple(dict.fromkeys((*self._exact.get(word, ()), *self._sides.get(self.stem(word), ()))))

    def _marks_of(self, word: str) -> tuple[int, ...]:
        tests = (
            self.sides_of(word),
            self.is_denier(word),
            self.without_prefix(word),
            self.is_past(word),
            word[0].isdigit() or word in self.numerals,
            word in self.speech,
            word in self.weekdays,
            self.is_negative(word),
        )
        return tuple(number for number, each in enumerate(tests) if each)

    def without_prefix(self, word: str) -> str:
        """Return a folded word without the prefix that turns it into its contrary, empty if it has none."""
        is_adjective = word.startswith(self._adjective_prefixes) and word.endswith(self._adjective_endings)
        for prefix in self._prefixes + (self._adjective_prefixes if is_adjective else ()):
            if word.startswith(prefix):
                return word.removeprefix(prefix)
        return ""

    def is_past(self, word: str) -> bool:
        """Tell whether a folded word may be a past form."""
        return word.endswith(self._past_ending) or word in self._past

    def _stem(self, word: str) -> str:
        word = word.removesuffix("'s").removesuffix("'")
        return self._forms.get(word) or self._forms.get(cut := self._cut(word)) or cut

    def _cut(self, word: str) -> str:
        """Return a word without its ending."""
        for ending in self._endings:
            rest = word[: -len(ending)]
            if word.endswith(ending) and len(rest) >= _MIN_STEM and not word.endswith("ss"):
                word = rest
                break
        if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] in _DOUBLED:
            word = word[:-1]
        if len(word) > _MIN_STEM and word[-1] in "ey":
            word = word[:-1]
        return word

    def _groups(self, rows: Iterable[Mapping[str, Any]], *, exact: bool) -> dict[str, list[Side]]:
        """Return form or stem → the groups that it belongs to."""
        sides: dict[str, list[Side]] = {}
        for number, row in enumerate(rows):
            for group, words in enumerate(row["groups"]):
                reported = row.get("only", group) == group
                for word in words.split() if row.get("exact", False) == exact else ():
                    sides.setdefault(word if exact else self.stem(word), []).append(
                        Side(number, group, reported)
                    )
        return sides


def _phrases(table: Mapping[str, str]) -> dict[str, str]:
    """Return phrase → bound, from the table of bound → phrases between semicolons."""
    return {phrase.strip(): bound for bound, phrases in table.items() for phrase in phrases.split(";")}


def _contrast(row: Mapping[str, Any]) -> Contrast:
    message = row.get("message", 'The source has "{source}" where the text has "{draft}".')
    return Contrast(
        name=row["name"],
        message=message,
        before=row.get("before", _REACH),
        after=row.get("after", _REACH),
        weight=row.get("weight", 2.0),
        shared=row.get("shared", 2),
        next=row.get("next", 0),
        figure=row.get("figure", False),
        digit=row.get("digit", False),
        capital=row.get("capital", False),
        vague=row.get("vague", False),
        open=frozenset(row.get("open", "").split()),
    )


@lru_cache(maxsize=32)
def pair_lexicon(language: str) -> PairLexicon | None:
    """Return a language's lexicon, None where pairs are not checked in the language."""
    table = language_table(language, "pairs")
    return PairLexicon(table) if table else None
