"""Kind `injection`: contact details, calls to action and text that is no article, in a model's answer.

Defence against indirect prompt injection. It checks the draft and not the source, since a source may report
about such texts. An address that only the source's text has is no safer: its author may have planted it.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.checks.document import VisibleText, visible_text
from pipeline.checks.injection.contact_details import Contact, extract_contacts
from pipeline.checks.injection.non_article import check_language, check_markers, check_non_article
from pipeline.checks.injection.source_index import SourceIndex, asks_reader
from pipeline.checks.language_tables import A, W, any_of
from pipeline.domain.models import Beat, Source
from pipeline.domain.placeholders import PLACEHOLDERS
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

    Allowed: the item's own link, its publisher's site, and names of companies or files with a dot that the
    source reports about. `field` names the text in messages.
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
    is_name = _may_be_name(contact) and not _is_parenthesized(text, contact)
    return None if is_name and _is_reported_name(index, text, contact) else Severity.BLOCK


def _may_be_name(contact: Contact) -> bool:
    """Tell whether an address may be a name that has a dot: `Booking.com`, `main.py`."""
    return contact.kind == "maybe" or (contact.kind == "site" and contact.text[0].isupper())


def _is_parenthesized(text: str, contact: Contact) -> bool:
    """Tell whether a contact detail is in brackets, as a reference is."""
    return text[contact.start - 1 : contact.start] == "(" and text.startswith(")", contact.end)


def _is_reported_name(index: SourceIndex, text: str, contact: Contact) -> bool:
    """Tell whether body and source report about a name, rather than ask the reader to go there."""
    context = text[max(0, contact.start - 200) : contact.start].rpartition("\n")[2]
    context += " " + text[contact.end : contact.end + 200].partition("\n")[0]
    if len(context.split()) < _MIN_CONTEXT_WORDS:
        return False
    return index.reports_name(contact.text) and not asks_reader(text, contact.start, contact.end)


def _contact_finding(
    index: SourceIndex, contact: Contact, severity: Severity, span: tuple[int, int] | None, field: str
) -> Finding:
    shown = contact.text if len(contact.text) <= 60 else contact.text[:59] + "…"
    planted = "stands in the source, where anybody may have put it"
    origin = planted if index.contains(contact.text) else "is not in the source"
    label = f'The {_KIND_LABELS[contact.kind]} "{shown}" in the {field}'
    message = f"{label} {origin}: remove it, or check whose it is."  # keys of headline findings depend on it
    return Finding(kind="injection", severity=severity, message=message, span=span)


_CREDENTIALS = (
    r"(?:(?:seed|recovery|secret|backup|pass) ?phrases?|private keys?|passwords?|passcodes?|pins?|pin codes?"
    r"|(?:security|verification|one-time|2fa|otp) codes?|mnemonics?|credentials|bank (?:details|account)"
    r"|card (?:numbers?|details)|social security numbers?)"
)
_NOW = r"(?:now|today|here|below|immediately|at once|for free|before it'?s too late|while supplies last)"
_GAIN = r"(?:airdrop|bonus|rewards?|prizes?|tokens?|coins?|gift|refund|voucher|allocation|offer)"
_HARMFUL = any_of(
    r"(?:send|enter|share|provide|submit|type|paste|confirm|reply with|give|text|e-?mail|upload|tell) "
    rf"(?:(?:in|us|me|them) )?(?:your|the) {W}{{0,4}}{_CREDENTIALS}",
    rf"connect (?:your|a|the) {W}{{0,2}}wallet",
    rf"(?:verify|validate|sync|unlock|restore|migrate) your {W}{{0,2}}(?:wallet|account|identity)",
    rf"(?:send|transfer|deposit) {A}{{0,5}}to (?:this|the following|our|the address|the wallet|my)",
    r"call (?:this number|the (?:number|hotline|helpline))",
    rf"(?:claim|collect|redeem|receive) (?:your|the|a|my) {W}{{0,3}}{_GAIN}",
    r"(?:visit|go to|head (?:over )?to) (?:\S{1,60} ){1,8}?to (?:claim|get|receive|win|register|unlock)",
    rf"scan (?:the|this|our) {W}?(?:qr ?)?code",
    r"forward this (?:message|e-?mail|article|link|to)",
    r"(?:download|install) (?:and|then) (?:run|execute)",
    r"(?:rufen sie|ruf) (?:jetzt|uns|diese nummer)(?: an)?|(?:senden|schicken) sie (?:uns )?ihre",
    r"(?:env[ií]e|envía|enviad) (?:su|tu|vuestra) (?:frase|clave|contraseña)",
    r"envoyez (?:votre|vos) (?:phrase|clé|mot de passe)",
)
_HARMLESS = any_of(
    rf"(?:buy|order|act|subscribe|enrol|register|sign up|join|download|donate|invest|shop|book|apply|install"
    rf"|call|vote|hurry|start earning|get it|get yours|get started) {A}{{0,4}}?{_NOW}",
    r"(?:join|follow|contact|message|dm|text|e-?mail|support|visit|reach out to|write to|subscribe to"
    r"|check out|connect with|call) (?:us|our|me|my)",
    rf"(?:share|tell us|leave|post|drop|add) (?:(?:your|a|us|in) ){{0,3}}{W}{{0,2}}"
    r"(?:thoughts?|opinions?|views?|experiences?|comments?|feedback|below)",
    rf"click (?:here|below|now|(?:on )?(?:this|the|our) {W}?(?:link|button|banner))",
    r"(?:follow|use|open|tap) (?:this|our|the) (?:link|invite)",
    r"(?:download|install) (?:and|then) (?:install|open)",
    r"run (?:this|the following) (?:command|script|code|file)",
    r"call now|let us know|don'?t (?:miss (?:out|this|it)|hesitate to)",
    r"feel free to (?:contact|reach|share|ask|comment|join)",
    r"(?:we|i) (?:invite|encourage|urge|ask) (?:you|all|everyone|everybody|our|readers|users)",
    r"(?:use|enter|with) (?:(?:the|our|my|this) )?(?:promo|coupon|discount|referral|voucher) ?code",
    r"limited[- ]time offer|you won'?t believe|this one (?:weird|simple) trick|make you rich|get rich quick",
    r"guaranteed (?:returns?|profits?|income)|100% (?:free|safe|guaranteed|profit)",
    r"(?:double|triple) your (?:money|bitcoin|btc|crypto|coins|investment)",
    r"(?:change|update|back up) your passwords?|stay tuned|thank you for (?:reading|your)",
    rf"join (?:the|a) {W}{{0,3}}(?:telegram|discord|whatsapp|signal|slack) "
    r"(?:group|channel|server|chat|community)",
    r"klicken sie hier|haga clic aquí|cliquez ici|jetzt (?:kaufen|anmelden|herunterladen)|compre ahora",
)
_REPORTED = re.compile(
    r"\b(?:never|not|no longer|cannot|can't|don't|didn't|doesn't|avoid\w*|warn\w*|against|without|instead of"
    r"|refus\w+|fake|scam\w*|phishing|fraud\w*|victims?|attackers?|hackers?"
    r"|(?:ask|prompt|trick|lur|urg|tell|told|instruct|invit|requir|forc|persuad|convinc|direct)\w{0,3})\b"
    r"[^.!?\n]{0,80}\Z",
    re.IGNORECASE,
)
_OPENING, _CLOSING = re.compile("[“„«‘]"), re.compile("[”»’]")
_MAX_CALLS_TO_ACTION = 20
"""Findings of one severity. Chosen, not measured."""
_QUOTATION_CHARS = 300
"""Before and after a match, where its quotation must begin and end. Chosen, not measured."""


def check_calls_to_action(index: SourceIndex, body: VisibleText) -> tuple[Finding, ...]:
    """Return a finding for each call to action, the blocking ones first.

    A harmful one blocks unless it is quoted from the source or reported ("never enter your password"). Any
    other one warns where the source has it, and blocks where not.
    """
    text = body.text
    rated = [
        (_call_severity(index, text, match, is_harmful=pattern is _HARMFUL), match)
        for pattern in (_HARMFUL, _HARMLESS)
        for match in pattern.finditer(text)
    ]
    return tuple(
        Finding(
            kind="injection",
            severity=severity,
            message=_call_message(match[0]),
            span=body.span(*match.span()),
        )
        for severity in (Severity.BLOCK, Severity.WARN)
        for match in [match for rating, match in rated if rating is severity][:_MAX_CALLS_TO_ACTION]
    )


def _call_severity(
    index: SourceIndex, text: str, match: re.Match[str], *, is_harmful: bool
) -> Severity | None:
    """Return the severity of a call to action, None where it is quoted or reported."""
    in_source = index.contains(match[0])
    if in_source and _is_quoted(text, *match.span()):
        return None
    if not is_harmful:
        return Severity.WARN if in_source else Severity.BLOCK
    reported = _REPORTED.search(text, max(0, match.start() - 100), match.start())
    return None if reported and _source_mentions(index, match[0]) else Severity.BLOCK


def _source_mentions(index: SourceIndex, words: str) -> bool:
    """Tell whether the source has a word of the phrase, but its first, of more than four characters."""
    return any(len(word) > 4 and index.contains(word) for word in words.split()[1:])


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Tell whether a span is between quotation marks, in one paragraph."""
    before = text[max(0, start - _QUOTATION_CHARS) : start].rpartition("\n")[2]
    behind = text[end : end + _QUOTATION_CHARS].partition("\n")[0]
    if before.count('"') % 2 == 1:
        return '"' in behind
    # A closing single quote may be an apostrophe, so only the last opening mark counts.
    opened = [mark.start() for mark in _OPENING.finditer(before)]
    return bool(opened) and not _CLOSING.search(before, opened[-1]) and bool(_CLOSING.search(behind))


