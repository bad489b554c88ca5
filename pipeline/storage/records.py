"""Records of items and drafts that several repositories return."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import FrozenModel, Item
from pipeline.domain.readings import SentenceReading
from pipeline.domain.reviews import Draft, Finding, RedraftRequest, Severity

LeaseFilter = Literal["all", "asked", "new"]
"""Which waiting items of a feed are leased: all; those with a redraft request or a text that only has to be
written; those without any text."""

WRITING = ("draft", "repair", "redraft")
"""Purposes of the calls whose answers are an article or a section."""

SYSTEM_FINDINGS = ("story", "source-updated", "source-withdrawn", "source-missing", "redraft")
"""Kinds of findings that no check makes: duplicates, changed or withdrawn sources, redrafts that failed."""


class Sibling(FrozenModel):
    """Another item of the same duplicate group."""

    feed_key: str
    feed_name: str
    title: str
    url: str | None
    external_id: str
    state: str
    path: str | None


def duplicate_finding(feed_name: str, title: str, path: str | None = None) -> Finding:
    """Return the note on a draft about another item of its duplicate group."""
    where = f", drafted as {path}" if path else ""
    message = f"{feed_name} tells the same story: {title}{where}"
    return Finding(kind="story", severity=Severity.NOTE, message=message)


class Version(FrozenModel):
    """One text of a draft."""

    label: str
    """Name for a restore: its number, with its cause where it is not the first of that number."""
    number: int
    """`ai.version`."""
    cause: str
    """draft, repair, redraft, edit, restore or revise."""
    at: datetime
    sha256: str
    text: str
    by: str | None = None
    """The editor who wrote it."""
    aside: bool = False
    """Superseded: it was never written to disk, as another text was there that must not be overwritten."""


class PreviousVersion(FrozenModel):
    """The current text of an item's draft, as last recorded."""

    path: str
    sha256: str
    text: str
    version: int
    """Its `ai.version`."""
    edited_at: datetime | None = None
    """When an editor wrote it; None: no editor did."""
    origin: str = ""
    """The last text up to it that no editor wrote or caused by hand."""


class Lease(FrozenModel):
    """A process's exclusive, expiring right to work on an item; `token` refuses earlier holders."""

    item_id: int
    token: int
    feed_key: str
    first_key: str
    item: Item
    attempts: int
    """Attempts with this one: failed ones before, and one."""
    page_tries: int = 0
    """Fetches of its page that failed before."""
    answer: LLMResponse | None = None
    """Paid for earlier, and usable."""
    unconfirmed: Draft | None = None
    """A text recorded to be written whose write is not confirmed."""
    previous: PreviousVersion | None = None
    """The item's draft, where it has one."""
    request: RedraftRequest | None = None
    """The redraft request, where there is one."""
    updated: Item | None = None
    """The feed's current content where it changed and the whole draft is to be rewritten from it."""
    later_answers: dict[str, LLMResponse] = Field(default_factory=dict)
    """Answers of calls about the article, by the prompt that they name: template and question."""


class Acknowledgement(FrozenModel):
    """A finding that an editor accepts, with the reason."""

    key: str
    kind: str
    message: str
    reason: str
    by: str
    at: datetime
    preset: str | None = None
    """Key of its reason in PRESETS, or OTHER_REASON; None in older rows."""


class DraftRow(FrozenModel):
    """A draft as stored; the file on disk may hold a newer text."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    path: str
    state: str
    published_at: datetime
    drafted_at: datetime
    findings: tuple[Finding, ...]
    item: Item
    siblings: tuple[Sibling, ...] = ()
    version: int = 1
    """`ai.version` of the last recorded text."""
    version_text: str
    """The last recorded text."""
    cause: str = "draft"
    """Cause of the last recorded text."""
    request: RedraftRequest | None = None
    """The pending redraft request."""
    acknowledged: tuple[Acknowledgement, ...] = ()
    """The item's acknowledgements, also those of findings that the draft no longer has."""
    origin: str = ""
    """The last text that no editor wrote or caused by hand; empty in lists of drafts."""
    readings: tuple[SentenceReading, ...] = ()
    """What the second reader said of its sentences, also of former ones; empty in lists of drafts."""
    written_by_model: str = ""
    """All its texts that a model or the offline brief wrote; empty in lists of drafts."""
    updated: Item | None = None
    """The current source, where it changed since."""
    was_updated: bool = False
    """The source changed at some time after the first text, so earlier findings may be outdated."""

    @property
    def source(self) -> Item:
        """The current source, against which the draft is checked."""
        return self.updated or self.item

    @property
    def short_id(self) -> str:
        """The first 8 digits of the external id, as in the file's name."""
        return self.external_id[:8]

    @property
    def open_findings(self) -> int:
        """The number of findings that block or warn and are not acknowledged."""
        return len(unacknowledged(self.findings, self.acknowledged))


def unacknowledged(findings: Sequence[Finding], acknowledged: Sequence[Acknowledgement]) -> list[Finding]:
    """Return the findings that block or warn and that no editor acknowledged; firm ones always count."""
    keys = {acknowledgement.key for acknowledgement in acknowledged}
    return [
        finding
        for finding in findings
        if finding.severity is not Severity.NOTE and (finding.firm or finding.key not in keys)
    ]
