"""Decoding of documents with missing and wrong charset labels."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.parsing.encoding import decode

TEXT = "<r>Zürich – 5 € „gut“</r>"


PYTHONS = {
    "windows-874": "cp874", "x-cp1251": "cp1251", "windows-949": "cp949", "gb_2312": "gb2312",
    "iso-8859-8-i": "iso8859_8", "koi8-ru": "koi8_u", "x-euc-jp": "euc_jp",
}  # fmt: skip


def xml(name: str, text: str = TEXT) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>{text}'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (xml("utf-8").encode(), "text/xml"),
        (TEXT.encode(), None),
        (TEXT.encode(), "text/xml; charset=us-ascii"),
        (xml("iso-8859-1").encode(), "application/xml; charset=iso-8859-1"),
        (xml("windows-1252").encode("cp1252"), None),
        (xml("utf-8").encode("cp1252"), "application/xml; charset=utf-8"),
        (TEXT.encode("cp1252"), None),
        (TEXT.encode("cp1252"), "application/xml; charset=iso-8859-1"),
        (TEXT.encode("cp1252"), 'application/xml; charset = "Windows-1252"'),
        (xml("utf-8").encode("utf-8-sig"), "application/xml; charset=windows-1251"),
        (xml("utf-16").encode("utf-16"), None),
        (codecs.BOM_UTF16_BE + xml("utf-8").encode("utf-16-be"), "text/xml; charset=utf-8"),
        (xml("utf-16").encode("utf-16-le"), None),
        (xml("utf-16").encode("utf-16-be"), None),
        (xml("utf-32").encode("utf-32"), None),
        (xml("utf-32").encode("utf-32-be"), None),
        (xml("no-such-charset").encode(), "text/xml; charset=neither"),
        (xml("utf-16").encode(), None),
        (xml("base64").encode(), "text/xml; charset=rot13"),
        (xml("unicode_escape").encode(), "text/xml; charset=utf-7"),
    ],
)
def test_labels_do_not_matter_where_they_are_wrong(body: bytes, content_type: str | None) -> None:
    assert decode(body, content_type).endswith(TEXT)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows-1251", "Биткойн подорожал"),
        ("koi8-r", "Биткойн подорожал"),
        ("gb2312", "比特币"),
        ("shift_jis", "ビットコイン"),
        ("euc-kr", "비트코인"),
        ("big5", "比特幣"),
        ("iso-2022-jp", "ビットコイン"),
        ("iso-8859-2", "źdźbło"),
        ("windows-1255", "ביטקוין"),
        ("windows-874", "บิตคอยน์"),
        ("x-cp1251", "Биткойн подорожал"),
        ("windows-949", "비트코인"),
        ("gb_2312", "比特币"),
        ("iso-8859-8-i", "ביטקוין"),
        ("koi8-ru", "Биткойн подорожал"),
        ("x-euc-jp", "ビットコイン"),
    ],
)
def test_a_declared_charset_that_fits_is_taken(name: str, text: str) -> None:
    spoken = PYTHONS.get(name, name)
    assert decode(xml(name, text).encode(spoken), None).endswith(text)
    assert decode(text.encode(spoken), f"text/xml; charset={name}") == text


def test_one_stray_byte_spoils_nothing_else() -> None:
    body = xml("utf-8", "It@s 5 € – said Müller").encode().replace(b"@", b"\x92")
    assert decode(body, None).endswith("It’s 5 € – said Müller")


def test_what_xml_forbids_is_taken_out() -> None:
    assert (
        decode(b"\x00\x1f \r\n<r>a\x08b&#0;&#x1F;&#11;&#10;&#xD;c&#xFFFE;d</r>", None)
        == "<r>ab&#10;&#xD;cd</r>"
    )


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.text(max_size=20))
def test_nothing_raises(body: bytes, label: str) -> None:
    text = decode(body, f"text/xml; charset={label}")
    text.encode("utf-8")
    assert "\x00" not in text


SCRIPTS = {
    "koi8-r": "Биржа остановила торги до вторника: инженеры ищут причину сбоя, сообщила компания. ",
    "windows-1251": "Порт закрывает северный бассейн на одиннадцать недель, сообщили власти города. ",
    "euc-jp": "港湾局は北側の岸壁を十一週間閉鎖すると発表した。修理には六百万ユーロかかる。",
    "shift_jis": "港湾局は北側の岸壁を十一週間閉鎖すると発表した。修理には六百万ユーロかかる。",
    "windows-1255": "הנמל ייסגר לאחד עשר שבועות, הודיעה הרשות ביום שלישי. התיקון יעלה שישה מיליון. ",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_another_script_is_recognised_where_nothing_declares_it(name: str) -> None:
    text = f"<rss><channel><title>x</title><item><title>{SCRIPTS[name] * 4}</title></item></channel></rss>"
    assert decode(text.encode(name), "text/xml") == text


def test_a_long_latin_text_is_not_taken_for_another_script() -> None:
    text = (
        "<r>" + "Die Börse in Zürich schließt früher: für Anleger heißt das „Geduld üben“, sagt Möller. " * 9
    )
    assert decode(text.encode("cp1252"), None) == text


@pytest.mark.parametrize(
    ("page", "spoken", "text"),
    [
        ("cp1250", "<rss><language>pl-PL</language>", "Spółka ogłosiła, że źródło to „żart”"),
        ("cp1254", "<feed xml:lang='tr'>", "Şirket görüşmelerin başlayacağını açıkladı"),
        ("cp1257", "<rss><dc:language>lt</dc:language>", "Įmonė pranešė, kad klaida ištaisyta"),
        ("cp1251", "<rss><language>ru</language>", "Биржа"),
        ("cp1252", "<rss><language>de</language>", "Börse schließt „früh“"),
        ("cp1252", "<rss><language>xx</language>", "Börse"),
    ],
)
def test_bytes_of_a_code_page_are_those_of_the_feed_s_language(page: str, spoken: str, text: str) -> None:
    assert decode(f"{spoken}{text}".encode(page), None) == f"{spoken}{text}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a&#xD83D;&#xDE00;b", "a&#128512;b"),
        ("a&#55357;&#56832;b", "a&#128512;b"),
        ("a&#55357;b&#xDE00;c&#xd800;", "abc"),
        ("a&#1114112;b&#x110000;c&#99999999999;d", "abcd"),
        ("&#56832;&#56000;", ""),
        ("&#128512;&#x1F600;&#65533;&#0038;&#xE9;", "&#128512;&#x1F600;&#65533;&#0038;&#xE9;"),
    ],
)
def test_references_to_no_character_go_and_halves_are_joined(written: str, read: str) -> None:
    assert decode(written.encode(), None) == read


def test_a_mark_of_wide_characters_in_front_of_others_is_wrong() -> None:
    assert decode(codecs.BOM_UTF16_LE + xml("utf-8").encode(), None) == xml("utf-8")
    assert decode(codecs.BOM_UTF16_LE + '{ "a": "é"}'.encode("utf-16-le"), None) == '{ "a": "é"}'


def test_many_bad_bytes_are_each_repaired() -> None:
    assert decode(b"<r>" + b"\xe9\xff\x81" * 1000 + "ü".encode(), None) == "<r>" + "éÿ\ufffd" * 1000 + "ü"
