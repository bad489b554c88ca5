"""Decodes the bytes of feeds and pages: declared charsets are often wrong, so each is tried on the bytes."""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (  # UTF-32 first: its BOM starts with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_WIDE_STARTS = (  # `<` or `{` in wide characters, and `<?xm` in EBCDIC
    (rb"[<{]\0\0\0", "utf-32-le"),
    (rb"\0\0\0[<{]", "utf-32-be"),
    (rb"[<{]\0[^\0]\0", "utf-16-le"),
    (rb"\0[<{]\0[^\0]", "utf-16-be"),
    (rb"\x4c\x6f\xa7\x94", "cp037"),
)
_NARROW_START = re.compile(rb"\s{0,99}[<{](?:[!?a-zA-Z]{2}|\s{0,99}\")")
"""The start of a document in one-byte characters, after a wrong BOM of UTF-16 or UTF-32."""
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"\s{0,99}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})[\"']")
# Wide charsets show in the bytes; the others are no charsets of documents, or can hide markup.
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
"""Python's codecs to the supersets that browsers use for them. Source: encoding.spec.whatwg.org."""
_LABELS = {
    "windows-31j": "cp932", "ks_c_5601-1989": "cp949", "ksc_5601": "cp949", "iso-ir-149": "cp949",
    "gb_2312": "gb18030", "gb_2312-80": "gb18030", "cn-big5": "big5hkscs", "koi": "koi8_r", "koi8": "koi8_r",
    "koi8-ru": "koi8_u", "iso-8859-6-e": "iso8859_6", "iso-8859-6-i": "iso8859_6",
    "iso-8859-8-e": "iso8859_8", "iso-8859-8-i": "iso8859_8",
}  # fmt: skip
"""Charset labels of the web that Python lacks, to its codecs. Source: encoding.spec.whatwg.org."""
_VENDOR_PREFIX = re.compile(r"(?:windows|dos)-(?=\d{3,4}\Z)|x-cp(?=\d{4}\Z)")
_GUESSABLE = re.compile(
    r"euc_(?:jp|jis_2004|jisx0213)|shift_jis(?:_2004|x0213)?|cp932|euc_kr|cp949|johab|big5(?:hkscs)?|gb2312|gbk|gb18030|hz"
    r"|koi8_[rtu]|cp125[1356]|iso8859_[5678]|cp866|cp874|tis_620"
)
"""Charsets of non-Latin scripts: only these are accepted from a guess. Chosen, not measured."""
_LANGUAGE = re.compile(
    rb"<(?:dc:)?language>\s{0,9}([A-Za-z]{2})\b|<(?:feed|rss)\b[^>]{0,500}?xml:lang=.([A-Za-z]{2})\b"
)
_CODE_PAGES = {
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
"""Windows code page by language: the bytes alone hardly tell one Latin code page from another."""
_MAX_GUESS_BYTES = 60_000
"""Bytes that a guess uses. Chosen, not measured."""
_MIN_BAD_BYTES = 40
"""Bytes outside UTF-8 from which a charset is guessed; fewer are stray bytes. Chosen, not measured."""
_MULTIBYTE = re.compile(r"gb|big5|euc|shift_jis|cp9[345]\d|iso2022|johab|hz")
_NON_ASCII = re.compile(rb"[\x80-\xff]+")
_SURROGATE = re.compile("[\udc80-\udcff]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SUSPECT_REFERENCE = re.compile(
    r"&#(?:0{0,9}(\d|[12]\d|3[01]|\d{5,20})"
    r"|[xX]0{0,9}([0-9a-fA-F]|1[0-9a-fA-F]|[dDfF][0-9a-fA-F]{3}|[0-9a-fA-F]{5,20}));"
)
"""A character reference that may be illegal in XML."""
_SURROGATE_PAIR = re.compile(
    r"&#(?:[xX]([dD][89abAB][0-9a-fA-F]{2})|(5[56]\d{3}));&#(?:[xX]([dD][c-fC-F][0-9a-fA-F]{2})|(5[67]\d{3}));"
)


def decode(body: bytes, content_type: str | None) -> str:
    """Return a document's text without leading white space and characters illegal in XML. Never raises.

    The charset is that of the BOM, else UTF-8 if it is valid, else the first declared one (HTTP header, XML
    declaration) that decodes the bytes. If none does, it is guessed for non-Latin scripts. Else it is UTF-8
    with each bad byte decoded as windows-1252 or the code page of the feed's language, so that a stray byte
    changes no other character.
    """
    text = _decoded(body, content_type or "")
    if "&#" in text:
        text = _SUSPECT_REFERENCE.sub(_drop_illegal, _SURROGATE_PAIR.sub(_join_surrogates, text))
    return _ILLEGAL.sub("", text).lstrip(" \t\r\n\x85\xa0\u200b\ufeff")


def _drop_illegal(reference: re.Match[str]) -> str:
    """Return a character reference, "" if the character is illegal in XML."""
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    fits = code <= 0x10FFFF and (code > 31 or code in (9, 10, 13)) and not _ILLEGAL.match(chr(code))
    return reference[0] if fits else ""


def _join_surrogates(halves: re.Match[str]) -> str:
    """Return one reference for two that are a UTF-16 surrogate pair."""
    high, low = (int(halves[at], 16) if halves[at] else int(halves[at + 1]) for at in (1, 3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return halves[0]
    return f"&#{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00};"


def _decoded(body: bytes, content_type: str) -> str:
    for mark, name in _BOMS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return (
                _decode_mixed(rest)
                if name == "utf-8" or _NARROW_START.match(rest)
                else rest.decode(name, "replace")
            )
    for opening, name in _WIDE_STARTS:
        if re.match(opening, body):
            return body.decode(name, "replace")
    declared = _declared_codecs(body, content_type)
    for name in [*filter(_MULTIBYTE.match, declared), "utf-8", *declared]:
        try:
            return body.decode(name)
        except (UnicodeError, LookupError):
            continue
    if declared and "utf-8" not in declared:
        return body.decode(declared[0], "replace")
    return _decode_guessed(body) or _decode_mixed(body)


def _decode_guessed(body: bytes) -> str | None:
    """Return the text if the bytes are guessed to be of a non-Latin charset, else None."""
    beginning = body[:_MAX_GUESS_BYTES]
    non_ascii = sum(map(len, _NON_ASCII.findall(beginning)))
    bad = len(_SURROGATE.findall(beginning.decode("utf-8", "surrogateescape")))
    if bad < _MIN_BAD_BYTES or 4 * bad < non_ascii:  # byte pairs of other charsets may look like UTF-8
        return None
    best = from_bytes(beginning).best()
    if best is None or not _GUESSABLE.fullmatch(best.encoding):
        return None
    return body.decode(best.encoding, "replace")


def _declared_codecs(body: bytes, content_type: str) -> list[str]:
    labels = [match[1] for match in (_CHARSET.search(content_type),) if match]
    labels += [match[1].decode("ascii") for match in (_DECLARED.match(body),) if match]
    return list(dict.fromkeys(name for name in map(_python_codec, labels) if name))


def _python_codec(label: str) -> str | None:
    """Return Python's codec for a charset label, None if it is unknown or not for documents."""
    label = _VENDOR_PREFIX.sub("cp", label.lower()).removeprefix("x-")
    try:
        name = codecs.lookup(_LABELS.get(label, label)).name
        b"".decode(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if _REFUSED.fullmatch(name) else _SUPERSETS.get(name, name)


def _decode_mixed(body: bytes) -> str:
    """Return UTF-8 with each bad byte decoded by the code page of the feed's language."""
    text = body.decode("utf-8", "surrogateescape")
    if not _SURROGATE.search(text):
        return text
    match = _LANGUAGE.search(body, 0, _MAX_GUESS_BYTES)
    language = (match[1] or match[2]).decode().lower() if match else ""
    return text.translate(_code_page_table(_CODE_PAGES.get(language, "cp1252")))


def _code_page_table(name: str) -> dict[int, str]:
    return {0xDC00 + byte: bytes([byte]).decode(name, "replace") for byte in range(0x80, 0x100)}
