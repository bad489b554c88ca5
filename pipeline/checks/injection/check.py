"""Kind `injection`: contact details, calls to action and text that is no article, in a model's answer.

Defence against indirect prompt injection. It checks the draft and not the source, which may report about such
texts; a source that tells a model what to answer only warns. An address that only the source's text has is no
safer: its author may have planted it.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.checks.document import DraftDocument, VisibleText, visible_text
from pipeline.checks.injection.calls_to_action import check_calls_to_action
from pipeline.checks.injection.contact_details import Contact, extract_contacts
from pipeline.checks.injection.instructions import check_source_instructions
from pipeline.checks.injection.non_article import check_language, check_markers, check_non_article
from pipeline.checks.injection.source_index import SourceIndex, asks_reader, index_source
from pipeline.domain.models import Source
from pipeline.domain.reviews import Finding, Severity

_MAX_CONTACTS = 50
"""Findings of one severity. Chosen, not measured."""
_MIN_CONTEXT_WORDS = 4
"""Words beside a name in its line that make it reported. Chosen, not measured."""
_KIND_LABELS = {
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


def check_contact_details(index: SourceIndex, body: VisibleText, field: str = "text") -> tuple[Finding, ...]:
    """Return a finding for each contact detail of a text, the blocking ones first.

    Allowed: the item's own link, its publisher's site, and names of companies, sites or files with a dot that
    the source reports about. `field` names the text in messages.
    """
    contacts = extract_contacts(body.text)
    rated = [(_contact_severity(index, body.text, contact), contact) for contact in contacts]
    return tuple(
        _contact_finding(index, contact, severity, body.span(contact.start, contact.end), field)
        for severity in (Severity.BLOCK, Severity.WARN)
        for contact in [contact for rating, contact in rated if rating is severity][:_MAX_CONTACTS]
    )


def check_headline(index: SourceIndex, title: VisibleText) -> tuple[Finding, ...]:
    """Return a blocking finding for each contact detail in a title that is the source's own."""
    return tuple(
        _contact_finding(index, contact, Severity.BLOCK, title.span(contact.start, contact.end), "headline")
        for contact in extract_contacts(title.text)
        if contact.kind not in ("handle", "unknown", "number")
        and not _may_be_name(contact)
        and not index.is_own(contact.text)
    )


def _contact_severity(index: SourceIndex, text: str, contact: Contact) -> Severity | None:
    """Return the severity of a contact detail, None where it is allowed."""
    if contact.kind not in ("email", "phone", "wallet") and index.is_feed_name(contact.text):
        return None
    if contact.kind in ("email", "phone", "wallet", "address"):
        return Severity.BLOCK
    if contact.kind in ("unknown", "number") and index.contains(contact.text):
        return None
    if contact.kind == "handle":
        return Severity.WARN if _is_reported_name(index, text, contact) else Severity.BLOCK
    target = contact.text.rpartition("](")[2].rstrip(")")
    if index.is_own(target):
        return None
    if contact.kind == "link" and index.is_same_host(target):
        return Severity.WARN
    is_named, is_mentioned = index.is_named_site(contact.text), index.mentions_name(contact.text)
    if contact.kind == "link" or not (is_named or is_mentioned):
        return Severity.BLOCK
    if _is_parenthesized(text, contact) or not _is_in_a_sentence(text, contact):
        return Severity.BLOCK
    return None if is_named or _may_be_name(contact) else Severity.WARN


def _may_be_name(contact: Contact) -> bool:
    """Tell whether an address may be a name that has a dot: `Booking.com`, `main.py`."""
    return contact.kind == "maybe" or (contact.kind == "site" and contact.text[0].isupper())


def _is_parenthesized(text: str, contact: Contact) -> bool:
    """Tell whether a contact detail is in brackets, as a reference is."""
    return text[contact.start - 1 : contact.start] == "(" and text.startswith(")", contact.end)


def _is_reported_name(index: SourceIndex, text: str, contact: Contact) -> bool:
    """Tell whether body and source report about a name, rather than ask the reader to go there."""
    return index.reports_name(contact.text) and _is_in_a_sentence(text, contact)


def _is_in_a_sentence(text: str, contact: Contact) -> bool:
    """Tell whether words are beside a name in its line that do not ask the reader to go there."""
    context = text[max(0, contact.start - 200) : contact.start].rpartition("\n")[2]
    context += " " + text[contact.end : contact.end + 200].partition("\n")[0]
    return len(context.split()) >= _MIN_CONTEXT_WORDS and not asks_reader(text, contact.start, contact.end)


def _contact_finding(
    index: SourceIndex, contact: Contact, severity: Severity, span: tuple[int, int] | None, field: str
) -> Finding:
    shown = contact.text if len(contact.text) <= 60 else contact.text[:59] + "…"
    planted = "stands in the source, where anybody may have put it"
    origin = planted if index.contains(contact.text) else "is not in the source"
    label = f'The {_KIND_LABELS[contact.kind]} "{shown}" in the {field}'
    message = f"{label} {origin}: remove it, or check whose it is."  # keys of headline findings depend on it
    return Finding(kind="injection", severity=severity, message=message, span=span)


def check_injection(source: Source | None, document: DraftDocument) -> tuple[Finding, ...]:
    """Return the findings of all checks of this kind about a body; none for an offline brief.

    An offline brief quotes its source on purpose, and its placeholders block it. Without a source only
    prompt markers and raw HTML are found.
    """
    if source is not None and document.is_brief:
        return ()
    visible = document.visible
    index = index_source(source) if source else None
    markers = check_markers(index, visible, document.body)
    if source is None or index is None:
        return markers
    return (
        *markers,
        *check_contact_details(index, visible),
        *check_calls_to_action(index, visible),
        *check_non_article(index, visible),
        *check_language(index, visible, source.language),
        *check_source_instructions(source),
    )


def check_origin(source: Source | None, metadata: Mapping[str, Any]) -> list[Finding]:
    """Return a blocking finding for each contact detail in the front matter's `source.title`."""
    origin = metadata.get("source")
    title = origin.get("title") if isinstance(origin, dict) else None
    if source is None or not isinstance(title, str):
        return []
    findings = check_headline(index_source(source), visible_text(title))
    return [finding.model_copy(update={"span": None, "field": "front matter"}) for finding in findings]
