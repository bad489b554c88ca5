"""Adds to the messages about an item what a redraft needs: the draft, findings about it, the editor's wish.

Draft and findings are data like the source: each is between two random marker lines.
"""

import json
from collections.abc import Sequence

from pipeline.domain.models import FrozenModel
from pipeline.domain.prompt_markers import marked
from pipeline.domain.reviews import RedraftRequest
from pipeline.domain.text import one_line, replace_surrogates, truncate
from pipeline.llm.chat import Message
from pipeline.rewrite.hidden_text import strip_hidden_text

_MAX_FINDINGS = 20
"""Chosen, not measured, as are the two limits below."""
_MAX_FIELD_CHARS = 200
_MAX_CHARS = 4_000
"""Characters of all findings together."""
_MAX_NOTE_CHARS = 2_000
"""Characters of the editor's instruction. Source: the limit of the review desk."""


class RedraftFinding(FrozenModel):
    """What is wrong with some words of a draft, or what an editor has decided to keep in it."""

    kind: str
    words: str = ""
    """Empty: it is about the whole draft."""
    wrong: str
    source: str = ""
    """The source's words in that place; empty where none are known."""
    accepted: str = ""
    """The editor's reason to keep the words; empty: they are to be corrected."""


def add_redraft_instructions(
    messages: Sequence[Message],
    request: RedraftRequest,
    body: str | None,
    findings: Sequence[RedraftFinding] = (),
) -> list[Message]:
    """Return the messages about an item, with its current draft, the findings and the instruction.

    Findings beyond the limits of number and length are left out, the last ones first.
    """
    draft = _marked("The article as it stands:", "draft", body) if body else ""
    blocks = [messages[-1]["content"], draft, _findings_block(findings), _instruction(request)]
    last = Message(role=messages[-1]["role"], content="\n\n".join(block for block in blocks if block))
    return [*messages[:-1], last]


def _marked(label: str, kind: str, text: str) -> str:
    return f"{label}\n\n{marked(kind, replace_surrogates(text))}"


def _findings_block(findings: Sequence[RedraftFinding]) -> str:
    lines: list[str] = []
    for finding in findings[:_MAX_FINDINGS]:
        fields = {name: truncate(one_line(text), _MAX_FIELD_CHARS) for name, text in finding if text}
        line = strip_hidden_text(json.dumps(fields, ensure_ascii=False))
        if sum(map(len, lines)) + len(line) > _MAX_CHARS:
            break
        lines.append(line)
    label = (
        "What checks against the source found in it, one JSON object a line. Make none of these mistakes "
        "again; what is `accepted`, an editor has decided to keep:"
    )
    return _marked(label, "findings", "\n".join(lines)) if lines else ""


def _instruction(request: RedraftRequest) -> str:
    wish = truncate(replace_surrogates(request.note), _MAX_NOTE_CHARS) if request.note else ""
    note = f" The editor's instruction: {wish}" if wish else ""
    if request.section is None:
        return f"Write the article anew.{note}"
    return (
        f'Write only the text under the heading "{request.section}" anew, by the same rules; the rest of '
        "the article stays as it is, so repeat nothing of it. Answer with that text alone, in the field "
        f"`text`.{note}"
    )
