"""What a publisher does to a story after it was drafted: withdrawals, corrections, and what is missing. Pure.

A notice is a text of the form `kind: why`. What the publisher says is `withdrawn`; what only cannot be found
any more is `missing`, and an editor looks.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from pipeline.domain.models import Item
from pipeline.domain.reviews import Finding, Severity, claim_key

DELETED = "withdrawn: its feed says that it is deleted"
GONE = "withdrawn: its page is gone (410)"
NOT_FOUND = "missing: its page is not there any more (404)"
VANISHED = "missing: its feed no longer has it, but still has older items"
RESERVED = "changed: its publisher reserves it now, so the new text was not read"
OTHER_TEXT = "changed: it has another text"

_RETITLED = "withdrawn: its title says so"
REVIEWED = "reviewed: "
"""Begins a stored notice that an editor knew when approving: it is not made again."""
REPLACED_FINDINGS = ("source-withdrawn", "source-missing")
"""Kinds of findings that a later notice replaces."""
_OLDER_ITEMS = 2
"""Older items that a feed must still have where it is to be missed that one is gone. Chosen, not measured."""
_SEVERITIES = {"withdrawn": Severity.BLOCK, "missing": Severity.WARN, "changed": Severity.WARN}
_MESSAGES = {
    "withdrawn": ("source-withdrawn", "The source was withdrawn by its publisher"),
    "missing": ("source-missing", "The source is missing"),
    "changed": ("source-updated", "The source changed after this was drafted"),
}

_WITHDRAWN = (
    r"(?:retract(?:ed|ion)|withdrawn)(?: article| paper| story| note| notice)?|article removed|story removed"
    r"|mandatory kill|zurückgezogen|rétractation|rétracté|article retiré|retractación|retractado|retirado"
    r"|retratado|retratação|ritirato|ritrattazione|ingetrokken|tilbagetrukket|tilbaketrukket|återkallad"
    r"|wycofan[yeo]|отозван[оа]?|撤稿|撤回"
)
_CORRECTED = (
    r"(?:author |publisher )?corrections?(?: to| notice)?|corrected|corrigend(?:um|a)|errat(?:um|a)"
    r"|clarification|korrekturen?|korrigiert|berichtigung|richtigstellung|rectificatif|corrección"
    r"|fe de erratas|rectificación|correção|rettifica|correzione|rectificatie|rettelse|rättelse|korekta"
    r"|sprostowanie|исправление|поправка|更正|訂正"
)
_MARK = r"\A\W{{0,3}}(?:{words})(?:\s{{0,2}}[:：|\]】)–—]|\s-\s)\W{{0,3}}"
_WITHDRAWN_MARK = re.compile(_MARK.format(words=_WITHDRAWN), re.IGNORECASE)
_CORRECTED_MARK = re.compile(_MARK.format(words=_CORRECTED), re.IGNORECASE)


def withdrawal_notice(title: str) -> str | None:
    """Return the notice of a title that begins with a mark such as `RETRACTED:`, else None."""
    return f"{_RETITLED}, “{title}”" if _WITHDRAWN_MARK.match(title) else None


def may_be_back(reason: str | None) -> bool:
    """Return whether what an item is skipped for is over where its feed has it again, under another title."""
    return reason is not None and (reason == DELETED or reason.startswith(_RETITLED))


def notice_about(title: str) -> tuple[str, str] | None:
    """Return the title that an item withdraws or corrects and the notice about it, else None."""
    for pattern, notice in ((_WITHDRAWN_MARK, "withdrawn: see"), (_CORRECTED_MARK, "changed: see")):
        if (mark := pattern.match(title)) and title[mark.end() :]:
            return title[mark.end() :], f"{notice} “{title}”"
    return None


def complete_since(items: Sequence[Item]) -> datetime | None:
    """Return the time since which a feed's document has all its items: what is newer is not in the feed.

    None where nobody can tell: its items are few, have no dates, or are not ordered by date.
    """
    times = [item.published_at for item in items]
    ordered = all(item.dated for item in items) and times == sorted(times, reverse=True)
    return times[-_OLDER_ITEMS] if ordered and len(times) > _OLDER_ITEMS else None


def notice_finding(notice: str) -> Finding:
    """Return the finding of a draft about a notice on its source; it is the same for the same notice."""
    severity, (kind, message) = _SEVERITIES[notice_kind(notice)], _MESSAGES[notice_kind(notice)]
    text = f"{message}: {notice.partition(': ')[2]}"
    return Finding(kind=kind, severity=severity, message=text, key=claim_key(kind, text))


def notice_kind(notice: str) -> str:
    """Return the kind of a notice: withdrawn, missing or changed."""
    return notice.partition(":")[0]


def notice_cause(notice: str) -> str:
    """Return a notice without the title that it quotes."""
    return notice.removeprefix(REVIEWED).partition(", “")[0].partition(" “")[0]
