"""The article that a model or the offline brief writes, before it is a file."""

from enum import StrEnum

from pipeline.domain.models import FrozenModel


class Sentiment(StrEnum):
    """Effect of the news on the market."""

    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"


class Section(FrozenModel):
    """A topical section: a heading and Markdown paragraphs."""

    heading: str
    body: str


class Article(FrozenModel):
    """The rewritten article as structured output, before it is rendered as Markdown."""

    title: str
    description: str = ""
    """One whole sentence; empty: the beginning of the Overview."""
    overview: str
    sections: tuple[Section, ...]
    from_author: str
    """Empty where the section is left out."""
    impact: tuple[str, ...]
    """Bullets of one sentence each; none where the section is left out."""
    category: str
    tags: tuple[str, ...]
    sentiment: Sentiment
    language: str
