"""The JSON schema of the second reader's answer, and the parsing of an answer into objections.

The names of the Wire classes and their fields are sent to the model; the prompt says what they mean.
"""

from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from pipeline.domain.errors import LLMError
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.answers import read_answer
from pipeline.llm.lenient_json import find_objects
from pipeline.llm.thoughts import split_thoughts
from pipeline.rewrite.article_schema import without_titles


class ErrorKind(StrEnum):
    """What is wrong with the words of a sentence."""

    CONTRADICTED = "contradicted"
    NOT_STATED = "not_stated"


class WireObjection(BaseModel):
    """One wrong place."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_titles)

    sentence: int
    error: Literal["contradicted", "not_stated"]
    wrong: str
    source: str
    fix: str

    @field_validator("error", mode="before")
    @classmethod
    def _spelling(cls, value: object) -> object:
        return "_".join(value.lower().replace("-", " ").split()) if isinstance(value, str) else value

    @field_validator("source", "fix", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return "" if value is None else value


class WireObjections(BaseModel):
    """What the second reader is asked to answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_titles)

    objections: list[WireObjection]


class _AnyObjections(BaseModel):
    """An answer whose entries are read one by one."""

    objections: list[Any]

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, answer: object) -> object:
        return {"objections": answer} if isinstance(answer, list) else answer


class Objection(NamedTuple):
    """A statement of the second reader about the words of one sentence; unconfirmed."""

    sentence: int
    """The number of the sentence."""
    error: ErrorKind
    wrong: str
    quotation: str
    """The source's words; empty for `NOT_STATED`."""
    fix: str
    """The words in place of the wrong ones; empty to cut them."""


class ParsedAnswer(NamedTuple):
    """The objections of an answer, and the number of entries that are none."""

    objections: tuple[Objection, ...]
    malformed: int = 0
    problem: str = ""
    """Why the answer cannot be used, as a clause; it has no objections then."""


def parse_answer(text: str, *, notes: list[str]) -> ParsedAnswer:
    """Return the objections of an answer. A bare list counts; a malformed entry does not spoil the others.

    `notes` gets what was read leniently. Never raises: a repair would be a second paid call.
    """
    try:
        entries = _entries(text, notes)
    except LLMError as error:
        return ParsedAnswer((), problem=error.message)
    parsed = [objection for entry in entries if (objection := _objection(entry))]
    if entries and not parsed:
        return ParsedAnswer((), len(entries), "no entry of `objections` fits the schema")
    return ParsedAnswer(tuple(parsed), len(entries) - len(parsed))


def _entries(text: str, notes: list[str]) -> list[Any]:
    """Return the entries of an answer: of its list, else every object in it that names a sentence."""
    try:
        return read_answer(_AnyObjections, text, notes).objections
    except LLMError:
        objects = [
            each.value for each in find_objects(split_thoughts(text).answer) if "sentence" in each.value
        ]
        if not objects:
            raise
        notes.append("objections outside a list")
        return objects


def _objection(entry: object) -> Objection | None:
    fields = set(WireObjection.model_fields)
    values = {key: value for key, value in entry.items() if key in fields} if isinstance(entry, dict) else {}
    try:
        wire = WireObjection.model_validate({"source": "", "fix": ""} | values)
    except ValidationError:
        return None
    texts = (one_line(replace_surrogates(text)) for text in (wire.wrong, wire.source, wire.fix))
    return Objection(wire.sentence, ErrorKind(wire.error), *texts)
