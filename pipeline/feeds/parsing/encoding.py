"""A feed's bytes to text: declarations are often wrong, so each is tried against the bytes."""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (  # UTF-32 before UTF-16, whose mark its own begins with
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_OPENINGS = (  # `<` or `{` in wide characters, and `<?xm` in EBCDIC
    (rb"[<{]\0\0\0", "utf-32-le"),
    (rb"\0\0\0[<{]", "utf-32-be"),
    (rb"[<{]\0[^\0]\0", "utf-16-le"),
    (rb"\0[<{]\0[^\0]", "utf-16-be"),
    (rb"\x4c\x6f\xa7\x94", "cp037"),
)
_NARROW = re.compile(rb"\s{0,99}[<{](?:[!?a-zA-Z]{2}|\s{0,99}\")")
"""How a document begins whose mark of wide characters is wrong."""
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"\s{0,99}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})[\"']")
# Wide ones would show in the bytes, the others are no charsets of documents or are ways to hide markup.
_REFUSED = re.compile(r"utf-(?:7|16|32).*|idna|punycode|.*unicode_escape|undefined|mbcs|oem|utf-8-sig")
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
"""What the web means by a charset (encoding.spec.whatwg.org), where Python means less."""
_LABELS = {
    "windows-31j": "cp932", "ks_c_5601-1989": "cp949", "ksc_5601": "cp949", "iso-ir-149": "cp949",
    "gb_2312": "gb18030", "gb_2312-80": "gb18030", "cn-big5": "big5hkscs", "koi": "koi8_r", "koi8": "koi8_r",
    "koi8-ru": "koi8_u", "iso-8859-6-e": "iso8859_6", "iso-8859-6-i": "iso8859_6",
    "iso-8859-8-e": "iso8859_8", "iso-8859-8-i": "iso8859_8",
}  # fmt: skip
"""Labels of the web that Python does not know."""
_VENDORS = re.compile(r"(?:windows|dos)-(?=\d{3,4}\Z)|x-cp(?=\d{4}\Z)")
_GUESSED = re.compile(
    r"euc_(?:jp|jis_2004|jisx0213)|shift_jis(?:_2004|x0213)?|cp932|euc_kr|cp949|johab|big5(?:hkscs)?|gb2312|gbk|gb18030|hz"
    r"|koi8_[rtu]|cp125[1356]|iso8859_[5678]|cp866|cp874|tis_620"
)
"""Charsets that are believed where only a guess speaks for them: in the others text is Latin, mostly."""
_LANGUAGE = re.compile(
    rb"<(?:dc:)?language>\s{0,9}([A-Za-z]{2})\b|<(?:feed|rss)\b[^>]{0,500}?xml:lang=.([A-Za-z]{2})\b"
)
_PAGES = {
    language: page
    for page, languages in (
        ("cp1250", "bs cs hr hu pl ro sk sl sq"),
        ("cp1251", "be bg kk ky mk mn ru sr tg uk"),
        ("cp1253", "el"),
        ("cp1254", "az tr"),
        ("cp1257", "et lt lv"),
    )
    for language in languages.split()
}
"""The code page that was common where a language is spoken: bytes tell one Latin page from another hardly."""
_READ = 60_000
"""Bytes that a guess looks at."""
_ENOUGH = 40
"""Bytes that are no UTF-8 from which on a charset is guessed: fewer are strays, or too few to tell."""
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp9[345]\d|iso2022|johab|hz")
_BEYOND = re.compile(rb"[\x80-\xff]+")
_SURROGATE = re.compile("[\udc80-\udcff]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SUSPECT = re.compile(
    r"&#(?:0{0,9}(\d|[12]\d|3[01]|\d{5,20})"
    r"|[xX]0{0,9}([0-9a-fA-F]|1[0-9a-fA-F]|[dDfF][0-9a-fA-F]{3}|[0-9a-fA-F]{5,20}));"
)
"""A reference to what may be no character."""
_HALVES = re.compile(
    r"&#(?:[xX]([dD][89abAB][0-9a-fA-F]{2})|(5[56]\d{3}));&#(?:[xX]([dD][c-fC-F][0-9a-fA-F]{2})|(5[67]\d{3}));"
)


