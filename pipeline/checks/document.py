"""A draft's body as the checks read it: what its readers see, by sections, without Markdown's signs.

Places are characters of `text`, which is as long as what is seen of the body; `span` carries them back.
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
_ADDRESS = re.compile(r"https?://[^\s<>()\"]{1,2000}")
_SIGNS = re.compile(r"[^\r\n]")


class Section(NamedTuple):
    """A section of the second level; half-open places."""

    heading: str
    start: int
    """Of its heading's line."""
    body: int
    """Behind its heading."""
    end: int


@dataclass(frozen=True, eq=False)
class DraftDocument:
    """One body. `text` has spaces where Markdown's signs, addresses and fixed headings stand."""

    body: str
    beat: Beat

    @cached_property
    def fixed(self) -> tuple[str, str, str]:
        """Return the headings that every article has: overview, the author's view, the impact."""
        return self.beat.overview, self.beat.from_author, f"{self.beat.impact} {self.beat.market}"

    @cached_property
    def text(self) -> str:
        """Return the text in which claims are looked for."""
        text = _LINK.sub(_labelled, self._seen.text)
        text = _ADDRESS.sub(_blank, text)
        fixed = {heading.casefold() for heading in self.fixed}

        def heading(found: re.Match[str]) -> str:
            if _named(found).casefold() in fixed:
                return _blank(found)
            # A line break for the first sign: a heading is no part of the sentence before it.
            return "\n" + " " * (len(found["marks"]) - 1) + found[0][len(found["marks"]) :]

        return _HEADING.sub(heading, text)

    @cached_property
    def reading(self) -> TokenizedText:
        """Return the text, read."""
        return TokenizedText(self.text)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Return the sections in their order."""
        found = [one for one in _HEADING.finditer(self._seen.text) if one["marks"].rstrip() == "##"]
        ends = [*(one.start() for one in found[1:]), len(self._seen.text)]
        return tuple(
            Section(_named(one), one.start(), one.end(), end) for one, end in zip(found, ends, strict=False)
        )

    @cached_property
    def opinion(self) -> tuple[Section, ...]:
        """Return the author's view and the impact."""
        named = {heading.casefold() for heading in self.fixed[1:]}
        return tuple(one for one in self.sections if one.heading.casefold() in named)

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """Return the places of what links are called."""
        return tuple(found.span("label") for found in _LINK.finditer(self._seen.text))

    @cached_property
    def _quoted(self) -> tuple[Quote, ...]:
        return extract_quotes(self.text)

    def quotes(self, at: int) -> bool:
        """Tell whether a place of the text stands within a quotation."""
        number = bisect_right(self._quoted, (at, len(self.text) + 1)) - 1
        return number >= 0 and at < self._quoted[number].end

    @cached_property
    def is_brief(self) -> bool:
        """Tell whether a placeholder of the offline brief stands, which quotes its source on purpose."""
        return any(text in self.body for text in PLACEHOLDERS)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the body of a place in the text."""
        if start >= end:
            end = min(start + 1, len(self.text))
            start = max(0, end - 1)
        if not self.text:
            return 0, 0
        begin, behind = self._seen.span(start, end)
        if self.text[end - 1] not in "*_~":
            behind = begin + len(self.body[begin:behind].rstrip("*_~"))  # what ends emphasis is not seen
        return begin, behind

    def placed(self, finding: Finding, length: int) -> Finding:
        """Return a finding about the text as one about the body; evidence lies in the source's `length`."""
        span = self.span(*finding.span) if finding.span else None
        evidence = tuple((start, min(end, length)) for start, end in finding.evidence if start < length)
        return finding.model_copy(update={"span": span, "evidence": evidence})

    @cached_property
    def _seen(self) -> VisibleText:
        return visible_text(self.body)


def _named(heading: re.Match[str]) -> str:
    return heading["text"].rstrip(" \t#")


def _blank(found: re.Match[str]) -> str:
    return _SIGNS.sub(" ", found[0])


def _labelled(found: re.Match[str]) -> str:
    return " " * len(found["open"]) + found["label"] + " " * len(found["target"])
