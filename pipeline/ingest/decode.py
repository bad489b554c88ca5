"""A feed's bytes to text: declarations are often wrong, so each is tried against the bytes."""

import codecs
import re

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
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp9[345]\d|iso2022|johab|hz")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ILLEGAL_REFERENCE = re.compile(
    r"&#(?:0{0,9}(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0{0,9}(?:[0-8bcefBCEF]|1[0-9a-fA-F])|[xX][dD][89a-fA-F]..|[xX][fF]{3}[eEfF]);"
)


def decode(body: bytes, content_type: str | None) -> str:
    """Return a feed's text: BOM, else UTF-8 that is valid, else a declared charset that fits.

    Declared are the HTTP header's and the XML declaration's. Where none fits, it is UTF-8 in which each
    bad byte is windows-1252, so that one stray quotation mark does not spoil a feed. Characters that
    XML forbids, and white space in front, are taken out. Never raises.
    """
    text = _decoded(body, content_type or "")
    return _ILLEGAL.sub("", _ILLEGAL_REFERENCE.sub("", text)).lstrip(" \t\r\n\x85\xa0\u200b\ufeff")


def _decoded(body: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, _BAD_BYTES if name == "utf-8" else "replace")
    for opening, name in _OPENINGS:
        if re.match(opening, body):
            return body.decode(name, "replace")
    declared = _declared(body, content_type)
    for name in [*filter(_MULTIBYTE.match, declared), "utf-8", *declared]:
        try:
            return body.decode(name)
        except (UnicodeError, LookupError):
            continue
    others = [name for name in declared if name != "utf-8"]
    return (
        body.decode(others[0], "replace")
        if others and "utf-8" not in declared
        else body.decode("utf-8", _BAD_BYTES)
    )


def _declared(body: bytes, content_type: str) -> list[str]:
    found = [match[1] for match in (_CHARSET.search(content_type),) if match]
    found += [match[1].decode("ascii") for match in (_DECLARED.match(body),) if match]
    return list(dict.fromkeys(name for name in map(_known, found) if name))


def _known(label: str) -> str | None:
    """Return Python's name of a charset, None for one that is unknown or none of a document."""
    try:
        name = codecs.lookup(label).name
        b"".decode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if _REFUSED.fullmatch(name) else _SUPERSETS.get(name, name)


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_BAD_BYTES = "copydesk-windows-1252"
codecs.register_error(_BAD_BYTES, _as_windows_1252)
