"""The record of a review: who decided on which text, what was shown, and the end of every finding.

Its hash, the proof, goes out with the article, so that a record which was changed afterwards disagrees. A
record says what was on an editor's screen; nothing in it claims that it was looked at.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, PlainSerializer

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import ReviewDecision
from pipeline.domain.text import replace_surrogates, utc_iso

ReviewLevel = Literal["full", "light"]
"""Whether every section of the text was shown to the editor who approved it."""
ReviewWay = Literal["desk", "bulk", "command"]
"""How a review was given: on the draft's page, on several drafts at once, or by a command."""
FindingOutcome = Literal["taken", "edited", "dismissed", "passed"]
"""The end of a finding: its fix was taken, its words were edited, an editor dismissed it, or an approval
passed it, as it only warns."""


def _whole_millis(moment: datetime) -> datetime:
    """Return a time in UTC, cut to milliseconds as in front matter."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[AwareDatetime, AfterValidator(_whole_millis), PlainSerializer(utc_iso, return_type=str)]
"""A time as a record has it."""
Text = Annotated[str, AfterValidator(replace_surrogates)]
"""A text that UTF-8 can encode."""


class SectionRecord(FrozenModel):
    """A section of the text, and whether it was shown."""

    heading: Text
    """Empty for title, description, tags and alt text."""
    shown: bool
    at: Moment | None = None
    """When the last of its sentences was first shown; None: it was not, or times are not stored."""


class FindingRecord(FrozenModel):
    """A finding and its end."""

    kind: Text
    severity: Text | None = None
    """None where the finding stands in no text any more."""
    message: Text
    end: FindingOutcome
    reason: Text | None = None
    """Why it was dismissed."""
    preset: Text | None = None
    """That reason as one of the desk's list."""
    by: Text | None = None
    """The editor who ended it; None: it was edited in the file."""
    at: Moment | None = None


class ReviewRecord(FrozenModel):
    """The record of an approval or a rejection."""

    draft: Text
    """The external id."""
    decision: ReviewDecision
    by: Text
    level: ReviewLevel | None = None
    """None for a rejection."""
    way: ReviewWay
    text_sha256: str
    """Hash of the bytes that were decided on."""
    source_sha256: str
    """Hash of the content of the source beside them."""
    sections: tuple[SectionRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
    opened_at: Moment | None = None
    """When the draft was first shown to this editor; None: never, or times are not stored."""
    decided_at: Moment

    def canonical(self) -> bytes:
        """Return the record as JSON: sorted keys, no spaces, UTF-8, without what is None."""
        values = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @property
    def proof(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()
