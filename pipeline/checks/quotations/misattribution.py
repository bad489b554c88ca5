"""Compares the speaker of a quotation in a draft with the speaker of the same words in the source."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property

from pipeline.checks.quotations.extract import Quote, extract_quotes
from pipeline.checks.quotations.match import QuoteMatch
from pipeline.checks.quotations.speakers import (
    Attribution,
    AttributionLexicon,
    Turns,
    attribution_of,
    is_label_of,
)
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "quotation"
OtherSpeaker = tuple[Severity, str, tuple[tuple[int, int], ...]]
"""Severity, the name that the source has, and the evidence."""
_MAX_WORDS_BETWEEN = 6
"""Words between a speaker and an organisation in one sentence of the source. Chosen, not measured."""
_MAX_POSITIONS = 20
"""Positions of a name that are compared, in a sentence and in the source. Chosen, not measured."""
_MAX_PLACES = 5
"""Places of the same words in the source whose speakers are compared. Chosen, not measured."""
_MAX_SOURCE_QUOTES = 1000
"""Quotations of the source whose speakers are known. Chosen, not measured."""
_MAX_VERB_DISTANCE = 4
"""Words from a name to the verb of speech that makes it a speaker of the source. Chosen, not measured."""


class SpeakerCheck:
    """The speakers of one draft and its source."""

    def __init__(self, case: CheckInput, lexicon: AttributionLexicon) -> None:
        self._case = case
        self._lexicon = lexicon._replace(verbs=lexicon.verbs - lexicon.auxiliaries)

    def finding(self, quote: Quote, places: Sequence[tuple[QuoteMatch, Quote | None]]) -> Finding | None:
        """Return the finding about the speaker of a quotation that the source has at some places.

        None where one of the places may have the draft's speaker, who may be called by another form of the
        name. A speaker whom the source does not name is left to the check of names.
        """
        drafted = attribution_of(self._case.draft.text, quote, self._lexicon)
        if drafted is None or not drafted.main or not self._is_in_source(drafted):
            return None
        others = [self._other_speaker(drafted, match, at) for match, at in places[:_MAX_PLACES]]
        if not others or None in others or len(places) > _MAX_PLACES:
            return None
        severity, name, evidence = next(other for other in others if other)
        message = f"The source attributes this to another speaker ({name}): name that speaker."
        span = drafted.start, drafted.end
        return Finding(
            kind=KIND, severity=severity, message=message, span=span, evidence=evidence, suggestion=name
        )

    def _other_speaker(
        self, drafted: Attribution, match: QuoteMatch, quote: Quote | None
    ) -> OtherSpeaker | None:
        """Return the other speaker at a place of the source; None without one."""
        text, words = self._case.source.text, (match.start, match.end)
        # Without marks its last letter is where a closing one would be.
        actual = attribution_of(text, quote or Quote(match.start, match.end - 1), self._lexicon)
        if actual is None:
            label = self._other_turn(drafted, match)
            return (Severity.WARN, label, (words,)) if label else None
        if (
            self._is_same(drafted.main, actual.main)
            if actual.main
            else self._is_same(drafted.words, actual.words)
        ):
            return None
        if quote is None and self._shares_sentence(drafted, match):
            return None
        if not self._speaks(drafted):
            return None
        persons = [self._is_person(attribution) for attribution in (drafted, actual)]
        if self._lexicon.nouns and not all(persons):
            return None
        is_certain = quote is not None and bool(actual.main) and all(persons)
        severity = Severity.BLOCK if is_certain else Severity.WARN
        name = " ".join(text[actual.start : actual.end].split())
        return severity, name, (words, (actual.start, actual.end))

    def _is_person(self, attribution: Attribution) -> bool:
        """Tell whether the source has a name as that of a person: two words, or one after another or a title.

        With an article before it, it is a thing: a company, an authority, letters.
        """
        source, lexicon = self._case.source, self._lexicon
        if not attribution.main:
            return False
        last, articles = attribution.main[-1], lexicon.articles | lexicon.indefinites
        for at in _positions(source, last):
            first = at - len(attribution.main) + 1
            is_whole = source.folded[max(0, first) : at] == attribution.main[:-1]
            if is_whole and first > 0 and source.folded[first - 1] in articles:
                return False
        if len(attribution.main) > 1:
            return True
        return any(self._follows_first_name(at) for at in _positions(source, last) if at)

    def _follows_first_name(self, at: int) -> bool:
        """Tell whether a title or another capitalised word is right before a word of the source."""
        source, lexicon = self._case.source, self._lexicon
        before = source.folded[at - 1]
        if before in lexicon.titles:
            return True
        first, second = source.words[at - 1 : at + 1]
        is_beside = source.text[first.end : second.start] == " "
        return is_beside and first.text[:1].isupper() and before not in lexicon.unnamed | lexicon.verbs

    def _other_turn(self, drafted: Attribution, match: QuoteMatch) -> str:
        """Return the label of an interview's turn, if another label is the draft's speaker; else nothing."""
        label = self._turns.at(match.start)
        if not label or is_label_of(label, drafted.words):
            return ""
        return label if any(is_label_of(other, drafted.words) for other in self._turns.others(label)) else ""

    def _is_in_source(self, drafted: Attribution) -> bool:
        return any(_positions(self._case.source, word) for word in drafted.words)

    def _is_same(self, drafted: Sequence[str], actual: Sequence[str]) -> bool:
        """Tell whether two names share a word, are named as one party, or one is the other's initials."""
        if set(drafted) & set(actual) or _is_acronym(drafted, actual) or _is_acronym(actual, drafted):
            return True
        return self._is_same_party(drafted, actual)

    def _is_same_party(self, drafted: Iterable[str], actual: Iterable[str]) -> bool:
        """Tell whether the source names both next to each other, as a company and its spokesperson."""
        source = self._case.source
        separators = self._lexicon.verbs | self._lexicon.between
        others = sorted(at for name in actual for at in _positions(source, name))
        for at in (at for name in drafted for at in _positions(source, name)):
            first, end = source.sentence_words(at)
            for other in others[bisect_left(others, first) : bisect_left(others, end)][:_MAX_POSITIONS]:
                between = source.folded[min(at, other) + 1 : max(at, other)]
                if len(between) <= _MAX_WORDS_BETWEEN and not separators & set(between):
                    return True
        return False

    def _shares_sentence(self, drafted: Attribution, match: QuoteMatch) -> bool:
        """Tell whether the sentence of a match in the source names the draft's speaker."""
        source = self._case.source
        first, end = source.sentence_words(source.between(*match)[0])
        return bool(set(drafted.words) & set(source.folded[first:end]))

    def _speaks(self, drafted: Attribution) -> bool:
        """Tell whether the draft's speaker speaks in the source as well.

        Else it may be who conveys the words: the publisher, the author, an agency.
        """
        source, lexicon = self._case.source, self._lexicon
        verbs = lexicon.verbs - lexicon.addressing - lexicon.conveying
        if self._quoted_speakers & set(drafted.main):
            return True
        for at in (at for word in drafted.main for at in _positions(source, word)):
            beside = (*source.folded[max(0, at - 2) : at], *source.folded[at + 1 : at + _MAX_VERB_DISTANCE])
            if verbs & set(beside):
                return True
        return False

    @cached_property
    def _quoted_speakers(self) -> frozenset[str]:
        text = self._case.source.text
        quotes = extract_quotes(text)[:_MAX_SOURCE_QUOTES]
        attributions = (attribution_of(text, quote, self._lexicon) for quote in quotes)
        return frozenset(word for attribution in attributions if attribution for word in attribution.main)

    @cached_property
    def _turns(self) -> Turns:
        return Turns(self._case.source.text)


def _is_acronym(short: Sequence[str], long: Sequence[str]) -> bool:
    """Tell whether a single word has the initials of a name of several words."""
    return len(short) == 1 and len(long) > 1 and short[0] == "".join(word[0] for word in long)


def _positions(source: TokenizedText, name: str) -> tuple[int, ...]:
    forms = (name, f"{name}'s")
    return tuple(at for form in forms for at in source.positions.get(form, ())[:_MAX_POSITIONS])
