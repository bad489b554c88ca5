"""Decides whether a text is complete enough to be rewritten: neither too short nor cut off. Pure.

Source of the rules: the ends of some 4,500 items of real feeds. Publishers cut with a mark (`[…]`,
`(more…)`), a link to read on, a bare ellipsis, or without a mark at a round number of characters.
"""

import math
import re

_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SYLLABLES = re.compile("[\uac00-\ud7af]")
_DENSE_WEIGHT, _SYLLABLE_WEIGHT = 2.5, 2.0
"""Letters of an alphabet that a sign of Chinese or Japanese, or a Korean syllable stands for: 120 signs of a
Japanese news flash are 60 English words, some 300 letters."""

_TAIL_CHARS = 1_200
"""Characters at the end of a text that are searched for a trailer."""
_MAX_TRAILERS = 5
"""Trailers that are removed, such as `Read more` and then WordPress's `The post …`."""

# A trailer starts a line, follows the end of a sentence or an ellipsis, or starts with a capital letter.
_BEGINS = r"(?:\A|\n|(?<=[.!?…:;\])}”\"’'»。！？؟।])\s{0,9}|\s(?=(?-i:[A-ZА-Я])))"
_READ_ON = (  # a link to the rest of the text
    r"(?:read|view|see) (?:more|on|the (?:full|whole|rest)(?: \w{1,20}){0,3}"
    r"|full (?:story|article|post))"
    r"|(?:continue|keep) reading(?: .{1,300})?|click here to read.{0,120}"
    r"|read on (?:to|for) .{1,80}|\(more\)|\[more\]|more(?=\s?(?:…|\.\.))"
    r"|weiterlesen|mehr lesen|lire la suite|lire plus|leer más|leggi tutto|continua a leggere|lees verder"
    r"|читать (?:далее|полностью|дальше)|続きを読む|阅读全文|閱讀全文"
)
_READ_ON_END = re.compile(rf"{_BEGINS}(?:{_READ_ON})\W{{0,12}}\Z", re.IGNORECASE)
_TRAILER_END = re.compile(
    rf"{_BEGINS}(?:the post .{{1,500}}? (?:first )?appeared (?:first )?on .{{1,150}}"
    r"|(?:read|see|learn|find out) more (?:on|at|about|here|in) .{1,120}|learn more"
    r"|read (?:the (?:full|whole|original) \w{1,20}|it|this)(?: (?:on|at|here|in) .{1,120}| here)?)\W{0,12}\Z"
    r"|\n(?:comments|permalink|share this)\W{0,12}\Z",
    re.IGNORECASE | re.DOTALL,
)

_ELLIPSIS = r"(?:…|\.\s?\.\s?\.|&hellip;|&#8230;)[.…]{0,9}"
_MARK = re.compile(
    rf"(?:\[\s?{_ELLIPSIS}\s?\]|\(\s?{_ELLIPSIS}\s?\)|\(more\s?{_ELLIPSIS}\)|\[more\s?{_ELLIPSIS}\]"
    r"|\[?\+\d{1,7} chars\]?)[\s»›>→]{0,5}\Z",
    re.IGNORECASE,
)
_MARKED_LINE = re.compile(rf"(?<=[^\n.!?…] )(?:\[\s?{_ELLIPSIS}\s?\]|\(\s?{_ELLIPSIS}\s?\))(?=\n)")
"""A mark in brackets after words, at the end of a line; after a whole sentence it leaves out a passage."""
_MAX_FOOTER_CHARS = 400
"""Characters of footers and adverts after a mark of a cut. Chosen, not measured."""
_BARE_MARK = re.compile(rf"{_ELLIPSIS}[\s»›>→]{{0,5}}\Z")
_MAX_EXCERPT_CHARS = 1_000
"""Characters below which an ellipsis at the end is a cut; in longer texts it is the author's own."""

_MIN_CUT_CHARS = 150
"""Characters from which a text without a sentence end may be cut: shorter ones are headlines."""
_MIN_LINE_CHARS = 80
"""Characters of the last line from which it is a sentence, not a line of a list, poem or signature."""
_NEVER_LAST_WORDS = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "by",
        "with",
        "and",
        "or",
        "but",
        "that",
        "which",
        "who",
        "as",
        "from",
        "into",
        "its",
        "their",
        "his",
        "her",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "will",
        "would",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "und",
        "oder",
        "mit",
        "von",
        "für",
        "le",
        "la",
        "les",
        "et",
        "de",
        "du",
        "des",
        "un",
        "une",
        "el",
        "los",
        "las",
        "y",
        "que",
        "il",
        "lo",
        "gli",
        "e",
        "di",
    ]
)
_COMMAS = (",", "、", "،", "，")
_FAREWELLS = ("thanks,", "regards,", "cheers,", "yours,", "love,")
_EXCERPT_LIMITS = (200, 250, 255, 300, 350, 400, 500, 600, 700, 750, 800, 1_000)
"""Lengths in characters at which feed software cuts excerpts, exactly or at the word before."""
_MAX_LAST_WORD_CHARS = 10
"""Characters by which an excerpt cut at a word may be shorter."""
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]?\s")


