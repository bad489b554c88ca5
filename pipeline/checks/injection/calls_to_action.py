"""Finds calls to action: text that asks the reader to do something, harmful or not, or that advertises."""

import re

from pipeline.checks.document import VisibleText
from pipeline.checks.injection.source_index import SourceIndex
from pipeline.checks.language_tables import A, Phrases, W, any_of
from pipeline.domain.reviews import Finding, Severity

_CREDENTIALS = (
    r"(?:(?:seed|recovery|secret|backup|pass) ?phrases?|private keys?|passwords?|passcodes?|pins?|pin codes?"
    r"|(?:security|verification|one-time|2fa|otp) codes?|mnemonics?|credentials|bank (?:details|account)"
    r"|card (?:numbers?|details)|social security numbers?)"
)
_NOW = r"(?:now|today|here|below|immediately|at once|for free|before it'?s too late|while supplies last)"
_GAIN = r"(?:airdrop|bonus|rewards?|prizes?|tokens?|coins?|gift|refund|voucher|allocation|offer)"
_PLACE = r"(?:address|wallet|account|number|iban|team|support)"
_HARMFUL_FIRSTS = """
    call claim collect confirm connect deposit download e email enter enviad envie envía envíe envoyez forward
    give go head install migrate paste provide receive redeem reply restore ruf rufen scan schicken send
    senden share submit sync tell text transfer type unlock upload validate verify visit
"""
"""What each of these phrases begins with."""
_HARMFUL_PHRASES = any_of(
    r"(?:send|enter|share|provide|submit|type|paste|confirm|reply with|give|text|e-?mail|upload|tell) "
    rf"(?:(?:in|us|me|them) )?(?:your|the) {W}{{0,4}}{_CREDENTIALS}",
    rf"connect (?:your|a|the) {W}{{0,2}}wallet",
    rf"(?:verify|validate|sync|unlock|restore|migrate) your {W}{{0,2}}(?:wallet|account|identity)",
    rf"(?:send|transfer|deposit) {A}{{0,5}}to (?:our|my|(?:this|the following) {W}?{_PLACE})",
    r"call this number",
    rf"(?:claim|collect|redeem|receive) your {W}{{0,3}}{_GAIN}",
    rf"scan (?:the|this|our) {W}?(?:qr ?)?code",
    r"forward this (?:message|e-?mail|article|link|to)",
    r"(?:download|install) (?:and|then) (?:run|execute)",
    r"(?:rufen sie|ruf) (?:jetzt|uns|diese nummer)(?: an)?|(?:senden|schicken) sie (?:uns )?ihre",
    r"(?:env[ií]e|envía|enviad) (?:su|tu|vuestra) (?:frase|clave|contraseña)",
    r"envoyez (?:votre|vos) (?:phrase|clé|mot de passe)",
    rf"(?P<request>(?:send|transfer|deposit) {A}{{0,5}}to (?:this|the following|the {W}?{_PLACE})"
    r"|call the (?:number|hotline|helpline)"
    rf"|(?:claim|collect|redeem|receive) (?:the|a|my) {W}{{0,3}}{_GAIN}"
    r"|(?:visit|go to|head (?:over )?to) (?:\S{1,60} ){1,8}?to (?:claim|get|receive|win|register|unlock))",
)
"""The group `request` counts where it asks the reader; it may tell of others: "they will receive a bonus"."""
_HARMFUL = Phrases(_HARMFUL_PHRASES, _HARMFUL_FIRSTS.split())
_HARMLESS_FIRSTS = """
    100 act add apply back book buy call change check click cliquez compre connect contact dm don donate dont
    double download drop e email enrol enter feel follow get guaranteed haga hurry i install invest jetzt join
    klicken leave let limited make message open order post reach register run share shop sign start stay
    subscribe support tap tell text thank this triple update use visit vote we with write you
"""
_HARMLESS_PHRASES = any_of(
    r"(?:join|follow|contact|message|dm|text|e-?mail|support|visit|reach out to|write to|subscribe to"
    r"|check out|connect with|call) (?:us|our|me|my)",
    rf"(?:share|tell us|leave|post|drop|add) (?:(?:us|in) )?your {W}{{0,2}}"
    r"(?:thoughts?|opinions?|views?|experiences?|comments?|feedback)",
    rf"(?:share|tell us|leave|post|drop|add) (?:(?:a|us|in|your) ){{0,3}}{W}{{0,2}}(?:below|in the comments)",
    r"(?:tell us|leave|post|drop) (?:us )?(?:a |some )?(?:thoughts?|opinions?|comments?|feedback)",
    rf"click (?:here|below|now|(?:on )?(?:this|the|our) {W}?(?:link|button|banner))",
    r"(?:follow|use|open|tap) (?:this|our|the) (?:link|invite)",
    r"(?:download|install) (?:and|then) (?:install|open)",
    r"run (?:this|the following) (?:command|script|code|file)",
    r"call now|let us know|don'?t (?:miss (?:out|this|it)|hesitate to)",
    r"feel free to (?:contact|reach|share|ask|comment|join)",
    r"(?:we|i) (?:invite|encourage|urge|ask) (?:you|all|everyone|everybody|our|readers|users)",
    r"(?:use|enter|with) (?:(?:the|our|my|this) )?(?:promo|coupon|discount|referral|voucher) ?code",
    r"you won'?t believe|this one (?:weird|simple) trick|make you rich",
    r"(?:double|triple) your (?:money|bitcoin|btc|crypto|coins|investment)",
    r"(?:change|update|back up) your passwords?|stay tuned|thank you for (?:reading|your)",
    rf"join (?:the|a) {W}{{0,3}}(?:telegram|discord|whatsapp|signal|slack) "
    r"(?:group|channel|server|chat|community)",
    r"klicken sie hier|haga clic aquí|cliquez ici|compre ahora",
    rf"(?P<request>(?:buy|order|act|subscribe|enrol|register|sign up|join|download|donate|invest|shop|book"
    rf"|apply|install|call|vote|hurry|start earning|get it|get yours|get started) {A}{{0,4}}?{_NOW}"
    r"|jetzt (?:kaufen|anmelden|herunterladen))",
    r"(?P<advertising>limited[- ]time offer|get rich quick|guaranteed (?:returns?|profits?|income)"
    r"|100% (?:free|safe|guaranteed|profit))",
)
"""The group `request` is as above: "they can call Canada for free". A source may report on `advertising`."""
_HARMLESS = Phrases(_HARMLESS_PHRASES, _HARMLESS_FIRSTS.split())
_ASKS = re.compile(
    r"(?:(?:\A|[.!?:;,–—*>|\"“„‚‘(\[\n-])\s{0,3}(?:(?:now|then|just|simply|so|today|also)\s)?"
    r"|\b(?:please|don'?t|(?:you|readers)(?: (?:can|may|should|could|must))?(?: (?:now|also|just))?"
    r"|(?:chance|time|ready|want|free|able|need|have) to)\s{1,3})\Z",
    re.IGNORECASE,
)
"""What is before a request in its sentence: nothing, or a word that asks the reader."""
_REPORTED = re.compile(
    r"\b(?:never|not|no longer|cannot|can't|don't|didn't|doesn't|avoid\w*|warn\w*|against|without|instead of"
    r"|refus\w+|fake|scam\w*|phishing|fraud\w*|victims?|attackers?|hackers?"
    r"|(?:ask|prompt|trick|lur|urg|tell|told|instruct|invit|requir|forc|persuad|convinc|direct)\w{0,3})\b"
    r"[^.!?\n]{0,80}\Z",
    re.IGNORECASE,
)
_OPENING, _CLOSING = re.compile("[“„«‘]"), re.compile("[”»’]")
_SUBJECT_CHARS = 40
"""Before a request in which its subject is searched. Chosen, not measured."""
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
        (_call_severity(index, text, match, is_harmful=phrases is _HARMFUL), match)
        for phrases in (_HARMFUL, _HARMLESS)
        for match in phrases.finditer(text)
        if match.lastgroup != "request" or is_imperative(text, match.start())
        if match.lastgroup != "advertising" or not index.contains(match[0])
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


def is_imperative(text: str, start: int) -> bool:
    """Tell whether a verb at a position asks the reader: the sentence has no subject for it."""
    return _ASKS.search(text, max(0, start - _SUBJECT_CHARS), start) is not None


def _call_severity(
    index: SourceIndex, text: str, match: re.Match[str], *, is_harmful: bool
) -> Severity | None:
    """Return the severity of a call to action, None where it is quoted or reported."""
    in_source = index.contains(match[0])
    if in_source and is_quoted(text, *match.span()):
        return None
    if not is_harmful:
        return Severity.WARN if in_source else Severity.BLOCK
    reported = _REPORTED.search(text, max(0, match.start() - 100), match.start())
    return None if reported and _source_mentions(index, match[0]) else Severity.BLOCK


def _source_mentions(index: SourceIndex, words: str) -> bool:
    """Tell whether the source has a word of the phrase, but its first, of more than four characters."""
    return any(len(word) > 4 and index.contains(word) for word in words.split()[1:])


def is_quoted(text: str, start: int, end: int) -> bool:
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
