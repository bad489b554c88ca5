"""Bodies are decoded in small steps, whole or not at all."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.unpack import STEP, Broken, Unpacker


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def unpacked(encoding: str, parts: list[bytes]) -> bytes:
    unpacker = Unpacker(encoding)
    found = b"".join(found for part in parts for found in unpacker.feed(part))
    unpacker.end()
    return found


BODIES = st.one_of(st.binary(max_size=300), st.builds(bytes, st.integers(0, 4 * STEP)))


@given(BODIES, st.integers(1, 999))
def test_whatever_way_it_arrives_it_is_the_same(body: bytes, size: int) -> None:
    assert unpacked("gzip", pieces(gzip.compress(body), size)) == body
    assert unpacked("deflate", pieces(zlib.compress(body), size)) == body
    raw = zlib.compressobj(wbits=-15)
    assert unpacked("deflate", pieces(raw.compress(body) + raw.flush(), size)) == body


@given(BODIES, st.binary(max_size=50), st.integers(1, 99))
def test_several_members_are_one_body_and_padding_is_none(first: bytes, second: bytes, size: int) -> None:
    packed = gzip.compress(first) + gzip.compress(second) + b"\0" * 20
    assert unpacked("gzip", pieces(packed, size))[: len(first)] == first


@given(st.binary(min_size=3, max_size=300), st.integers(1, 99))
def test_nonsense_is_named(body: bytes, size: int) -> None:
    if body.lstrip(b" \t\r\n")[:1] in (b"<", b"{", b"["):
        body = b"x" + body
    if body[:2] in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff") or body[:3] == b"\xef\xbb\xbf":
        body = b"x" + body
    with pytest.raises(Broken):
        unpacked("gzip", [body[:3], *pieces(body[3:], size)])


def test_what_is_cut_off_is_named() -> None:
    with pytest.raises(Broken):
        unpacked("gzip", [gzip.compress(b"some text" * 100)[:-20]])


def test_text_that_is_announced_as_gzip_is_taken_as_text() -> None:
    assert unpacked("gzip", [b"<rs", b"s/>"]) == b"<rss/>"


def test_a_bomb_goes_off_in_small_steps() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    largest, total = 0, 0
    for found in Unpacker("gzip").feed(bomb):
        largest, total = max(largest, len(found)), total + len(found)
        if total > 1_000_000:
            break
    assert largest <= STEP
    assert total < 1_000_000 + STEP
