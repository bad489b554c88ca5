"""What an editor's acknowledgement of a finding is tied to."""

import hashlib
import json

from pipeline.models import Finding


def acknowledgement(finding: Finding, body: str, source_text: str) -> str:
    """Return the key under which a finding is acknowledged, 16 hex digits.

    It stays the same while the claim and its evidence say the same, wherever they come to stand, and is
    another one as soon as either says something else. White space does not count. A finding about the whole
    text has its message for a claim.
    """
    claim = body[slice(*finding.span)] if finding.span else finding.message
    evidence = [_plain(source_text[start:end]) for start, end in finding.evidence]
    told = json.dumps([finding.kind, _plain(claim), evidence])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _plain(text: str) -> str:
    return " ".join(text.split())
