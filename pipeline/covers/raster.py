"""Recognises raster images by their bytes and reads the dimensions in their headers. Pure; input is hostile.

Nothing is decoded: every reader takes linear time, and none trusts an offset of the file. SVG and HTML have
no signature here, so they are no images.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

MAX_BYTES = 5_000_000
"""Largest file that is shown, in bytes. Chosen, not measured."""
MAX_PIXELS = 40_000_000
"""Most pixels of an image that is shown: decoded, 160 MB in a browser. Chosen, not measured."""
PIXEL_SIDE = 2
"""An image with a side of so many pixels or fewer is a tracking pixel or a spacer. Chosen, not measured."""
_MAX_STEPS = 50_000
"""Segments, blocks or boxes that are read before the dimensions; real files have a few hundred at most."""
_Size = tuple[int, int]


class Raster(NamedTuple):
    """What the header of an image says."""

    media_type: str
    width: int
    height: int

    @property
    def is_pixel(self) -> bool:
        """Whether it is too small to show anything."""
        return min(self.width, self.height) <= PIXEL_SIDE

    @property
    def is_too_large(self) -> bool:
        """Whether decoding it could exhaust a browser's memory (decompression bomb)."""
        return self.width * self.height > MAX_PIXELS


def read_raster(data: bytes) -> Raster | None:
    """Return the type and dimensions of a PNG, JPEG, GIF, WebP or AVIF; None for anything else.

    None as well where the header is cut off or names no dimensions. Never raises.
    """
    for media_type, recognises, read_size in _FORMATS:
        if not recognises(data):
            continue
        try:
            size = read_size(data)
        except (struct.error, IndexError):  # the data ends within the header
            return None
        return Raster(media_type, *size) if size and min(size) > 0 else None
    return None


def _is_png(data: bytes) -> bool:
    return data.startswith(b"\x89PNG\r\n\x1a\n")


def _png_size(data: bytes) -> _Size | None:
    """Source: https://www.w3.org/TR/png-3/#11IHDR."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    return (width, height) if (length, kind) == (13, b"IHDR") else None


def _is_gif(data: bytes) -> bool:
    return data.startswith((b"GIF87a", b"GIF89a"))


def _gif_size(data: bytes) -> _Size | None:
    """Return the logical screen, enlarged to hold the first frame, as browsers do.

    Source: https://www.w3.org/Graphics/GIF/spec-gif89a.txt, sections 18 to 24.
    """
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _color_table_bytes(flags)
    for _ in range(_MAX_STEPS):
        if data[at] == 0x2C:
            left, top, frame_width, frame_height = struct.unpack_from("<4H", data, at + 1)
            return max(width, left + frame_width), max(height, top + frame_height)
        if data[at] != 0x21:
            return None
        at += 2
        while data[at] and at < len(data):  # the sub-blocks of an extension
            at += 1 + data[at]
        at += 1
    return None


def _color_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _is_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame's header (SOF); the three are tables. Source: ITU-T T.81, table B.1."""
_JPEG_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_JPEG_ENDS = frozenset((0x00, 0xD8, 0xD9, 0xDA))
"""Markers behind which no frame's header can come: data, a second image, the end, a scan."""


def _jpeg_size(data: bytes) -> _Size | None:
    """Skip the segments, among them the previews in EXIF, up to the frame's header.

    Source: ITU-T T.81, annex B. A height of 0, which a later segment gives, is no size.
    """
    at = 2
    for _ in range(_MAX_STEPS):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            at += 2
        elif marker in _JPEG_ENDS:
            return None
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    return None


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _webp_size(data: bytes) -> _Size | None:
    """Source: https://developers.google.com/speed/webp/docs/riff_container, RFC 6386 section 9.1."""
    kind = data[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", data, 24)
        return 1 + low_width + (high_width << 16), 1 + low_height + (high_height << 16)
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _is_avif(data: bytes) -> bool:
    """Tell whether the first box names the brand of AVIF, as its own or as a compatible one."""
    if data[4:8] != b"ftyp":
        return False
    brands = data[8 : min(struct.unpack_from(">I", data)[0], 400)]
    names = {brands[:4], *(brands[at : at + 4] for at in range(8, len(brands), 4))}
    return not names.isdisjoint((b"avif", b"avis"))


def _avif_size(data: bytes) -> _Size | None:
    """Return the largest of the sizes of the images inside: a grid is larger than its tiles.

    Source: https://aomediacodec.github.io/av1-avif, ISO/IEC 23008-12 section 6.5.3 (`ispe`).
    """
    sizes: list[_Size] = []
    for meta in _boxes(data, b"meta", 0, len(data)):
        for properties in _boxes(data, b"iprp", meta[0] + 4, meta[1]):
            for container in _boxes(data, b"ipco", *properties):
                for start, _ in _boxes(data, b"ispe", *container):
                    sizes.append(struct.unpack_from(">II", data, start + 4))
        break  # a second one does not count
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _boxes(data: bytes, kind: bytes, at: int, end: int) -> Iterator[_Size]:
    """Yield start and end of the content of each box of a kind between two positions."""
    for _ in range(_MAX_STEPS):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, at + 8)[0], 16
        behind = at + size if size else end
        if behind < at + header or behind > end:
            return
        if name == kind:
            yield at + header, behind
        at = behind


_FORMATS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], _Size | None]], ...] = (
    ("image/jpeg", _is_jpeg, _jpeg_size),
    ("image/png", _is_png, _png_size),
    ("image/gif", _is_gif, _gif_size),
    ("image/webp", _is_webp, _webp_size),
    ("image/avif", _is_avif, _avif_size),
)
