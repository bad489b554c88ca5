"""What a second reader is asked about: sentences of a draft, and the part of the source that it is shown."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from pipeline.domain.models import Source
from pipeline.verifier.numbered_draft import NumberedDraft
from pipeline.verifier.source_windows import source_windows


@dataclass(frozen=True, eq=False)
class Question:
    """A draft to hold against its source."""

    source: Source
    draft: NumberedDraft
    only: frozenset[int] | None = None
    """Numbers of the sentences to verify, such as those that an edit changed; None for all."""

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Return the numbers of the sentences to verify."""
        return frozenset(
            sentence.number
            for sentence in self.draft.sentences
            if self.only is None or sentence.number in self.only
        )

    @cached_property
    def digest(self) -> str:
        """Return a hash of what is asked, 12 hex digits: sentences, their numbers, the source."""
        lines = [
            f"{each.number} {each.field} {self.draft.text_of(each)}"
            for each in self.draft.sentences
            if each.number in self.numbers
        ]
        text = "\n".join((self.source.item.content_hash, *lines))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]

    @cached_property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """Return the spans of the source's text that are shown."""
        return source_windows(self.source.item.text, self.draft, self.source.language)
