"""Extracts the quotations of a text, in quotation marks and blockquotes, and their attribution to a speaker.

Every mark is read once. Straight marks open or close by the characters beside them, single marks may be
apostrophes, and marks may have spaces on both sides.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.language_tables import language_table


class Quote(NamedTuple):
    """The half-open character span between two quotation marks, or of a blockquote."""

    start: int
    end: int
    block: bool = False


_BLOCK = re.compile(r"(?:^[ \t]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_SIGNATURE = re.compile(r"\n[ \t]{0,3}>[ \t]*(?:[–—]|--)[^\n]*+\s*+\Z")
"""The last line of a blockquote that names its author."""
_MARK = re.compile(r"[\"“”„‟«»‹›「」『』'‘’‚]|\n[ \t\r]*\n")
_CLOSED_BY = {
    '"': '"”', "“": '”"', "„": "“”\"", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›",
    "「": "」", "『": "』",
}  # fmt: skip
"""Opening mark → the marks that close it."""
_SINGLE = "'‘‚"
_AFTER_SINGLE = re.compile(r"[‘’'](?![^\W_])")
_MAX_SINGLE_CHARS = 600
"""Length of the longest quotation in single marks. Chosen, not measured."""
_OPENS_AFTER = ' \t\n\r\u00a0\u202f([{—–-/"“„«:'
_DECADE = re.compile(r"\d\ds\b")


@lru_cache(maxsize=8)
def extract_quotes(text: str) -> tuple[Quote, ...]:
    """Return the quotations of a text in order; a nested quotation is part of the outer one."""
    quotes: list[Quote] = []
    done = 0
    for block in _BLOCK.finditer(text):
        quotes += _quotes_by_marks(text, done, block.start())
        signature = _SIGNATURE.search(block[0])
        end = block.start() + signature.start() if signature else block.end()
        quotes.append(Quote(block.start(), end, True))
        done = block.end()
    return (*quotes, *_quotes_by_marks(text, done, len(text)))


def _quotes_by_marks(text: str, start: int, end: int) -> Iterator[Quote]:
    """Yield the quotations in quotation marks within a span that has no blockquote."""
    opened, sign, done = -1, "", start
    for match in _MARK.finditer(text, start, end):
        at, mark = match.start(), match[0]
        if at < done:
            continue
        if len(mark) > 1:
            # A quotation of several paragraphs has an opening mark in each, and a closing one in the last.
            if opened >= 0 and text[match.end() : match.end() + 1] == sign:
                yield Quote(opened, at)
            opened = -1
        elif mark in _SINGLE and opened < 0:
            close = _single_quote_end(text, at, end)
            if close > 0:
                yield Quote(at + 1, close)
                done = close + 1
        elif opened >= 0 and mark in _CLOSED_BY[sign]:
            yield Quote(opened, at)
            opened = at + 1 if _reopens(text, at, mark) else -1
        elif mark in _CLOSED_BY and _opens(text, at, mark):
            opened, sign = at + 1, mark


def _opens(text: str, at: int, mark: str) -> bool:
    """Tell whether a mark opens a quotation where none is open."""
    before, after = text[at - 1 : at] or " ", text[at + 1 : at + 2] or " "
    if mark in '"”':
        # After a letter it closes a quotation, after a digit it may mean inches.
        is_spaced = before.isspace() and after == " "
        joins_word = is_spaced or not after.isspace()
        return not before.isalnum() and joins_word and (mark == '"' or after.isalnum())
    return True


def _reopens(text: str, at: int, mark: str) -> bool:
    """Tell whether a straight mark opens another quotation although the last one was not closed.

    The paragraphs of one quotation look so where a text has them in one line.
    """
    before, after = text[at - 1 : at], text[at + 1 : at + 2] or " "
    return mark == '"' and (before.isspace() or before in "([") and after.isalnum()


def _single_quote_end(text: str, at: int, end: int) -> int:
    """Return the position of the closing single mark; 0 where the mark is an apostrophe."""
    before = text[at - 1 : at] or " "
    after = text[at + 1 : at + 2]
    if before not in _OPENS_AFTER or not (after.isalnum() or after in "[…"):
        return 0
    if text[at] == "'" and _DECADE.match(text, at + 1):
        return 0
    stop = min(end, at + _MAX_SINGLE_CHARS)
    paragraph_end = text.find("\n\n", at, stop)
    for match in _AFTER_SINGLE.finditer(text, at + 1, paragraph_end if paragraph_end > 0 else stop):
        if not text[match.start() - 1].isspace():
            return match.start()
    return 0


_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_STOP = re.compile(r"[.!?…](?=[\s\"“”„«»]|\Z)|\n|[\"“”„«»;]")
_INITIAL = re.compile(r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Gov|Rep))\Z")
_MAX_SPEAKER_CHARS = 160
"""Characters on either side of a quotation that may name its speaker. Chosen, not measured."""
_MAX_VERB_WORDS = 6
"""Maximum number of words from a quotation to the verb, and from it to the name. Chosen, not measured."""


class AttributionLexicon(NamedTuple):
    """Words of attribution in one language, read from `quotations.toml`; every word case folded."""

    verbs: frozenset[str]
    unnamed: frozenset[str]
    """Function words, which may be capitalised."""
    titles: frozenset[str]
    between: frozenset[str]
    """Words that separate two unrelated names."""


@lru_cache(maxsize=32)
def attribution_lexicon(language: str) -> AttributionLexicon | None:
    """Return a language's words of attribution; None where the language has no table."""
    table = language_table(language, "quotations")
    if table is None:
        return None
    return AttributionLexicon(*(frozenset(table[name].split()) for name in AttributionLexicon._fields))


