"""Addresses in a body that code did not put there: web, e-mail, telephone, wallets, handles.

An address that stands in the source is no better for it, since whoever wrote the source may have planted
it. So a body has none, but for the item's own link and its publisher's name, names of companies that happen
to be addresses, and handles that something is told of.
"""

from pipeline.checks.contacts import Contact, contacts
from pipeline.checks.known import Known, pleads
from pipeline.checks.seen import Seen
from pipeline.models import Finding, Severity

_MOST = 50
"""Findings of one severity: a text with more is lost anyway."""
_WORDS = 4
"""Words around a name, at least, where something is told of it."""
_CALLED = {
    "link": "web address",
    "site": "web address",
    "maybe": "web address",
    "address": "web address",
    "unknown": "web address",
    "number": "network address",
    "email": "e-mail address",
    "phone": "telephone number",
    "wallet": "wallet address or key",
    "handle": "account name",
}


def check_outsiders(known: Known, body: Seen, where: str = "text") -> tuple[Finding, ...]:
    """Return a finding for each place of a body that leads readers elsewhere, the blocking ones first.

    `where` says what of a draft the body is.
    """
    judged = [(_severity(known, body.text, contact), contact) for contact in contacts(body.text)]
    return tuple(
        _finding(known, contact, severity, body.span(contact.start, contact.end), where)
        for severity in (Severity.BLOCK, Severity.WARN)
        for contact in [contact for found, contact in judged if found is severity][:_MOST]
    )


def check_headline(known: Known, title: Seen) -> tuple[Finding, ...]:
    """Return a blocking finding for each address in the source's headline, where an article has it."""
    return tuple(
        _finding(known, contact, Severity.BLOCK, title.span(contact.start, contact.end), "headline")
        for contact in contacts(title.text)
        if contact.kind not in ("handle", "unknown", "number")
        and not _is_a_name(contact)
        and not known.is_own(contact.text)
    )


def _severity(known: Known, text: str, contact: Contact) -> Severity | None:
    """Return how bad a place is, None where it is none."""
    if contact.kind in ("email", "phone", "wallet", "address"):
        return Severity.BLOCK
    if contact.kind in ("unknown", "number") and known.says(contact.text):
        return None
    if contact.kind == "handle":
        return Severity.WARN if _is_told_of(known, text, contact) else Severity.BLOCK
    target = contact.text.rpartition("](")[2].rstrip(")")
    if known.is_own(target):
        return None
    if contact.kind == "link" and known.is_near(target):
        return Severity.WARN
    if _is_a_name(contact) and not _stands_apart(text, contact) and _is_told_of(known, text, contact):
        return None
    return Severity.BLOCK


def _is_a_name(contact: Contact) -> bool:
    """Tell whether an address may be a name that has a dot: `Booking.com`, `main.py`."""
    return contact.kind == "maybe" or (contact.kind == "site" and contact.text[0].isupper())


def _stands_apart(text: str, contact: Contact) -> bool:
    """Tell whether a place stands in brackets, as a reference does."""
    return text[contact.start - 1 : contact.start] == "(" and text.startswith(")", contact.end)


def _is_told_of(known: Known, text: str, contact: Contact) -> bool:
    """Tell whether body and source tell something of a name, rather than ask to go there or show where to."""
    line = text[max(0, contact.start - 200) : contact.start].rpartition("\n")[2]
    line += " " + text[contact.end : contact.end + 200].partition("\n")[0]
    enough = len(line.split()) >= _WORDS
    return enough and known.names(contact.text) and not pleads(text, contact.start, contact.end)


def _finding(
    known: Known, contact: Contact, severity: Severity, span: tuple[int, int] | None, where: str
) -> Finding:
    shown = contact.text if len(contact.text) <= 60 else contact.text[:59] + "…"
    said = "stands in the source, where anybody may have put it"
    origin = said if known.says(contact.text) else "is not in the source"
    message = (
        f'The {_CALLED[contact.kind]} "{shown}" in the {where} {origin}: remove it, or check whose it is.'
    )
    return Finding(kind="injection", severity=severity, message=message, span=span)
