"""A draft's body as the checks read it: the visible text without Markdown syntax, and its sections.

Positions are characters of `text`. `DraftDocument.span` maps them to characters of the body.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.checks.quotations.extract import Quote, extract_quotes
from pipeline.checks.tokens import TokenizedText
from pipeline.checks.visible_text import VisibleText, visible_text
from pipeline.domain.models import Beat
from pipeline.domain.placeholders import PLACEHOLDERS
from pipeline.domain.reviews import Finding

_HEADING = re.compile(r"^(?P<marks>#{1,6}[ \t]+)(?P<text>[^\r\n]*)", re.MULTILINE)
_LINK = re.compile(r"(?P<open>!?\[)(?P<label>[^\[\]]{0,300})(?P<target>\]\([^()\s]{0,2000}\))")
_URL = re.compile(r"https?://[^\s<>()\"]{1,2000}")
_NOT_LINE_BREAK = re.compile(r"[^\r\n]")


class Section(NamedTuple):
    """A section of the second level; positions in `DraftDocument.text`, half-open."""

    heading: str
    start: int
    """Where the line of the heading begins."""
    body: int
    """Where that line ends."""
    end: int


class FixedHeadings(NamedTuple):
    """The headings that every article of a beat has."""

    overview: str
    from_author: str
    impact: str


def fixed_headings(beat: Beat) -> FixedHeadings:
    """Return the headings that every article of a beat has."""
    return FixedHeadings(beat.overview, beat.from_author, f"{beat.impact} {beat.market}")


@dataclass(frozen=True, eq=False)
class DraftDocument:
    """One body in Markdown, parsed lazily."""

    body: str
    beat: Beat

    @cached_property
    def fixed_headings(self) -> FixedHeadings:
        """Return the headings that every article of the beat has."""
        return fixed_headings(self.beat)

    @cached_property
    def text(self) -> str:
        """Return the visible text, with spaces for Markdown syntax, URLs and fixed headings."""
        text = _LINK.sub(_link_label, self._visible.text)
        text = _URL.sub(_blank, text)
        fixed = {heading.casefold() for heading in self.fixed_headings}

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
    def sections(self) -> tuple[Section, ...]:
        """Return the sections of the second level in their order."""
        text = self._visible.text
        headings = [match for match in _HEADING.finditer(text) if match["marks"].rstrip() == "##"]
        ends = [*(heading.start() for heading in headings[1:]), len(text)]
        return tuple(
            Section(_heading_text(heading), heading.start(), heading.end(), end)
            for heading, end in zip(headings, ends, strict=False)
        )

    @cached_property
    def opinion(self) -> tuple[Section, ...]:
        """Return the sections of opinion: the author's view and the impact."""
        headings = {heading.casefold() for heading in self.fixed_headings[1:]}
        return tuple(section for section in self.sections if section.heading.casefold() in headings)

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """Return the spans of the labels of links and images."""
        return tuple(match.span("label") for match in _LINK.finditer(self._visible.text))

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
        begin, behind = self._visible.span(start, end)
        if self.text[end - 1] not in "*_~":
            behind = begin + len(self.body[begin:behind].rstrip("*_~"))  # closing emphasis is not visible
        return begin, behind

    def to_body(self, finding: Finding, source_length: int) -> Finding:
        """Return a finding with its span mapped to the body, and its evidence cut to `source_length`."""
        span = self.span(*finding.span) if finding.span else None
        inside = (place for place in finding.evidence if place[0] < source_length)
        evidence = tuple((start, min(end, source_length)) for start, end in inside)
        return finding.model_copy(update={"span": span, "evidence": evidence})

    @cached_property
    def _visible(self) -> VisibleText:
        return visible_text(self.body)


def _heading_text(heading: re.Match[str]) -> str:
    return heading["text"].rstrip(" \t#")


def _blank(match: re.Match[str]) -> str:
    return _NOT_LINE_BREAK.sub(" ", match[0])


def _link_label(match: re.Match[str]) -> str:
    return " " * len(match["open"]) + match["label"] + " " * len(match["target"])
