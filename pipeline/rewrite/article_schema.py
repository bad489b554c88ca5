"""The JSON schema of a model's answer, and the parsing of an answer into an article.

The schema uses only what strict structured output supports: every field is required, no others are
allowed, no further keywords. All other rules are checked here. No field holds a URL: links come from
the feed, never from a model. The names, docstrings and descriptions of the Wire classes, and the reasons
of errors, are sent to the model: a change to them is a change to the prompt.
"""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from pipeline.domain.errors import LLMError
from pipeline.domain.models import Article, Beat, Section, Sentiment, Source
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.rewrite.headline import article_description, article_title

W = TypeVar("W", bound=BaseModel)
_FENCED = re.compile(r"```[a-zA-Z]*[ \t]*\n(?P<inner>.*?)\n?[ \t]*```", re.S)
_HEADING = re.compile(r"^ {0,3}#{1,2}(?:[ \t]|$)", re.M)
_BULLET = re.compile(r"^(?:[-*+•–]|\d{1,2}[.)])(?:\s+|$)")


def _without_titles(schema: dict[str, Any]) -> None:
    """Remove the titles that pydantic derives from the fields' names: a model reads the names already."""
    for field in schema["properties"].values():
        field.pop("title", None)


_WIRE = ConfigDict(extra="forbid", json_schema_extra=_without_titles)


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

    @model_validator(mode="before")
    @classmethod
    def _allow_without_title(cls, answer: object) -> object:
        """Accept an answer without title and description: what replaces them is no reason to ask again."""
        return {"title": "", "description": "", **answer} if isinstance(answer, dict) else answer

    @field_validator("sentiment", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value


def parse_response(text: str, source: Source, beat: Beat) -> Article:
    """Return the article in an answer.

    Title and description are put right by rule; where they cannot be, the source's title and the beginning of
    the Overview take their place. Sections of opinion may be empty where the beat does not require them.
    A code fence and a model's thoughts around the JSON are ignored. Tags outside the vocabulary are dropped;
    a category outside it becomes the feed's. Raises LLMError (retry) with the reason.
    """
    wire = coerce(WireArticle, response_json(text))
    category = _category(wire.category, source, beat)
    return Article(
        title=article_title(wire.title, source, beat),
        description=article_description(wire.description),
        overview=_text(wire.overview, "overview"),
        sections=_sections(wire.sections, beat),
        from_author=_opinion(wire.from_author, beat),
        impact=_impact(wire.impact, beat),
        category=category,
        tags=_tags(category, wire.tags, beat),
        sentiment=wire.sentiment,
        language=source.language,
    )


def response_json(text: str) -> object:
    """Return the JSON in an answer, without the text around it. Raises LLMError with the reason."""
    json_text = _strip_wrapping(text)
    if not json_text:
        raise validation_error("it is empty")
    try:
        # Not strict, because models write line breaks into strings.
        return json.loads(json_text, strict=False)
    except (ValueError, RecursionError) as error:
        raise validation_error(f"it is not JSON ({one_line(str(error))[:80]})") from error


def _strip_wrapping(text: str) -> str:
    """Return the answer without a byte order mark, thoughts before it and a code fence around it."""
    json_text = text.strip().removeprefix("\ufeff").lstrip()
    while not json_text.startswith(("{", "[", "```")) and "</think>" in json_text:
        json_text = json_text.partition("</think>")[2].lstrip()
    fenced = None if json_text.startswith(("{", "[")) else _FENCED.search(json_text)
    return (fenced["inner"] if fenced else json_text).strip()


def coerce(model: type[W], answer: object) -> W:
    """Return an answer as an instance of `model`. Raises LLMError with up to five reasons."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        raise validation_error("; ".join(map(_reason, error.errors(include_url=False)[:5]))) from error


def _reason(detail: ErrorDetails) -> str:
    location = ".".join(str(step) for step in detail["loc"]) or "the whole"
    return f"{location[:60]}: {detail['msg'].lower()}"


def _text(value: str, field: str) -> str:
    text = replace_surrogates(value).strip()
    if not text:
        raise validation_error(f"{field} is empty")
    if _HEADING.search(text):
        raise validation_error(f"{field} holds a heading of its own")
    return text


def _sections(answered: list[WireSection], beat: Beat) -> tuple[Section, ...]:
    if not 1 <= len(answered) <= 3:
        raise validation_error(f"it has {len(answered)} sections instead of one to three")
    used = {fixed.casefold() for fixed in (beat.overview, beat.from_author, f"{beat.impact} {beat.market}")}
    sections = []
    for number, section in enumerate(answered, start=1):
        heading = one_line(replace_surrogates(section.heading)).strip("#*_ :")
        if not heading:
            raise validation_error(f"the heading of section {number} is empty")
        if heading.casefold() in used:
            raise validation_error(f"the heading of section {number} is already in use: {heading[:60]}")
        used.add(heading.casefold())
        sections.append(Section(heading=heading, body=_text(section.body, f"the body of section {number}")))
    return tuple(sections)


def _opinion(answered: str, beat: Beat) -> str:
    is_required = "from_author" in beat.required_sections
    return _text(answered, "from_author") if is_required or answered.strip() else ""


def _impact(answered: list[str], beat: Beat) -> tuple[str, ...]:
    bullets = tuple(_BULLET.sub("", one_line(bullet)) for bullet in answered)
    if "impact" not in beat.required_sections:
        bullets = tuple(bullet for bullet in bullets if bullet.strip())
    elif not bullets:
        raise validation_error("impact has no entries")
    return tuple(_text(bullet, f"entry {number} of impact") for number, bullet in enumerate(bullets, start=1))


def _category(answered: str, source: Source, beat: Beat) -> str:
    category = answered.strip().upper()
    return category if category in beat.vocabulary else source.category


def _tags(category: str, answered: list[str], beat: Beat) -> tuple[str, ...]:
    allowed = [tag.strip().upper() for tag in answered if tag.strip().upper() in beat.vocabulary]
    return tuple(dict.fromkeys((category, *allowed)))


def validation_error(reason: str) -> LLMError:
    """Return the error of an unusable answer; the reason is sent to the model."""
    return LLMError(f"the model's answer cannot be used: {reason}", retry=True, reason=reason)


class WireSectionText(BaseModel):
    """What a model is asked to answer for one section."""

    model_config = _WIRE

    text: str = Field(description="The section's new text, without its heading.")


def parse_section(text: str, *, bullets: bool) -> str:
    """Return a section's new text as Markdown. Raises LLMError with the reason."""
    wire = coerce(WireSectionText, response_json(text))
    new = replace_surrogates(wire.text).strip()
    if not new:
        raise validation_error("text is empty")
    if any(line.lstrip().startswith("#") for line in new.splitlines()):
        raise validation_error("text holds a heading of its own")
    return _bulleted(new) if bullets else new


def _bulleted(text: str) -> str:
    lines = [line.strip().lstrip("-*•").strip() for line in text.splitlines()]
    return "\n".join(f"- {line}" for line in lines if line)
