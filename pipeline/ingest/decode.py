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
}
_LABELS = {  # as the web means them (encoding.spec.whatwg.org), where Python means less
    "x-sjis": "cp932", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "x-gbk": "gb18030", "big5": "big5hkscs",
}  # fmt: skip
_GUESSED = re.compile(
    r"euc_(?:jp|jis_2004|jisx0213)|shift_jis(?:_2004|x0213)?|cp932|euc_kr|cp949|johab|big5(?:hkscs)?|gb2312|gbk|gb18030|hz"
    r"|koi8_[rtu]|cp125[13567]|iso8859_[5678]|cp866|cp874|tis_620"
)
"""Charsets that are believed where only a guess speaks for them: in the others text is Latin, mostly."""
_READ = 60_000
"""Bytes that a guess looks at."""
_ENOUGH = 40
"""Bytes that are no UTF-8 from which on a charset is guessed: fewer are strays, or too few to tell."""
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp9[345]\d|iso2022|johab|hz")
_BEYOND = re.compile(rb"[\x80-\xff]+")
_SURROGATE = re.compile("[\udc80-\udcff]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL_REFERENCE = re.compile(
    r"&#(?:0{0,9}(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0{0,9}(?:[0-8bcefBCEF]|1[0-9a-fA-F])|[xX][dD][89a-fA-F]..|[xX][fF]{3}[eEfF]);"
)


def decode(body: bytes, content_type: str | None) -> str:
    """Return a feed's text: BOM, else UTF-8 that is valid, else a declared charset that fits.

    Declared are the HTTP header's and the XML declaration's. Where none fits, it is the charset of another
    script that the bytes speak for, or else UTF-8 in which each bad byte is windows-1252, so that one stray
    quotation mark does not spoil a feed. Characters that
    XML forbids, and white space in front, are taken out. Never raises.
    """
    text = _decoded(body, content_type or "")
    return _ILLEGAL.sub("", _ILLEGAL_REFERENCE.sub("", text)).lstrip(" \t\r\n\x85\xa0\u200b\ufeff")


def _decoded(body: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return _repaired(rest) if name == "utf-8" else rest.decode(name, "replace")
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
    try:
        name = codecs.lookup(_LABELS.get(label.lower(), label)).name
        b"".decode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if _REFUSED.fullmatch(name) else _SUPERSETS.get(name, name)


def _repaired(body: bytes) -> str:
    """Return UTF-8 in which each bad byte is windows-1252."""
    text = body.decode("utf-8", "surrogateescape")
    return text.translate(_WINDOWS_1252) if _SURROGATE.search(text) else text


_WINDOWS_1252 = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
