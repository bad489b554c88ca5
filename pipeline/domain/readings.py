"""What a second reader said of the sentences of a draft, as it is stored: by their words, not their places.

So an objection is there again wherever its sentence is: after an edit, an undone edit, a restore.
"""

from typing import Literal

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import Place

Span = tuple[int, int]
"""Half-open range in characters."""


class SentenceObjection(FrozenModel):
    """A confirmed objection to words of one sentence."""

    error: Literal["contradicted", "not_stated"]
    span: Span
    """In the sentence's text: what the fix replaces, else the wrong words."""
    quotation: str = ""
    """The source's words, their pieces joined by " … "; empty where the source says nothing."""
    evidence: tuple[Span, ...] = ()
    """Their places in the source's text; none where they stand in its title or other metadata."""
    is_clear: bool = False
    """The quotation has three words or more, one of them of the sentence: code may block for it."""
    fix: str | None = None
    """What replaces the words; empty to cut them, None where none is offered."""


class SentenceReading(FrozenModel):
    """One sentence of a draft as a second reader read it, held against one text of the source."""

    field: Place
    text: str
    """The sentence as the field has it, with its Markdown."""
    source: str
    """Content hash of the source."""
    model: str
    profile: str
    passed: bool
    """It was not objected to; False also where an objection was dropped."""
    objections: tuple[SentenceObjection, ...] = ()
