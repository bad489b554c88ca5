"""Attribution of a quotation: the name that a text gives beside it, or at the turn of an interview."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.language_tables import language_table
from pipeline.checks.quotations.extract import Quote
from pipeline.domain.text import is_abbreviated

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_STOP = re.compile(r"[.!?…](?=[\s\"“”„«»]|\Z)|\n|[\"“”„«»;]")
_MAX_SPEAKER_CHARS = 160
"""Characters on either side of a quotation that may name its speaker. Chosen, not measured."""
_MAX_VERB_WORDS = 6
"""Maximum number of words from a quotation to the verb, and from it to the name. Chosen, not measured."""
_MAX_GAP_CHARS = 35
"""Characters between a verb of speech and its only name, such as an office. Chosen, not measured."""


class AttributionLexicon(NamedTuple):
    """Words of attribution in one language, read from `quotations.toml`; every word case folded."""

    verbs: frozenset[str]
    auxiliaries: frozenset[str]
    """Those of `verbs` that tell of speech only beside quotation marks."""
    conveying: frozenset[str]
    """Those of `verbs` whose subject may only ask for words, or pass them on."""
    passives: frozenset[str]
    """Beside a verb of speech they tell that its subject is spoken of."""
    articles: frozenset[str]
    """Definite ones: with one, a single word describes somebody, as in "the Argentine"."""
    indefinites: frozenset[str]
    """Indefinite articles and the like: what follows is no person."""
    nouns: frozenset[str]
    """Not empty where nouns begin with a capital letter: a single word may then be one."""
    addressing: frozenset[str]
    """Verbs after which the listener is named: "told Reuters"."""
    pronouns: frozenset[str]
    """Subjects that stand for a speaker named elsewhere."""
    unnamed: frozenset[str]
    """Function words, which may be capitalised."""
    titles: frozenset[str]
    between: frozenset[str]
    """Words that separate two unrelated names."""
    agents: frozenset[str]
    """What is before somebody who did what is told: "quoted by Reuters"."""
    negations: frozenset[str]


@lru_cache(maxsize=32)
def attribution_lexicon(language: str) -> AttributionLexicon | None:
    """Return a language's words of attribution; None where the language has no table."""
    table = language_table(language, "quotations")
    if table is None:
        return None
    return AttributionLexicon(*(frozenset(table[name].split()) for name in AttributionLexicon._fields))


class Attribution(NamedTuple):
    """Who a text says is quoted."""

    words: tuple[str, ...]
    """The folded words of the names around the verb, each once."""
    main: tuple[str, ...]
    """Those of the name beside the verb, or of the only one; empty where any of them may be the speaker."""
    start: int
    """Where that name begins, else the first one."""
    end: int


_Words = Sequence[re.Match[str]]
_Names = tuple[re.Match[str], list[_Words]]
"""A verb of speech, and the names that may be its subject."""


def attribution_of(text: str, quote: Quote, lexicon: AttributionLexicon) -> Attribution | None:
    """Return the name that a quotation is attributed to; None without a name, as with a pronoun."""
    inner = text[quote.start : quote.end].rstrip()
    after = text[quote.end + 1 : quote.end + 2]
    if inner.endswith((",", "?", "!")) or after == ",":
        runs = _speaker_after(text, quote, lexicon) or _speaker_before(text, quote, lexicon)
    else:
        runs = _speaker_before(text, quote, lexicon) or _speaker_after(text, quote, lexicon, verb_first=True)
    return _attribution(text, *runs, lexicon) if runs else None


def _attribution(
    text: str, verb: re.Match[str], runs: list[_Words], lexicon: AttributionLexicon
) -> Attribution:
    """Return the attribution to the names before a verb of speech, or to those after it.

    After it the first one is the speaker, with an office before it and an employer behind. Before it, it is
    the only one, or the one beside the verb if it is no attribute of another ("Ada of Free Mills said").
    """
    words = tuple(dict.fromkeys(_folded(word) for run in runs for word in run))
    is_after = runs[0][0].start() >= verb.end()
    main = runs[0] if is_after or verb.start() - runs[-1][-1].end() > 1 else runs[-1]
    has_attribute = len(runs) == 2 and _is_attribute(text, runs[1], lexicon)
    if has_attribute or _is_attribute(text, main, lexicon):
        main = runs[0]
    is_object = not is_after and _is_attribute(text, main, lexicon)  # "the head of Ada Mills says"
    last = runs[-1] if has_attribute and not is_after else main
    between = text[verb.end() : main[0].start()] if is_after else text[last[-1].end() : verb.start()]
    is_near = (
        not is_object
        and len(between) <= _MAX_GAP_CHARS
        and not lexicon.agents & set(between.casefold().split())
    )
    is_certain = is_near and (is_after or len(runs) == 1 or has_attribute or len(between) <= 1)
    return Attribution(
        words, tuple(map(_folded, main)) if is_certain else (), main[0].start(), main[-1].end()
    )


def _is_attribute(text: str, name: _Words, lexicon: AttributionLexicon) -> bool:
    """Tell whether a preposition or another function word is before a name."""
    before = text[max(0, name[0].start() - _MAX_GAP_CHARS) : name[0].start()].split()
    return bool(before) and before[-1].casefold() in lexicon.unnamed | lexicon.addressing


