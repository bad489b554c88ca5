"""Images are recognised by their bytes; hostile headers end in no image, never in an exception or a wait."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.covers.raster import MAX_PIXELS, Raster, read_raster
from tests.fakes.images import avif, gif, jpeg, png, webp
from tests.lengths import lengths

FORMATS: dict[str, Callable[[int, int], bytes]] = {
    "image/png": png,
    "image/gif": gif,
    "image/jpeg": jpeg,
    "image/webp": webp,
    "image/avif": avif,
}


@pytest.mark.parametrize("media_type", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (480, 320), (1080, 16_000)])
def test_a_header_gives_type_and_dimensions(media_type: str, size: tuple[int, int]) -> None:
    assert read_raster(FORMATS[media_type](*size)) == Raster(media_type, *size)


@pytest.mark.parametrize("kind", [b"VP8L", b"VP8X"])
def test_every_kind_of_webp_is_read(kind: bytes) -> None:
    assert read_raster(webp(700, 500, kind)) == Raster("image/webp", 700, 500)


def test_progressive_jpegs_fill_bytes_and_restart_markers_are_read() -> None:
    whole = jpeg(700, 500, marker=0xC2)
    assert read_raster(whole) == Raster("image/jpeg", 700, 500)
    assert read_raster(b"\xff\xd8\xff\xff\xff\x01\xff\xd0" + whole[2:]) == Raster("image/jpeg", 700, 500)


def test_a_gifs_first_frame_enlarges_its_screen() -> None:
    assert read_raster(gif(1, 1, (10, 20, 300, 200))) == Raster("image/gif", 310, 220)
    assert read_raster(gif(600, 400, (0, 0, 5, 5))) == Raster("image/gif", 600, 400)


def test_a_box_with_a_long_size_and_one_to_the_end_are_read() -> None:
    plain = avif(700, 500)
    at = plain.index(b"meta") - 4
    size = struct.unpack_from(">I", plain, at)[0]
    content = plain[at + 8 : at + size]
    long = struct.pack(">I4sQ", 1, b"meta", len(content) + 16) + content
    for rest in (long, struct.pack(">I4s", 0, b"meta") + content):
        assert read_raster(plain[:at] + rest) == Raster("image/avif", 700, 500)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89",
        b"BM" + bytes(60),
        b"\0\0\1\0\1\0" + bytes(60),
        b"II*\0" + bytes(60),
        b"%PDF-1.7",
        b" " + png(),
        b"\xff\xd8\xff\xda\0\x0c",
        jpeg(480, 0),
        png(0, 5),
        avif(brand=b"heic"),
        webp().replace(b"VP8 ", b"ALPH"),
        png().replace(b"IHDR", b"IDAT"),
    ],
)
def test_anything_else_is_no_image(data: bytes) -> None:
    assert read_raster(data) is None


@pytest.mark.parametrize("media_type", FORMATS)
def test_a_header_that_is_cut_off_is_no_image(media_type: str) -> None:
    whole = FORMATS[media_type](480, 320)
    least = next(end for end in range(len(whole) + 1) if read_raster(whole[:end]))
    assert least > 16
    for end in range(least, len(whole)):
        assert read_raster(whole[:end]) in (Raster(media_type, 480, 320), None)
    assert all(read_raster(whole[:end]) is None for end in range(least))


@pytest.mark.parametrize(
    "data", [png(50_000, 50_000), webp(2**24, 2**24, b"VP8X"), gif(9_000, 9_000), avif(2**32 - 1, 1)]
)
def test_dimensions_of_a_bomb_are_too_large(data: bytes) -> None:
    raster = read_raster(data)
    assert raster is not None
    assert raster.is_too_large


def test_the_limits_are_inclusive() -> None:
    assert not Raster("image/png", MAX_PIXELS, 1).is_too_large
    assert Raster("image/png", MAX_PIXELS + 1, 1).is_too_large
    assert Raster("image/gif", 600, 2).is_pixel
    assert not Raster("image/gif", 3, 3).is_pixel


@given(st.binary(max_size=200), st.sampled_from(sorted(FORMATS)), st.integers(0, 80))
def test_hostile_bytes_behind_a_signature_raise_nothing(noise: bytes, media_type: str, at: int) -> None:
    whole = FORMATS[media_type](480, 320)
    raster = read_raster(whole[:at] + noise + whole[at + len(noise) // 2 :])
    assert raster is None or (raster.media_type in FORMATS and min(raster.width, raster.height) > 0)


@given(st.binary(max_size=100))
def test_any_bytes_raise_nothing(data: bytes) -> None:
    for signature in (b"", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypavif"):
        read_raster(signature + data)


@pytest.mark.parametrize("count", lengths(4_500_000))
def test_five_megabytes_of_tiny_pieces_end(count: int) -> None:
    assert read_raster(b"\xff\xd8" + b"\xff" * count) is None
    assert read_raster(gif()[:25] + b"\x21\xfe" + b"\x01x" * (count // 2)) is None
    assert read_raster(avif()[:28] + b"\0\0\0\x08free" * (count // 8)) is None
