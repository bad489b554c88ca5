"""A draft's body as the checks read it: the text without Markdown syntax, its sections, its visible text.

Positions are characters of `text`. `DraftDocument.span` maps them to characters of the body. The visible text
undoes obfuscation that hides an address from a regular expression (a backslash or a character reference for
a letter, marks of emphasis, Unicode compatibility characters, zero-width spaces).
"""

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import unescape
from itertools import pairwise
from typing import NamedTuple
from unicodedata import category, normalize

from pipeline.articles.markdown import Section, sections
from pipeline.checks.quotations.extract import Quote, extract_quotes
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Beat
from pipeline.domain.placeholders import PLACEHOLDERS
from pipeline.domain.reviews import Finding
from pipeline.domain.text import ends_in_ordinal

_HEADING = re.compile(r"^(?P<marks>#{1,6}[ \t]+)(?P<text>[^\r\n]*)", re.MULTILINE)
_LINK = re.compile(r"(?P<open>!?\[)(?P<label>[^\[\]]{0,300})(?P<target>\]\([^()\s]{0,2000}\))")
_URL = re.compile(r"https?://[^\s<>()\"]{1,2000}")
_NOT_LINE_BREAK = re.compile(r"[^\r\n]")
_LIST_MARKER = re.compile(r"\A\s*(?:>[ \t]?|[-*+][ \t]+|\d{1,3}[.)][ \t]+)+")


_OBFUSCATION = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});)"
    r"|(?P<emphasis>\*{2,}|(?<!^)\*|^\*(?![ \t])|~~|(?<![^\W_])_+|_+(?![^\W_]))"
    r"|(?P<other>[^\x00-\x7f])",
    re.MULTILINE,
)


class VisibleText(NamedTuple):
    """The visible text, and where each stretch of it is in the original."""

    text: str
    starts: tuple[int, ...]
    """Where stretches begin in the visible text."""
    places: tuple[int, ...]
    """Where the same stretches begin in the original."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the original of a span in the visible text, which must not be empty."""
        follows = bisect_left(self.starts, end)
        if follows < len(self.starts) and self.starts[follows] == end:
            return self._position(start), self.places[follows]
        return self._position(start), self._position(end - 1) + 1

    def _position(self, at: int) -> int:
        stretch = bisect_right(self.starts, at) - 1
        return self.places[stretch] + at - self.starts[stretch]


def visible_text(text: str) -> VisibleText:
    """Return a text without escapes, entities, emphasis, compatibility characters and invisible ones."""
    pieces: list[str] = []
    starts, places, length, copied_to = [0], [0], 0, 0
    for match in _OBFUSCATION.finditer(text):
        shown = _visible_form(match)
        if shown == match[0]:
            continue
        pieces += (text[copied_to : match.start()], shown)
        length += match.start() - copied_to
        copied_to = match.end()
        # Each character that replaces the match is a stretch of its own.
        starts += [*range(length, length + len(shown)), length + len(shown)]
        places += [*[match.start()] * len(shown), copied_to]
        length += len(shown)
    pieces.append(text[copied_to:])
    return VisibleText("".join(pieces), tuple(starts), tuple(places))


def _visible_form(match: re.Match[str]) -> str:
    if match["other"]:
        return _common_form(match["other"])
    if match["entity"]:
        return "".join(_common_form(char) for char in unescape(match["entity"]))
    return match["escaped"] or ""


@lru_cache(8192)
def _common_form(char: str) -> str:
    """Return the NFKC form of a character if that is a single one; nothing for an invisible character."""
    if (
        category(char) in ("Cf", "Cn")
        or "\ufe00" <= char <= "\ufe0f"
        or char in "\u034f\u115f\u1160\u3164\uffa0"
    ):
        return ""
    common = normalize("NFKC", char)
    return common if len(common) == 1 else char


class DocumentSentence(NamedTuple):
    """A sentence, a heading or a list item of a document; positions in `DraftDocument.text`, half-open."""

    start: int
    end: int
    is_heading: bool
    is_opinion: bool
    """It stands in a section of opinion."""