def _speaker_after(
    text: str, quote: Quote, lexicon: AttributionLexicon, *, verb_first: bool = False
) -> _Names | None:
    start = quote.end + 1
    words = list(_WORD.finditer(text, start, _sentence_end(text, start)))
    early = enumerate(words[:_MAX_VERB_WORDS])
    verb = next((at for at, word in early if _folded(word) in lexicon.verbs), None)
    if verb is None or (verb_first and verb > 0):
        return None
    return _beside_verb(text, words, verb, lexicon)


def _speaker_before(text: str, quote: Quote, lexicon: AttributionLexicon) -> _Names | None:
    end = max(0, quote.start - 1)
    start = _sentence_start(text, max(0, end - _MAX_SPEAKER_CHARS), end)
    words = list(_WORD.finditer(text, start, end))
    verbs = [at for at, word in enumerate(words) if _folded(word) in lexicon.verbs]
    return _beside_verb(text, words, verbs[-1], lexicon) if verbs else None


def _beside_verb(text: str, words: _Words, verb: int, lexicon: AttributionLexicon) -> _Names | None:
    """Return a verb of speech with the names before it, else those after it; None without a name.

    A pronoun that is the subject stands for a name elsewhere.
    """
    if any(
        _folded(word) in lexicon.passives for word in (*words[verb - 1 : verb], *words[verb + 1 : verb + 2])
    ):
        return None
    before = words[max(0, verb - _MAX_VERB_WORDS - 2) : verb]
    after = words[verb + 1 : verb + _MAX_VERB_WORDS + 3]
    names = _name_runs(text, before, lexicon)
    subject = before[before.index(names[-1][-1]) :] if names else (*before, *after[:1])
    if any(_folded(word) in lexicon.pronouns for word in subject):
        return None
    if not names and _folded(words[verb]) not in lexicon.addressing:
        names = _name_runs(text, after, lexicon)
    return (words[verb], names) if names else None


def _sentence_end(text: str, start: int) -> int:
    """Return the end of the sentence around a quotation, searched from `start`."""
    limit = start + _MAX_SPEAKER_CHARS
    stops = (match for match in _STOP.finditer(text, start, limit) if not _is_abbreviation(text, match))
    match = next(stops, None)
    return match.start() if match else min(len(text), limit)


def _sentence_start(text: str, start: int, end: int) -> int:
    """Return the beginning of the sentence around a quotation that begins at `end`."""
    stops = [match.end() for match in _STOP.finditer(text, start, end) if not _is_abbreviation(text, match)]
    return stops[-1] if stops else start


def _is_abbreviation(text: str, stop: re.Match[str]) -> bool:
    """Tell whether a full stop ends an initial or a title, not a sentence."""
    return stop[0] == "." and is_abbreviated(text, stop.start())


def _name_runs(text: str, words: _Words, lexicon: AttributionLexicon) -> list[_Words]:
    """Return the names among words, without capitalised descriptions such as "French president"."""
    names: list[_Words] = []
    run: list[re.Match[str]] = []
    for index, word in enumerate(words):
        is_separate = index == 0 or not text[words[index - 1].end()].isspace()
        may_be_name = _may_be_name(word, lexicon)
        if run and (is_separate or not may_be_name):
            if is_separate or _folded(word) in lexicon.unnamed:
                names.append(run)
            run = []
        if may_be_name:
            run.append(word)
    names += [run] if run else []
    described = {
        words[index + 1] for index in range(len(words) - 1) if _folded(words[index]) in lexicon.articles
    }
    return [run for run in names if len(run) > 1 or run[0] not in described]


def _may_be_name(word: re.Match[str], lexicon: AttributionLexicon) -> bool:
    folded = _folded(word)
    is_excluded = folded in lexicon.verbs or folded in lexicon.unnamed or folded in lexicon.titles
    return word[0][0].isupper() and len(folded) > 1 and not is_excluded


def _folded(word: re.Match[str]) -> str:
    return re.sub(r"['’]s?\Z", "", word[0]).casefold()


_LABEL = re.compile(
    r"^[*_\s]{0,4}(?P<name>[^\W\d_][\w.'’-]{0,20}(?: [^\W\d_][\w.'’-]{0,20}){0,3})[*_]{0,3}:[*_]{0,3}\s",
    re.MULTILINE,
)
_MIN_TURNS = 2
"""Turns of a label from which on it names a speaker of an interview. Chosen, not measured."""


class Turns:
    """The turns of an interview: lines that begin with the name or the initials of who speaks."""

    def __init__(self, text: str) -> None:
        lines = [(match.start("name"), match["name"]) for match in _LABEL.finditer(text)]
        counts: dict[str, int] = {}
        for _, name in lines:
            counts[name] = counts.get(name, 0) + 1
        turns = [(at, name) for at, name in lines if counts[name] >= _MIN_TURNS and name[0].isupper()]
        self._starts = [at for at, _ in turns]
        self._names = [name for _, name in turns]

    def at(self, position: int) -> str:
        """Return the label of the turn at a position; empty before the first one."""
        index = bisect_right(self._starts, position) - 1
        return self._names[index] if index >= 0 else ""

    def others(self, label: str) -> Iterator[str]:
        """Yield the labels of the other speakers."""
        yield from (name for name in dict.fromkeys(self._names) if name != label)


def is_label_of(label: str, name: Sequence[str]) -> bool:
    """Tell whether a label stands for a name, given as folded words: a word of it, or its initials."""
    words = label.replace(".", "").split()
    if len(words) == 1 and words[0].isupper() and len(words[0]) <= 3:
        return any(word[:1] in words[0].casefold() for word in name)
    return any(word.casefold() in name for word in words)
