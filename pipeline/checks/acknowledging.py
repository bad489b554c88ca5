"""What an editor's acknowledgement of a finding is tied to."""

from pipeline.models import Finding, claim_key


def acknowledgement(finding: Finding, text: str, source_text: str) -> str:
    """Return the key under which a finding is acknowledged, 16 hex digits; `text` is what its span lies in.

    It stays the same while the claim and its evidence say the same, wherever they come to stand, and is
    another one as soon as either says something else. White space does not count. A finding about the whole
    text has its message for a claim.
    """
    claim = text[slice(*finding.span)] if finding.span else finding.message
    return claim_key(finding.kind, claim, (source_text[start:end] for start, end in finding.evidence))


def keyed(finding: Finding, text: str, source_text: str) -> Finding:
    """Return a finding with its key."""
    return finding.model_copy(update={"key": acknowledgement(finding, text, source_text)})
