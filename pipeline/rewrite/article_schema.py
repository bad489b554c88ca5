"""The JSON schema of a model's answer, and the parsing of an answer into an article.

The schema uses only what strict structured output supports: every field is required, no others are
allowed, no further keywords. All other rules are checked here. No field holds a URL: links come from
the feed, never from a model. The names, docstrings and descriptions of the Wire classes, and the reasons
of errors, are sent to the model: a change to them is a change to the prompt.
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.articles.article import Article, Section, Sentiment
from pipeline.domain.models import Beat, Source
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.answers import read_answer, validation_error
from pipeline.rewrite.headline import article_description, article_title
from pipeline.rewrite.sections import put_right_sections, without_headings

_DEFAULTS = {
    "title": "", "description": "", "category": "", "tags": [], "sentiment": Sentiment.NEUTRAL.value,
}  # fmt: skip
"""What an answer may lack: the text does not depend on it, and code has a replacement."""
_BULLET = re.compile(r"^(?:[-*+•–]|\d{1,2}[.)])(?:\s+|$)")


def without_titles(schema: dict[str, Any]) -> None:
    """Remove what pydantic derives from names and docstrings, which every request would pay for."""
    for key in ("title", "description"):
        schema.pop(key, None)
    for field in schema["properties"].values():
        field.pop("title", None)


_WIRE = ConfigDict(extra="forbid", json_schema_extra=without_titles)


class WireSection(BaseModel):
    """One topical section."""

    model_config = _WIRE

    heading: str = Field(description="Says what the section tells, in three to eight words.")
    body: str = Field(description="Plain paragraphs divided by a blank line.")


class WireArticle(BaseModel):
    """What a model is asked to answer."""

    model_config = _WIRE

    title: str = Field(description="A headline of your own.")
    description: str = Field(description="The news in one whole sentence.")
    overview: str = Field(description="One paragraph: who, what, how much, when.")
    sections: list[WireSection] = Field(description="One to three topical sections.")
    from_author: str = Field(description="Opinion without new facts, figures or advice.")
    impact: list[str] = Field(description="Up to four possible consequences, one sentence each.")
    category: str = Field(description="One word of the vocabulary.")
    tags: list[str] = Field(description="One to five words of the vocabulary.")
    sentiment: Sentiment = Field(description="How the news falls for the market.")

    @field_validator("sentiment", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value


def parse_response(text: str, source: Source, beat: Beat, *, notes: list[str] | None = None) -> Article:
    """Return the article in an answer.

    Title and description are put right by rule; where they cannot be, the source's title and the beginning of
    the Overview take their place. Sections of opinion may be empty where the beat does not require them.
    What stands around the article is ignored, and its form is put right by rule; `notes` gets what that was.
    Tags outside the vocabulary are dropped; a category outside it becomes the feed's. Raises LLMError (retry)
    with the reason.
    """
    notes = [] if notes is None else notes
    wire = read_answer(WireArticle, text, notes, _DEFAULTS)
    category = _category(wire.category, source, beat)
    return Article(
        title=article_title(wire.title, source, beat),
        description=article_description(wire.description),
        overview=_text(wire.overview, "overview", beat, notes),
        sections=_sections(wire.sections, wire, beat, notes),
        from_author=_opinion(wire.from_author, beat, notes),
        impact=_impact(wire.impact, beat, notes),
        category=category,
        tags=_tags(category, wire.tags, beat),
        sentiment=wire.sentiment,
        language=source.language,
    )


def _text(value: str, field: str, beat: Beat, notes: list[str]) -> str:
    text = without_headings(replace_surrogates(value), beat, notes)
    if not text:
        raise validation_error(f"{field} is empty")
    return text


def _sections(
    answered: list[WireSection], wire: WireArticle, beat: Beat, notes: list[str]
) -> tuple[Section, ...]:
    elsewhere = (wire.overview, wire.from_author)
    sections = put_right_sections(
        [(section.heading, section.body) for section in answered], elsewhere, beat, notes
    )
    if not sections:
        raise validation_error("it has 0 sections with a text instead of one to three")
    return sections


def _opinion(answered: str, beat: Beat, notes: list[str]) -> str:
    is_required = "from_author" in beat.required_sections
    return _text(answered, "from_author", beat, notes) if is_required or answered.strip() else ""


def _impact(answered: list[str], beat: Beat, notes: list[str]) -> tuple[str, ...]:
    bullets = tuple(_BULLET.sub("", one_line(replace_surrogates(bullet))).strip() for bullet in answered)
    entries = tuple(bullet for bullet in bullets if bullet)
    if not entries and "impact" in beat.required_sections:
        raise validation_error("impact has no entries")
    if len(entries) < len(bullets):
        notes.append("empty entries of impact left out")
    return entries


def _category(answered: str, source: Source, beat: Beat) -> str:
    category = answered.strip().upper()
    return category if category in beat.vocabulary else source.category


def _tags(category: str, answered: list[str], beat: Beat) -> tuple[str, ...]:
    words = [tag.strip().lstrip("#").upper() for tag in answered]
    allowed = [word for word in words if word in beat.vocabulary]
    return tuple(dict.fromkeys((category, *allowed)))


class WireSectionText(BaseModel):
    """What a model is asked to answer for one section."""

    model_config = _WIRE

    text: str = Field(description="The section's new text, without its heading.")


def parse_section(text: str, *, bullets: bool, notes: list[str] | None = None) -> str:
    """Return a section's new text as Markdown. Raises LLMError with the reason."""
    notes = [] if notes is None else notes
    wire = read_answer(WireSectionText, text, notes)
    new = without_headings(replace_surrogates(wire.text), None, notes)
    if not new:
        raise validation_error("text is empty")
    return _bulleted(new) if bullets else new


def _bulleted(text: str) -> str:
    lines = [line.strip().lstrip("-*•").strip() for line in text.splitlines()]
    return "\n".join(f"- {line}" for line in lines if line)