@dataclass(frozen=True, eq=False)
class DraftDocument:
    """One body in Markdown, parsed lazily."""

    body: str
    beat: Beat

    @cached_property
    def visible(self) -> VisibleText:
        """Return the visible text of the body."""
        return visible_text(self.body)

    @cached_property
    def text(self) -> str:
        """Return the visible text, with spaces for Markdown syntax, URLs and fixed headings."""
        text = _LINK.sub(_link_label, self.visible.text)
        text = _URL.sub(_blank, text)
        fixed = {heading.casefold() for heading in self.beat.headings}

        def heading(match: re.Match[str]) -> str:
            if _heading_text(match).casefold() in fixed:
                return _blank(match)
            # The first `#` becomes a line break: a heading is no part of the sentence before it.
            return "\n" + " " * (len(match["marks"]) - 1) + match[0][len(match["marks"]) :]

        return _HEADING.sub(heading, text)

    @cached_property
    def tokens(self) -> TokenizedText:
        """Return the words and sentences of `text`."""
        return TokenizedText(self.text)

    @cached_property
    def sentences(self) -> tuple[DocumentSentence, ...]:
        """Return the sentences that have words, without list markers; fixed headings are none.

        They are those of `tokens`, joined after abbreviations and cut where a heading's line ends.
        """
        headings = [heading.span() for heading in _HEADING.finditer(self.visible.text)]
        ends = [end for _, end in headings]
        opinion = [(section.line, section.end) for section in self.opinion]
        return tuple(
            DocumentSentence(start, end, _is_within(start, headings), _is_within(start, opinion))
            for sentence in self._joined_sentences()
            for start, end in self._pieces(*sentence, ends)
        )

    def _joined_sentences(self) -> Iterator[tuple[int, int]]:
        """Yield the sentences of `tokens`, joined where a full stop ends none: "sq. ft.", "am 12. Mai"."""
        joined: tuple[int, int] | None = None
        for start, end in self.tokens.sentences:
            if joined and self._goes_on(*joined, start):
                joined = joined[0], end
                continue
            if joined:
                yield joined
            joined = start, end
        if joined:
            yield joined

    def _goes_on(self, start: int, end: int, following: int) -> bool:
        """Tell whether the sentence of a span goes on at `following`, in the same line."""
        if "\n" in self.text[end:following]:
            return False
        is_abbreviated = self.text[end - 1] == "." and self.text[following].islower()
        return is_abbreviated or ends_in_ordinal(self.text[start:end])

    def _pieces(self, start: int, end: int, cuts: list[int]) -> Iterator[tuple[int, int]]:
        """Yield the pieces of a span between cuts, stripped, that have words."""
        inside = cuts[bisect_right(cuts, start) : bisect_left(cuts, end)]
        for low, high in pairwise((start, *inside, end)):
            piece = _LIST_MARKER.sub(_blank, self.text[low:high])
            first = low + len(piece) - len(piece.lstrip())
            behind = low + len(piece.rstrip())
            words = self.tokens.between(first, behind)
            if first < behind and words[0] < words[1]:
                yield first, behind

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Return the sections of the second level in their order; positions in `text`."""
        return tuple(sections(self.visible.text))

    @cached_property
    def opinion(self) -> tuple[Section, ...]:
        """Return the sections of opinion: the author's view and the impact."""
        headings = {heading.casefold() for heading in self.beat.headings[1:]}
        return tuple(section for section in self.sections if section.heading.casefold() in headings)

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """Return the spans of the labels of links and images."""
        return tuple(match.span("label") for match in _LINK.finditer(self.visible.text))

    @cached_property
    def _quotations(self) -> tuple[Quote, ...]:
        return extract_quotes(self.text)

    def is_quoted(self, position: int) -> bool:
        """Tell whether a position of the text is within a quotation."""
        index = bisect_right(self._quotations, (position, len(self.text) + 1)) - 1
        return index >= 0 and position < self._quotations[index].end

    @cached_property
    def is_brief(self) -> bool:
        """Tell whether the body is an offline brief: one of its placeholders is left."""
        return any(text in self.body for text in PLACEHOLDERS)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the body of a span in `text`; an empty span gets a character beside it."""
        if start >= end:
            end = min(start + 1, len(self.text))
            start = max(0, end - 1)
        if not self.text:
            return 0, 0
        begin, behind = self.visible.span(start, end)
        if self.text[end - 1] not in "*_~":
            behind = begin + len(self.body[begin:behind].rstrip("*_~"))  # closing emphasis is not visible
        return begin, behind

    def to_body(self, finding: Finding, source_length: int) -> Finding:
        """Return a finding with its span mapped to the body, and its evidence cut to `source_length`."""
        span = self.span(*finding.span) if finding.span else None
        inside = (place for place in finding.evidence if place[0] < source_length)
        evidence = tuple((start, min(end, source_length)) for start, end in inside)
        return finding.model_copy(update={"span": span, "evidence": evidence})


def _is_within(position: int, spans: list[tuple[int, int]]) -> bool:
    """Tell whether a position lies in one of these spans, which are in order."""
    at = bisect_right(spans, (position, sys.maxsize)) - 1
    return at >= 0 and position < spans[at][1]


def _heading_text(heading: re.Match[str]) -> str:
    return heading["text"].rstrip(" \t#")


def _blank(match: re.Match[str]) -> str:
    return _NOT_LINE_BREAK.sub(" ", match[0])


def _link_label(match: re.Match[str]) -> str:
    return " " * len(match["open"]) + match["label"] + " " * len(match["target"])
