"""Records of drafts under review: findings, drafts, review decisions, redraft requests."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime

from pipeline.domain.alt_text import alt_of
from pipeline.domain.models import FrozenModel


class Severity(StrEnum):
    """Effect of a finding: blocks approval, warns the editor, or is a note."""

    BLOCK = "block"
    WARN = "warn"
    NOTE = "note"


Place = Literal["body", "title", "description", "alt", "front matter"]
"""Part of a draft that a finding is about; `alt` is the description of the cover image.

A finding about `front matter` has no span.
"""
LINES: tuple[Place, ...] = ("title", "description", "alt")
"""Lines of front matter whose text readers see."""


class Finding(FrozenModel):
    """One check's result, with character spans on both sides."""

    kind: str
    severity: Severity
    message: str
    """One plain sentence for the editor."""
    field: Place = "body"
    """The part of the draft that `span` counts in."""
    span: tuple[int, int] | None = None
    """Half-open range in characters of `field`'s text."""
    evidence: tuple[tuple[int, int], ...] = ()
    """Half-open ranges in characters of the source's text."""
    key: str = ""
    """Key that an acknowledgement refers to: `claim_key` of the claim and its evidence."""
    also: tuple[tuple[Place, tuple[int, int]], ...] = ()
    """Other fields with the same error, each with its span there."""
    suggestion: str = ""
    """What the text of `span` should be, in the source's words or figures; empty where that is unknown."""
    removal: bool = False
    """The text of `span` should go; `suggestion` is empty."""
    shared: bool | None = None
    """Whether the second reader objects to the same words; None where it was not asked about them."""
    contradicted: bool = False
    """The source says otherwise, in words that code has found there."""
    firm: bool = False
    """An editor cannot acknowledge it: the text has to be corrected."""
    words_key: str = ""
    """`claim_key` of the claim without its evidence; empty in older rows."""

    @property
    def places(self) -> tuple[tuple[Place, tuple[int, int]], ...]:
        """Return every field with the error and its span there, `field` first; none without a span."""
        return ((self.field, self.span), *self.also) if self.span else ()

    def with_places(self, places: Sequence[tuple[Place, tuple[int, int]]]) -> "Finding | None":
        """Return the finding with these places instead; None where there is none."""
        if not places:
            return None
        (field, span), *also = places
        return self.model_copy(update={"field": field, "span": span, "also": tuple(also)})

    def spans_in(self, field: Place) -> tuple[tuple[int, int], ...]:
        """Return the spans of a field that the finding is about."""
        return tuple(span for place, span in self.places if place == field)

    @property
    def body_span(self) -> tuple[int, int] | None:
        """Return `span` where it is about the body; None for the whole draft or another field."""
        return self.span if self.field == "body" else None


def equal_findings(finding: Finding, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are acknowledged together with one of them, itself included.

    They have the same kind and the same claimed words, in any place and with any evidence. Notes and firm
    findings are acknowledged by nobody.
    """
    return tuple(
        other
        for other in findings
        if other == finding
        or (_same_claim(finding, other) and not other.firm and other.severity is not Severity.NOTE)
    )


def _same_claim(finding: Finding, other: Finding) -> bool:
    if finding.kind != other.kind:
        return False
    if finding.words_key and other.words_key:
        return finding.words_key == other.words_key
    return finding.key == other.key if finding.key or other.key else finding.message == other.message


class Front(FrozenModel):
    """Front matter as an approval would write it, with what its checks need to know."""

    metadata: dict[str, Any]
    follows: bool = False
    """The description is the beginning of the Overview, which is checked with the body."""
    is_ours: bool = True
    """It belongs to an article that Copydesk wrote, so it must have all keys."""
    notes: tuple[Finding, ...] = ()
    """What an approval changes in the file's front matter."""

    @property
    def is_brief(self) -> bool:
        """Whether no model wrote the draft: it is an offline brief, perhaps edited since."""
        ai = self.metadata.get("ai")
        return isinstance(ai, dict) and ai.get("rewritten") is False

    def text(self, field: Place) -> str:
        """Return the title, the description or the cover's alt text; empty for any other field."""
        if field == "alt":
            return alt_of(self.metadata)
        value = self.metadata.get(field) if field in LINES else None
        return value if isinstance(value, str) else ""


def claim_key(kind: str, claim: str, evidence: Iterable[str] = ()) -> str:
    """Return a hash of a claim and its evidence, 16 hex digits; white space does not count."""
    payload = json.dumps([kind, " ".join(claim.split()), [" ".join(text.split()) for text in evidence]])
    return hashlib.sha256(payload.encode()).hexdigest()[:16]


PRESETS = {
    "derived": "derived from the source",
    "common-knowledge": "common knowledge",
    "checker-wrong": "the checker is wrong",
}
"""Reasons of an acknowledgement that mean a false alarm, as the desk offers them: key to what it says."""
OTHER_REASON = "other"
"""The preset of a reason in the editor's own words."""


def acknowledgement_reason(preset: str | None, reason: str) -> str:
    """Return the reason to store: that of the preset, then the editor's own words; None: these alone."""
    own = reason.strip()
    if preset is None or preset == OTHER_REASON:
        return own
    return f"{PRESETS[preset]}: {own}" if own else PRESETS[preset]


class Draft(FrozenModel):
    """An article as the bytes of its file."""

    external_id: str
    path: str
    """Relative to the output folder, `drafts/YYYY/MM/<slug>-<short id>.md`."""
    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class RedraftRequest(FrozenModel):
    """A request for a new draft, by an editor or because of a changed source."""

    id: int
    by: str
    at: AwareDatetime
    note: str | None = None
    """The editor's instruction to the model."""
    section: str | None = None
    """Heading of the only section to rewrite; None: the whole article."""


class ReviewDecision(StrEnum):
    """An editor's decision about a draft or an article."""

    APPROVE = "approve"
    REJECT = "reject"
    UNDO = "undo"
    RETRACT = "retract"
    """Replace a published article by a notice."""
    UNPUBLISH = "unpublish"
    """Remove a published article from every target: it is a draft again."""


PUBLISHING = (ReviewDecision.APPROVE, ReviewDecision.RETRACT)
"""Decisions whose text is published."""


class Review(FrozenModel):
    """Who decided what about a draft, when and why."""

    decision: ReviewDecision
    by: str
    at: AwareDatetime
    note: str | None = None
    sha256: str
    """Hash of the text that the editor decided about."""
