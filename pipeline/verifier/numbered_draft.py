"""The sentences of a draft, numbered as the second reader is shown them, with their places in the draft."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.articles.corrections import article_part
from pipeline.checks.document import DraftDocument
from pipeline.checks.front_matter import front_matter_texts
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Front, Place


class NumberedSentence(NamedTuple):
    """A sentence or heading; `start` and `end` are positions in its document's text, half-open."""

    number: int
    """From 1, in the order title, description, body."""
    field: Place
    start: int
    end: int
    is_heading: bool
    is_opinion: bool
    """In a section of opinion, where only facts and certainties can be objected to."""


@dataclass(frozen=True, eq=False)
class NumberedDraft:
    """The texts of a draft that the second reader reads, by field."""

    documents: dict[Place, DraftDocument]

    @cached_property
    def sentences(self) -> tuple[NumberedSentence, ...]:
        """Return all sentences in the order of their numbers."""
        unnumbered = (
            (field, sentence) for field, document in self.documents.items() for sentence in document.sentences
        )
        return tuple(
            NumberedSentence(number, field, *sentence)
            for number, (field, sentence) in enumerate(unnumbered, 1)
        )

    def sentence(self, number: int) -> NumberedSentence | None:
        """Return the sentence of a number, None where there is none."""
        return self.sentences[number - 1] if 0 < number <= len(self.sentences) else None

    def text_of(self, sentence: NumberedSentence) -> str:
        """Return a sentence as its document has it: without the syntax of links and character references."""
        return self.documents[sentence.field].text[sentence.start : sentence.end]

    def span(self, sentence: NumberedSentence, start: int, end: int) -> tuple[int, int]:
        """Return the span in the field's text of a span in the sentence's text; it must not be empty."""
        return self.documents[sentence.field].span(sentence.start + start, sentence.start + end)

    def span_of(self, sentence: NumberedSentence) -> tuple[int, int]:
        """Return the span of a whole sentence in the field's text."""
        return self.span(sentence, 0, sentence.end - sentence.start)

    def raw_text_of(self, sentence: NumberedSentence) -> str:
        """Return a sentence as its field has it, with its Markdown."""
        return self.field_text(sentence.field)[slice(*self.span_of(sentence))]

    def field_text(self, field: Place) -> str:
        """Return the whole text of a field, in which `span` counts; empty for one that is not read."""
        document = self.documents.get(field)
        return document.body if document else ""


def number_sentences(source: Source, body: str, beat: Beat, front: Front | None) -> NumberedDraft:
    """Return a draft with its sentences numbered.

    A title that is the source's, a description that is the beginning of the Overview, the alt text, which is
    about a picture that nobody reads here, and the section about corrections are left out.
    """
    return NumberedDraft({field: DraftDocument(text, beat) for field, text in _texts(source, body, front)})


def _texts(source: Source, body: str, front: Front | None) -> Iterator[tuple[Place, str]]:
    for line in front_matter_texts(front, source) if front else ():
        if not line.from_source and line.field != "alt":
            yield line.field, line.text
    yield "body", article_part(front.metadata, body) if front else body
