"""Addresses in a body that code did not put there: web, e-mail, telephone, wallets, handles.

An address that stands in the source is no better for it, since whoever wrote the source may have planted
it. So a body has none, but for the item's own link and its publisher's name, names of companies that happen
to be addresses, and handles that something is told of.

Sentences that tell the reader what to do: news reports, and asks nobody for anything.

Those that lead to harm block unless they are quoted from the source, or told of ("never enter your
password"). The others block where the source does not have them.

Kind `injection`: what a model writes that was led astray by a text in its source.

Nobody can tell from a source whether it will lead a model astray, and news about such texts is news: it is
the answer that is looked at. An offline brief quotes its source on purpose, and is blocked as long as it is
one.
"""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.checks.injection.contact_details import Contact, extract_contacts
from pipeline.checks.injection.non_article import check_language, check_markers, check_non_article
from pipeline.checks.injection.source_index import SourceIndex, asks_reader
from pipeline.checks.languages import A, W, any_of
from pipeline.checks.visible_text import VisibleText, visible_text
from pipeline.domain.models import Beat, Source
from pipeline.domain.placeholders import PLACEHOLDERS
from pipeline.domain.reviews import Finding, Severity

_MAX_CONTACTS = 50
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


def check_contact_details(known: SourceIndex, body: VisibleText, where: str = "text") -> tuple[Finding, ...]:
    """Return a finding for each place of a body that leads readers elsewhere, the blocking ones first.

    `where` says what of a draft the body is.
    """
    judged = [
        (_contact_severity(known, body.text, contact), contact) for contact in extract_contacts(body.text)
    ]
    return tuple(
        _finding(known, contact, severity, body.span(contact.start, contact.end), where)
        for severity in (Severity.BLOCK, Severity.WARN)
        for contact in [contact for found, contact in judged if found is severity][:_MAX_CONTACTS]
    )


def check_headline(known: SourceIndex, title: VisibleText) -> tuple[Finding, ...]:
    """Return a blocking finding for each address in the source's headline, where an article has it."""
    return tuple(
        _finding(known, contact, Severity.BLOCK, title.span(contact.start, contact.end), "headline")
        for contact in extract_contacts(title.text)
        if contact.kind not in ("handle", "unknown", "number")
        and not _is_a_name(contact)
        and not known.is_own(contact.text)
    )


def _contact_severity(known: SourceIndex, text: str, contact: Contact) -> Severity | None:
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


def _is_told_of(known: SourceIndex, text: str, contact: Contact) -> bool:
    """Tell whether body and source tell something of a name, rather than ask to go there or show where to."""
    line = text[max(0, contact.start - 200) : contact.start].rpartition("\n")[2]
    line += " " + text[contact.end : contact.end + 200].partition("\n")[0]
    enough = len(line.split()) >= _WORDS
    return enough and known.names(contact.text) and not asks_reader(text, contact.start, contact.end)


def _finding(
    known: SourceIndex, contact: Contact, severity: Severity, span: tuple[int, int] | None, where: str
) -> Finding:
    shown = contact.text if len(contact.text) <= 60 else contact.text[:59] + "…"
    said = "stands in the source, where anybody may have put it"
    origin = said if known.says(contact.text) else "is not in the source"
    message = (
        f'The {_CALLED[contact.kind]} "{shown}" in the {where} {origin}: remove it, or check whose it is.'
    )
    return Finding(kind="injection", severity=severity, message=message, span=span)


_KEYS = (
    r"(?:(?:seed|recovery|secret|backup|pass) ?phrases?|private keys?|passwords?|passcodes?|pins?|pin codes?"
    r"|(?:security|verification|one-time|2fa|otp) codes?|mnemonics?|credentials|bank (?:details|account)"
    r"|card (?:numbers?|details)|social security numbers?)"
)
_NOW = r"(?:now|today|here|below|immediately|at once|for free|before it'?s too late|while supplies last)"
_GAIN = r"(?:airdrop|bonus|rewards?|prizes?|tokens?|coins?|gift|refund|voucher|allocation|offer)"
_HARMFUL = any_of(
    r"(?:send|enter|share|provide|submit|type|paste|confirm|reply with|give|text|e-?mail|upload|tell) "
    rf"(?:(?:in|us|me|them) )?(?:your|the) {W}{{0,4}}{_KEYS}",
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
_OTHER = any_of(
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
_NEAR = 300
"""Characters around a place in which a quotation begins and ends."""


def check_calls_to_action(known: SourceIndex, body: VisibleText) -> tuple[Finding, ...]:
    """Return a finding for each place where a body asks its reader for something, the blocking ones first."""
    asked = [(found, True) for found in _HARMFUL.finditer(body.text)]
    asked += [(found, False) for found in _OTHER.finditer(body.text)]
    judged = [(_call_severity(known, body.text, found, harm=harm), found) for found, harm in asked]
    return tuple(
        Finding(
            kind="injection", severity=severity, message=_message(found[0]), span=body.span(*found.span())
        )
        for severity in (Severity.BLOCK, Severity.WARN)
        for found in [found for each, found in judged if each is severity][:_MAX_CALLS_TO_ACTION]
    )


def _call_severity(known: SourceIndex, text: str, found: re.Match[str], *, harm: bool) -> Severity | None:
    """Return how bad a sentence is, None where it is reported rather than said."""
    said = known.says(found[0])
    if said and _is_quoted(text, *found.span()):
        return None
    if not harm:
        return Severity.WARN if said else Severity.BLOCK
    told = _REPORTED.search(text, max(0, found.start() - 100), found.start())
    return None if told and _is_told(known, found[0]) else Severity.BLOCK


def _is_told(known: SourceIndex, words: str) -> bool:
    """Tell whether the source speaks of what these words ask for at all."""
    return any(len(word) > 4 and known.says(word) for word in words.split()[1:])


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Tell whether a place stands between quotation marks, in one paragraph."""
    before = text[max(0, start - _NEAR) : start].rpartition("\n")[2]
    behind = text[end : end + _NEAR].partition("\n")[0]
    if before.count('"') % 2 == 1:
        return '"' in behind
    # An apostrophe closes more often than a quotation does: what is opened counts once.
    opened = [mark.start() for mark in _OPENING.finditer(before)]
    return bool(opened) and not _CLOSING.search(before, opened[-1]) and bool(_CLOSING.search(behind))


def _message(words: str) -> str:
    shown = " ".join(words.split())
    return f'"{shown[:80]}" asks the reader to do something: remove it, or tell who asks for what.'


def check_injection(source: Source | None, body: str, beat: Beat) -> tuple[Finding, ...]:
    """Return findings, most of them blocking, about what leads readers elsewhere or is no article.

    Where the source is not known any more, only what no article ever has is found: a request's marker,
    raw HTML.
    """
    if source is not None and any(text in body for text in PLACEHOLDERS):
        return ()
    shown = visible_text(body)
    known = SourceIndex(source) if source else None
    sure = check_markers(known, shown, body)
    if source is None or known is None:
        return sure
    return (
        *sure,
        *check_contact_details(known, shown),
        *check_calls_to_action(known, shown),
        *check_non_article(known, shown),
        *check_language(known, shown, source.language),
    )


def check_origin(source: Source | None, metadata: Mapping[str, Any]) -> list[Finding]:
    """Return a blocking finding for each address in the source's headline, where front matter names that."""
    told = metadata.get("source")
    title = told.get("title") if isinstance(told, dict) else None
    if source is None or not isinstance(title, str):
        return []
    found = check_headline(SourceIndex(source), visible_text(title))
    return [one.model_copy(update={"span": None, "field": "front matter"}) for one in found]
