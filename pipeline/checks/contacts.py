"""Finds what leads a reader elsewhere: web and e-mail addresses, telephone numbers, wallets, handles.

Every expression takes time in proportion to the text: what it repeats is bounded or possessive, and begins
only where a word begins.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.checks.sites import kind_of_site


class Contact(NamedTuple):
    """A place in a text that leads elsewhere."""

    kind: str
    """link, site, maybe, unknown, number, address, email, phone, wallet or handle."""
    start: int
    end: int
    text: str


_DOT = r"(?:\s?[\[({<]\s?(?:[.。]|dot|punkt|punto|point)\s?[\])}>]\s?)"
_TOPS = "com|net|org|info|io|ai|app|dev|xyz|co|me|ru|cn|top|site|online|shop|live|link|club|vip|example|test"
_BEHIND = r"""(?::\d{1,5}(?!\d))?+(?:(?:[/\#]|\?(?=\w))[^\s<>"'`|\\)\]}»”]{0,2000}+)?+"""
"""Port, path, query and fragment."""
_LINK = re.compile(
    r"""
    (?<![a-z0-9])(?:[a-z][a-z0-9+.-]{1,15}[:：]//(?=[\w\[])|h[tx*]{2}ps?\s?[:：]\s?//)
        [^\s<>"'`|\\)\]}»”]{1,2000}+
    | (?<![a-z0-9])(?:javascript|vbscript|mailto|tel|sms|tg|skype|magnet|intent|blob):(?=\S)
        [^\s<>"'`)\]]{1,2000}+
    | (?<![a-z0-9])data:[a-z]{1,20}/[^\s)\]]{1,2000}+
    | (?<![a-z0-9.-])www\d?\.[^\s<>"'`|\\)\]}»”]{2,2000}+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"!?\[[^\[\]]{0,300}+\]\s?\(\s?(?=[^\s()]{0,300}[./:#])[^\s()]{1,2000}+[^()]{0,200}+\)"
)
_SITE = re.compile(
    r"(?<![\w.@-])(?:[\w-]{1,63}+\.)+?(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-]|\.\w)" + _BEHIND
)
_HIDDEN_SITE = re.compile(
    rf"""(?<![\w.-])[\w-]{{1,63}}+(?:{_DOT}[\w-]{{1,63}}+)+{_BEHIND}
    | (?<![\w.-])(?!(?:the|an?|of|or|and|any|new|its?|dot|to|in|for|like|by|his|her|their|our|your)\s)
        [\w-]{{2,63}}+\s(?:dot\s(?:{_TOPS})|\.\s?(?:com|org|io|xyz|example))
        (?!\w|[\s-](?:bubble|boom|era|crash|bust|compan|stock|mania|crisis|days|frenzy))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)" + _BEHIND
)
_EMAIL = re.compile(
    rf"""(?<![\w.+-])[\w.+-]{{1,64}}+
    (?: (?:@|[ ]@[ ])(?=[\w-]{{1,63}}+(?:\.|{_DOT}|\sdot\s)\w) | \s?[\[({{<]\s?(?:at|@|ät)\s?[\])}}>]\s?
      | \sat\s(?=[\w-]{{1,63}}+(?:{_DOT}|\sdot\s)\w) )
    [\w-]{{1,63}}+ (?:(?:\.|{_DOT}|\sdot\s)[\w-]{{1,63}}+){{0,8}}+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PHONE = re.compile(
    r"""
    (?<![\w+.,/])\+(?![\d ]{1,4}\(?(?:19|20)\d\d[\u2013-])\(?\d{1,4}\)?
        (?:[ ./\u00a0\u2010-\u2013-]{0,2}\(?\d{2,7}\)?){2,6}(?![\w,%]|\.\d)
    | (?<![\w+.,/-])(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?![\w-]|\.\d)
    | (?<![\w-])1-?8(?:00|33|44|55|66|77|88)-[A-Z0-9-]{7,10}+(?!\w)
    | (?<!\w)(?i:call|phone|tel|telephone|telefon|ring|dial|sms|text|whatsapp|hotline|fax|helpline|anruf
        |llam\w{1,4}|appel\w{1,4})
        (?:\s(?:us|me|now|at|on|number|today|unter|al)){0,3}[\s:.]{1,3}(\(?\d[\d ()/.-]{5,18}\d)(?![\w%])
    """,
    re.VERBOSE,
)
_BASE58 = "1-9A-HJ-NP-Za-km-z"
_WALLET = re.compile(
    rf"""
    (?<![a-zA-Z0-9])(?:
      0x[0-9a-fA-F]{{40,64}}
    | (?:bc|tb|ltc|addr|stake|cosmos|osmo|terra|inj|sei|celestia|kava|axelar|erd|zs|u|nano|ban|xch
        |bitcoincash|kaspa)
        [1_:][02-9ac-hj-np-z]{{20,120}}
    | (?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{{20,100}}
    | [EUk0]Q[a-zA-Z0-9_-]{{44,46}}
    | (?=[{_BASE58}]{{0,40}}[0-9])(?=[{_BASE58}]{{0,40}}[A-Z])(?=[{_BASE58}]{{0,40}}[a-z])
        [{_BASE58}]{{26,110}}
    )(?![a-zA-Z0-9])
    """,
    re.VERBOSE,
)
_LONG_RUN = re.compile(r"[\w:-]{22}")
"""Shorter is no wallet."""
_HANDLE = re.compile(
    r"(?<![\w@./])@(?=[\w.]{0,30}[^\W\d_])[\w.]{2,50}+(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})?"
)

_DIGIT = re.compile("[0-9A-Z]")
_HOST_END = re.compile("[/?#:]")


def contacts(text: str) -> list[Contact]:
    """Return what leads elsewhere, in the order of the text; no two overlap."""
    taken = bytearray(len(text))
    found: list[Contact] = []
    for contact in _every(text):
        if 1 not in taken[contact.start : contact.end]:
            found.append(contact)
            taken[contact.start : contact.end] = b"\1" * (contact.end - contact.start)
    return sorted(found, key=lambda contact: contact.start)


def _every(text: str) -> Iterator[Contact]:
    """Yield the surer kinds first."""
    if "@" in text or "at" in text or "AT" in text:
        yield from _matches("email", _EMAIL, text)
    if ":" in text or "：" in text or "ww" in text.lower():
        yield from _matches("link", _LINK, text)
    if _LONG_RUN.search(text):
        yield from _matches("wallet", _WALLET, text)
    if "](" in text or "] (" in text:
        yield from _matches("link", _MARKDOWN, text)
    yield from _matches("address", _HIDDEN_SITE, text)
    yield from map(_numbered, _matches("number", _NUMBERED, text))
    yield from _sites(text)
    # Fewer digits are a part of a number at most.
    yield from (each for each in _matches("phone", _PHONE, text) if len(_DIGIT.findall(each.text)) >= 7)
    if "@" in text:
        yield from _matches("handle", _HANDLE, text)


def _matches(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Contact]:
    for found in pattern.finditer(text):
        yield _contact(kind, found)


def _contact(kind: str, found: re.Match[str]) -> Contact:
    shown = found[0].rstrip(".,;:!?…'’*_")
    return Contact(kind, found.start(), found.start() + len(shown), shown)


def _numbered(contact: Contact) -> Contact:
    """Return a computer's number as the link that it is where a port or a path follows; `/24` is none."""
    plain = contact.text.partition("/")
    bare = not plain[0].strip("0123456789.") and (not plain[2] or (plain[2].isdigit() and len(plain[2]) < 3))
    return contact if bare else contact._replace(kind="link")


def _sites(text: str) -> Iterator[Contact]:
    for found in _SITE.finditer(text):
        host = _HOST_END.split(found[0], maxsplit=1)[0]
        kind = kind_of_site(host)
        if kind:
            behind = len(found[0].rstrip("/?#:")) > len(host)
            yield _contact("link" if behind else kind, found)