def speaker_of(text: str, quote: Quote, lexicon: AttributionLexicon) -> tuple[str, ...]:
    """Return the words of the name that a quotation is attributed to, folded; empty without a name."""
    inner = text[quote.start : quote.end].rstrip()
    after = text[quote.end + 1 : quote.end + 2]
    if inner.endswith(".") and after != ",":
        return _speaker_before(text, quote, lexicon) or _speaker_after(text, quote, lexicon, verb_first=True)
    if inner.endswith((",", "?", "!")) or after == ",":
        return _speaker_after(text, quote, lexicon) or _speaker_before(text, quote, lexicon)
    return _speaker_before(text, quote, lexicon) or _speaker_after(text, quote, lexicon, verb_first=True)


def _speaker_after(
    text: str, quote: Quote, lexicon: AttributionLexicon, *, verb_first: bool = False
) -> tuple[str, ...]:
    start = quote.end + 1
    words = list(_WORD.finditer(text, start, _sentence_end(text, start)))
    early = enumerate(words[:_MAX_VERB_WORDS])
    verb = next((at for at, word in early if _folded(word) in lexicon.verbs), None)
    if verb is None or (verb_first and verb > 0):
        return ()
    after_verb = words[verb + 1 : verb + _MAX_VERB_WORDS + 3]
    return _name_words(text, words[:verb], lexicon) or _name_words(text, after_verb, lexicon)


def _speaker_before(text: str, quote: Quote, lexicon: AttributionLexicon) -> tuple[str, ...]:
    end = max(0, quote.start - 1)
    start = _sentence_start(text, max(0, end - _MAX_SPEAKER_CHARS), end)
    words = list(_WORD.finditer(text, start, end))
    verbs = [at for at, word in enumerate(words) if _folded(word) in lexicon.verbs]
    if not verbs:
        return ()
    verb = verbs[-1]
    before_verb = words[max(0, verb - _MAX_VERB_WORDS - 2) : verb]
    return _name_words(text, before_verb, lexicon) or _name_words(text, words[verb + 1 :], lexicon)


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
    return stop[0] == "." and bool(_INITIAL.search(text[max(0, stop.start() - 4) : stop.start()]))


def _name_words(text: str, words: Sequence[re.Match[str]], lexicon: AttributionLexicon) -> tuple[str, ...]:
    """Return the names among words, without capitalised descriptions such as "French president"."""
    name: list[str] = []
    run: list[str] = []
    for index, word in enumerate(words):
        if _may_be_name(word, lexicon):
            run.append(_folded(word))
            continue
        is_separate = index == 0 or not text[words[index - 1].end()].isspace()
        name += run if is_separate or _folded(word) in lexicon.unnamed else []
        run = []
    return tuple(dict.fromkeys((*name, *run)))


def _may_be_name(word: re.Match[str], lexicon: AttributionLexicon) -> bool:
    folded = _folded(word)
    is_excluded = folded in lexicon.verbs or folded in lexicon.unnamed or folded in lexicon.titles
    return word[0][0].isupper() and len(folded) > 1 and not is_excluded


def _folded(word: re.Match[str]) -> str:
    return re.sub(r"['’]s?\Z", "", word[0]).casefold()