def _call_message(words: str) -> str:
    shown = " ".join(words.split())
    return f'"{shown[:80]}" asks the reader to do something: remove it, or say who asks for what.'


def check_injection(source: Source | None, body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return the findings of all checks of this kind about a body; none for an offline brief.

    An offline brief quotes its source on purpose, and its placeholders block it. Without a source only
    prompt markers and raw HTML are found.
    """
    if source is not None and any(text in body for text in PLACEHOLDERS):
        return ()
    visible = visible_text(body)
    index = SourceIndex(source) if source else None
    markers = check_markers(index, visible, body)
    if source is None or index is None:
        return markers
    return (
        *markers,
        *check_contact_details(index, visible),
        *check_calls_to_action(index, visible),
        *check_non_article(index, visible),
        *check_language(index, visible, source.language),
    )


def check_origin(source: Source | None, metadata: Mapping[str, Any]) -> list[Finding]:
    """Return a blocking finding for each contact detail in the front matter's `source.title`."""
    origin = metadata.get("source")
    title = origin.get("title") if isinstance(origin, dict) else None
    if source is None or not isinstance(title, str):
        return []
    findings = check_headline(SourceIndex(source), visible_text(title))
    return [finding.model_copy(update={"span": None, "field": "front matter"}) for finding in findings]