def strip_trailers(text: str) -> str:
    """Return a text without trailers such as `The post … appeared first on …` and `Read more`."""
    return _split_trailers(text)[0]


def is_cut(text: str) -> bool:
    """Return whether a text ends in a mark of a cut, a link to read on, or within a sentence."""
    return _cut_reason(*_split_trailers(text)) is not None


def incompleteness(text: str, min_chars: int) -> str | None:
    """Return why a text is not complete enough to be rewritten, with its length; None if it is.

    The reason starts with `thin source` if the text has fewer than `min_chars` characters, and with `cut
    source` if it ends in an ellipsis, a link to read on, or within a sentence.
    """
    body, reads_on = _split_trailers(text)
    if not body or weight(body) < min_chars:
        return f"thin source: {len(body):,} of {_needed_chars(body, min_chars):,} characters"
    return _cut_reason(body, reads_on)


def weight(text: str) -> float:
    """Return the length of a text in characters of an alphabet: those of dense scripts count for several."""
    if text.isascii():
        return len(text)
    dense, syllables = len(_DENSE.findall(text)), len(_SYLLABLES.findall(text))
    return len(text) + (_DENSE_WEIGHT - 1) * dense + (_SYLLABLE_WEIGHT - 1) * syllables


def _needed_chars(body: str, min_chars: int) -> int:
    """Return the least number of characters in the script of a text."""
    return math.ceil(min_chars * len(body) / weight(body)) if body else min_chars


def _cut_reason(body: str, reads_on: bool) -> str | None:
    if reads_on or _has_cut_mark(body) or _is_cut_before_footer(body):
        return f"cut source: it breaks off after {len(body):,} characters"
    if _ends_mid_sentence(body) or _ends_at_excerpt_limit(body):
        return f"cut source: its last sentence is not whole, after {len(body):,} characters"
    return None


def _split_trailers(text: str) -> tuple[str, bool]:
    """Return a text without its trailers, and whether one of them is a link to read on."""
    body, reads_on = text.strip(), False
    for _ in range(_MAX_TRAILERS):
        start = max(0, len(body) - _TAIL_CHARS)
        tail = body[start:]
        link = _READ_ON_END.search(tail)
        match = link or _TRAILER_END.search(tail)
        if match is None or start + match.start() == 0:
            break
        body, reads_on = body[: start + match.start()].rstrip(), reads_on or bool(link)
    return body, reads_on


def _has_cut_mark(body: str) -> bool:
    tail = body[-40:]
    return bool(_MARK.search(tail)) or (len(body) < _MAX_EXCERPT_CHARS and bool(_BARE_MARK.search(tail)))


def _is_cut_before_footer(body: str) -> bool:
    """Return whether an excerpt has a mark of a cut at the end of a line that only a footer follows."""
    if len(body) > _MAX_EXCERPT_CHARS + _MAX_FOOTER_CHARS or "\n" not in body:
        return False
    marks = list(_MARKED_LINE.finditer(body))
    return bool(marks) and len(body) - marks[-1].end() <= _MAX_FOOTER_CHARS


def _ends_mid_sentence(body: str) -> bool:
    """Return whether a long text ends with a comma, or a word that ends no sentence."""
    last_line = body.rpartition("\n")[2]
    if len(body) < _MIN_CUT_CHARS or len(last_line) < _MIN_LINE_CHARS or last_line.startswith("- "):
        return False
    last_word = last_line.split()[-1].casefold()
    return last_word in _NEVER_LAST_WORDS or (last_word.endswith(_COMMAS) and last_word not in _FAREWELLS)


def _ends_at_excerpt_limit(body: str) -> bool:
    """Return whether a text ends within a sentence at a length of _EXCERPT_LIMITS."""
    if not any(limit - _MAX_LAST_WORD_CHARS <= len(body) <= limit + 1 for limit in _EXCERPT_LIMITS):
        return False
    last_line = body.rpartition("\n")[2]
    if last_line != body and (len(last_line) < _MIN_LINE_CHARS or last_line.startswith("- ")):
        return False  # a signature, or an item of a list
    last_word = body.split()[-1]
    return last_word.isalpha() and last_word[-1].islower() and bool(_SENTENCE_END.search(body))
