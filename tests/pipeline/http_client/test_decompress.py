"""Decoding of gzip and deflate bodies in small steps."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.http_client.decompress import (
    MAX_LAYERS,
    MAX_MEMBERS,
    MAX_PACKED_BYTES,
    STEP_BYTES,
    BodyDecoder,
    CorruptBody,
    UnexpectedEncoding,
)


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def decode(encoding: str, parts: list[bytes]) -> bytes:
    decoder = BodyDecoder(encoding)
    chunk = b"".join(chunk for part in parts for chunk in decoder.feed(part))
    decoder.end()
    return chunk


def is_unpacked(body: bytes) -> bool:
    return not body.startswith(b"\x1f")  # gzip is decoded wherever it is


BODIES = st.one_of(
    st.binary(max_size=300).filter(is_unpacked), st.builds(bytes, st.integers(0, 4 * STEP_BYTES))
)


@given(BODIES, st.integers(1, 999))
def test_chunk_sizes_do_not_matter(body: bytes, size: int) -> None:
    assert decode("gzip", pieces(gzip.compress(body), size)) == body
    assert decode("deflate", pieces(zlib.compress(body), size)) == body
    raw = zlib.compressobj(wbits=-15)
    assert decode("deflate", pieces(raw.compress(body) + raw.flush(), size)) == body


PADDING = st.sampled_from([b"", b"\0" * 20, b"\x1f", b"\x1e\x8b", b"<!-- served by cache -->"])


@given(BODIES, st.binary(max_size=50).filter(is_unpacked), PADDING, st.integers(1, 99))
def test_several_members_are_one_body_and_padding_is_none(
    first: bytes, second: bytes, padding: bytes, size: int
) -> None:
    packed = gzip.compress(first) + gzip.compress(second) + padding
    assert decode("gzip", pieces(packed, size)) == first + second


@given(st.binary(min_size=2, max_size=300), st.integers(1, 99))
def test_nonsense_is_named(body: bytes, size: int) -> None:
    with pytest.raises(CorruptBody):
        decode("gzip", pieces(b"x" + body, size))


@given(BODIES, st.integers(1, 8))
def test_a_missing_checksum_is_forgiven(body: bytes, missing: int) -> None:
    assert decode("gzip", [gzip.compress(body)[:-missing]]) == body


@given(st.binary(min_size=1, max_size=300), st.integers(9, 40))
def test_what_is_cut_off_is_named(body: bytes, missing: int) -> None:
    with pytest.raises(CorruptBody):
        decode("gzip", [gzip.compress(body)[:-missing] or b"\x1f"])


@pytest.mark.parametrize("packed", [zlib.compress(b"some text"), gzip.compress(b"x")[:1]])
def test_any_other_truncated_body_is_refused(packed: bytes) -> None:
    with pytest.raises(CorruptBody):
        decode("deflate", [packed[:-3] or packed])


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress", "zip", "hex"])
def test_an_unrequested_encoding_is_refused(encoding: str) -> None:
    assert decode(encoding, []) == b""
    with pytest.raises(UnexpectedEncoding):
        decode(encoding, [b"<rss/>"])


def test_members_without_end_are_named() -> None:
    member = gzip.compress(b"")
    assert decode("gzip", [member * MAX_MEMBERS]) == b""
    with pytest.raises(CorruptBody):
        decode("gzip", [member * (MAX_MEMBERS + 1)])


def test_text_that_is_announced_as_gzip_is_taken_as_text() -> None:
    assert decode("gzip", [b"<rs", b"s/>"]) == b"<rss/>"


@pytest.mark.parametrize("encoding", ["br", "8bit", "charset=utf-8", "aws-chunked", "deflate"])
def test_text_is_text_whatever_it_is_labelled_as(encoding: str) -> None:
    text = "<rss><title>Überschrift und mehr, als sechzig Zeichen lang ist</title></rss>".encode()
    assert decode(encoding, [text[:70], text[70:]]) == text


def test_a_decompression_bomb_is_decoded_in_small_steps() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    largest, total = 0, 0
    for chunk in BodyDecoder("gzip").feed(bomb):
        largest, total = max(largest, len(chunk)), total + len(chunk)
        if total > 1_000_000:
            break
    assert largest <= STEP_BYTES
    assert total < 1_000_000 + STEP_BYTES


ONCE = gzip.compress(b"<rss/>", mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", ONCE),
        ("identity", ONCE),
        ("gzip", gzip.compress(ONCE, mtime=0)),
        ("gzip, gzip", gzip.compress(ONCE, mtime=0)),
        ("gzip, gzip", ONCE),
        ("deflate", zlib.compress(ONCE)),
        ("deflate", ONCE),
        ("gzip", zlib.compress(b"<rss/>")),
        ("utf-8", b"<rss/>"),
        ("UTF8", ONCE),
        ("gzip, utf-8", ONCE),
        ("iso-8859-15", b"<rss/>"),
        ("none", b"<rss/>"),
    ],
)
@pytest.mark.parametrize("size", [1, 999])
def test_the_bytes_count_more_than_the_header(encoding: str, body: bytes, size: int) -> None:
    assert decode(encoding, pieces(body, size)) == b"<rss/>"


def test_gzip_within_gzip_has_limits() -> None:
    body = b"<rss/>"
    for _ in range(MAX_LAYERS + 1):
        body = gzip.compress(body, mtime=0)
    assert decode("gzip", [body]) == ONCE
    hollow = gzip.compress(b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * (MAX_PACKED_BYTES + 1), 1)
    with pytest.raises(CorruptBody):
        decode("gzip", [hollow])
    with pytest.raises(CorruptBody):
        decode("", [b"\x1f"])
    assert decode("", [b"x"]) == b"x"
