"""Builds the messages of a redraft, of a whole draft or one section, and parses a section's answer."""

import secrets
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from pipeline.domain.reviews import RedraftRequest
from pipeline.domain.text import replace_surrogates
from pipeline.llm.chat import Message
from pipeline.rewrite.article_schema import coerce, response_json, validation_error


class WireSectionText(BaseModel):
    """What a model is asked to answer for one section."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The section's new text, without its heading.")


def add_redraft_instructions(
    messages: Sequence[Message], request: RedraftRequest, body: str | None
) -> list[Message]:
    """Return the messages about an item, with the current draft and the editor's instruction added.

    The draft is data like the source: it is between two random marker lines.
    """
    marker = f"=== draft {secrets.token_hex(8)} ==="
    draft = f"The article as it stands:\n\n{marker}\n{replace_surrogates(body)}\n{marker}" if body else ""
    blocks = [messages[-1]["content"], draft, _instruction(request)]
    last = Message(role=messages[-1]["role"], content="\n\n".join(block for block in blocks if block))
    return [*messages[:-1], last]


def _instruction(request: RedraftRequest) -> str:
    note = f" The editor's instruction: {replace_surrogates(request.note)}" if request.note else ""
    if request.section is None:
        return f"Write the article anew.{note}"
    return (
        f'Write only the text under the heading "{request.section}" anew, by the same rules; the rest of '
        "the article stays as it is, so repeat nothing of it. Answer with that text alone, in the field "
        f"`text`.{note}"
    )


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
