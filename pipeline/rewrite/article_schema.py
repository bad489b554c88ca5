"""The shape in which a model answers, and the way from an answer's text to an article.

The shape keeps inside what strict structured output takes: every field required, nothing beside
them, no keyword that a server may not know. All finer rules are ours, checked here. There is no
field for a URL: links come from the feed, never from a model.
"""

import json
import re
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from pipeline.domain.errors import LLMError
from pipeline.domain.models import Article, Beat, Section, Sentiment, Source
from pipeline.domain.text import headline, one_line, replace_surrogates

W = TypeVar("W", bound=BaseModel)
_FENCED = re.compile(r"```[a-zA-Z]*[ \t]*\n(?P<inner>.*?)\n?[ \t]*```", re.S)
_HEADING = re.compile(r"^ {0,3}#{1,2}(?:[ \t]|$)", re.M)
_BULLET = re.compile(r"^(?:[-*+•–]|\d{1,2}[.)])(?:\s+|$)")


class WireSection(BaseModel):
    """One topical section."""

    model_config = ConfigDict(extra="forbid")

    heading: str = Field(description="Says what the section tells, in three to eight words.")
    body: str = Field(description="Plain paragraphs divided by a blank line.")


class WireArticle(BaseModel):
    """What a model is asked to answer."""

    model_config = ConfigDict(extra="forbid")

    overview: str = Field(description="One paragraph: who, what, how much, when.")
    sections: list[WireSection] = Field(description="One to three topical sections.")
    from_author: str = Field(description="Opinion without new facts, figures or advice.")
    impact: list[str] = Field(description="Two to four possible consequences, one sentence each.")
    category: str = Field(description="One word of the vocabulary.")
    tags: list[str] = Field(description="One to five words of the vocabulary.")
    sentiment: Sentiment = Field(description="How the news falls for the market.")

    @field_validator("sentiment", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value


def parse_response(text: str, source: Source, beat: Beat) -> Article:
    """Return the article that an answer holds; its title is the source's.

    A fence or a model's thoughts around the JSON are taken off; tags outside the vocabulary are
    dropped, a category outside it becomes the feed's. Raises ModelError (retry) with the reason.
    """
    wire = coerce(WireArticle, response_json(text))
    category = _category(wire.category, source, beat)
    return Article(
        title=headline(source),
        overview=_text(wire.overview, "overview"),
        sections=_sections(wire.sections, beat),
        from_author=_text(wire.from_author, "from_author"),
        impact=_impact(wire.impact),
        category=category,
        tags=_tags(category, wire.tags, beat),
        sentiment=wire.sentiment,
        language=source.language,
    )


def response_json(text: str) -> object:
    """Return the JSON that an answer holds, whatever is around it. Raises ModelError with the reason."""
    bare = _bare(text)
    if not bare:
        raise validation_error("it is empty")
    try:
        # Models write bare line breaks into strings: not strict JSON, but plain enough.
        return json.loads(bare, strict=False)
    except (ValueError, RecursionError) as error:
        raise validation_error(f"it is not JSON ({one_line(str(error))[:80]})") from error


def _bare(text: str) -> str:
    """Return the answer without a byte order mark, thoughts before it and a fence around it."""
    bare = text.strip().removeprefix("\ufeff").lstrip()
    while not bare.startswith(("{", "[", "```")) and "</think>" in bare:
        bare = bare.partition("</think>")[2].lstrip()
    fenced = None if bare.startswith(("{", "[")) else _FENCED.search(bare)
    return (fenced["inner"] if fenced else bare).strip()


def coerce(shape: type[W], answer: object) -> W:
    """Return an answer in the shape that was asked for. Raises ModelError with up to five reasons."""
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        raise validation_error("; ".join(map(_reason, error.errors(include_url=False)[:5]))) from error


def _reason(detail: ErrorDetails) -> str:
    where = ".".join(str(step) for step in detail["loc"]) or "the whole"
    return f"{where[:60]}: {detail['msg'].lower()}"


def _text(value: str, name: str) -> str:
    text = replace_surrogates(value).strip()
    if not text:
        raise validation_error(f"{name} is empty")
    if _HEADING.search(text):
        raise validation_error(f"{name} holds a heading of its own")
    return text


def _sections(wire: list[WireSection], beat: Beat) -> tuple[Section, ...]:
    if not 1 <= len(wire) <= 3:
        raise validation_error(f"it has {len(wire)} sections instead of one to three")
    taken = {fixed.casefold() for fixed in (beat.overview, beat.from_author, f"{beat.impact} {beat.market}")}
    sections = []
    for number, section in enumerate(wire, start=1):
        heading = one_line(replace_surrogates(section.heading)).strip("#*_ :")
        if not heading:
            raise validation_error(f"the heading of section {number} is empty")
        if heading.casefold() in taken:
            raise validation_error(f"the heading of section {number} is already in use: {heading[:60]}")
        taken.add(heading.casefold())
        sections.append(Section(heading=heading, body=_text(section.body, f"the body of section {number}")))
    return tuple(sections)


def _impact(wire: list[str]) -> tuple[str, ...]:
    bullets = tuple(_BULLET.sub("", one_line(bullet)) for bullet in wire)
    if not bullets:
        raise validation_error("impact has no entries")
    return tuple(_text(bullet, f"entry {number} of impact") for number, bullet in enumerate(bullets, start=1))


def _category(wanted: str, source: Source, beat: Beat) -> str:
    category = wanted.strip().upper()
    return category if category in beat.vocabulary else source.category


def _tags(category: str, wanted: list[str], beat: Beat) -> tuple[str, ...]:
    known = [tag.strip().upper() for tag in wanted if tag.strip().upper() in beat.vocabulary]
    return tuple(dict.fromkeys((category, *known)))


def validation_error(reason: str) -> LLMError:
    """Return the error about an answer that cannot be used; the reason is told to the model."""
    return LLMError(f"the model's answer cannot be used: {reason}", retry=True, reason=reason)