def decode(body: bytes, content_type: str | None) -> str:
    """Return a feed's text: BOM, else UTF-8 that is valid, else a declared charset that fits.

    Declared are the HTTP header's and the XML declaration's. Where none fits, it is the charset of another
    script that the bytes speak for, or else UTF-8 in which each bad byte is windows-1252, or what the feed's
    language has in its place, so that one stray quotation mark does not spoil a feed. Characters that XML
    forbids, and white space in front, are taken out. Never raises.
    """
    text = _decoded(body, content_type or "")
    if "&#" in text:
        text = _SUSPECT.sub(_legal, _HALVES.sub(_joined, text))
    return _ILLEGAL.sub("", text).lstrip(" \t\r\n\x85\xa0\u200b\ufeff")


def _legal(reference: re.Match[str]) -> str:
    """Return a reference unless XML has no such character."""
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    fits = code <= 0x10FFFF and (code > 31 or code in (9, 10, 13)) and not _ILLEGAL.match(chr(code))
    return reference[0] if fits else ""


def _joined(halves: re.Match[str]) -> str:
    """Return the character that two references to its UTF-16 halves mean."""
    high, low = (int(halves[at], 16) if halves[at] else int(halves[at + 1]) for at in (1, 3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return halves[0]
    return f"&#{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00};"


def _decoded(body: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return _repaired(rest) if name == "utf-8" or _NARROW.match(rest) else rest.decode(name, "replace")
    for opening, name in _OPENINGS:
        if re.match(opening, body):
            return body.decode(name, "replace")
    declared = _declared(body, content_type)
    for name in [*filter(_MULTIBYTE.match, declared), "utf-8", *declared]:
        try:
            return body.decode(name)
        except (UnicodeError, LookupError):
            continue
    if declared and "utf-8" not in declared:
        return body.decode(declared[0], "replace")
    return _guessed(body) or _repaired(body)


def _guessed(body: bytes) -> str | None:
    """Return the text of a body whose bytes speak for a charset of another script; None for all others."""
    beginning = body[:_READ]
    beyond = sum(map(len, _BEYOND.findall(beginning)))
    bad = len(_SURROGATE.findall(beginning.decode("utf-8", "surrogateescape")))
    if bad < _ENOUGH or 4 * bad < beyond:  # pairs of other charsets may look like UTF-8
        return None
    best = from_bytes(beginning).best()
    if best is None or not _GUESSED.fullmatch(best.encoding):
        return None
    return body.decode(best.encoding, "replace")


def _declared(body: bytes, content_type: str) -> list[str]:
    found = [match[1] for match in (_CHARSET.search(content_type),) if match]
    found += [match[1].decode("ascii") for match in (_DECLARED.match(body),) if match]
    return list(dict.fromkeys(name for name in map(_known, found) if name))


def _known(label: str) -> str | None:
    """Return Python's name of a charset, None for one that is unknown or none of a document."""
    label = _VENDORS.sub("cp", label.lower()).removeprefix("x-")
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
        b"".decode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if _REFUSED.fullmatch(name) else _SUPERSETS.get(name, name)


def _repaired(body: bytes) -> str:
    """Return UTF-8 in which each bad byte is of the code page of the feed's language."""
    text = body.decode("utf-8", "surrogateescape")
    if not _SURROGATE.search(text):
        return text
    spoken = _LANGUAGE.search(body, 0, _READ)
    language = (spoken[1] or spoken[2]).decode().lower() if spoken else ""
    return text.translate(_page(_PAGES.get(language, "cp1252")))


def _page(name: str) -> dict[int, str]:
    return {0xDC00 + byte: bytes([byte]).decode(name, "replace") for byte in range(0x80, 0x100)}
