"""What a model is told that writes a draft anew, or one section of it, and how that answer is read."""

import secrets
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from pipeline.domain.models import Request
from pipeline.domain.text import encodable
from pipeline.llm.chat import Message
from pipeline.rewrite.article_schema import answer_json, fitting, unfit


class WireSectionText(BaseModel):
    """What a model is asked to answer for one section."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The section's new text, without its heading.")


def with_request(messages: Sequence[Message], request: Request, body: str | None) -> list[Message]:
    """Return the messages about an item with what an editor asks for, and the draft that there is.

    The draft is data like the source: between two lines with a marker of its own.
    """
    marker = f"=== draft {secrets.token_hex(8)} ==="
    draft = f"The article as it stands:\n\n{marker}\n{encodable(body)}\n{marker}" if body else ""
    blocks = [messages[-1]["content"], draft, _asked(request)]
    last = Message(role=messages[-1]["role"], content="\n\n".join(block for block in blocks if block))
    return [*messages[:-1], last]


def _asked(request: Request) -> str:
    note = f" The editor's instruction: {encodable(request.note)}" if request.note else ""
    if request.section is None:
        return f"Write the article anew.{note}"
    return (
        f'Write only the text under the heading "{request.section}" anew, by the same rules; the rest of '
        "the article stays as it is, so repeat nothing of it. Answer with that text alone, in the field "
        f"`text`.{note}"
    )


def read_section(text: str, *, bullets: bool) -> str:
    """Return a section's new text as Markdown. Raises ModelError with the reason."""
    wire = fitting(WireSectionText, answer_json(text))
    new = encodable(wire.text).strip()
    if not new:
        raise unfit("text is empty")
    if any(line.lstrip().startswith("#") for line in new.splitlines()):
        raise unfit("text holds a heading of its own")
    return _bulleted(new) if bullets else new


def _bulleted(text: str) -> str:
    lines = [line.strip().lstrip("-*•").strip() for line in text.splitlines()]
    return "\n".join(f"- {line}" for line in lines if line)
