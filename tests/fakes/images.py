"""Images of every format as their headers have them; `png` is a whole one that a browser shows."""

import struct
import zlib


def png(width: int = 480, height: int = 320, color: tuple[int, int, int] = (60, 110, 150)) -> bytes:
    """Return a whole PNG of one colour."""
    rows = (b"\0" + bytes(color) * width) * height if width * height < 1_000_000 else b""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, data = chunk
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif(width: int = 480, height: int = 320, frame: tuple[int, int, int, int] | None = None) -> bytes:
    """Return a GIF with a colour table, two extensions and a frame, by default as large as the screen."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x81, 0, 0) + bytes(12)
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    control = b"\x21\xf9\x04\0\0\0\0\0"
    descriptor = b"\x2c" + struct.pack("<4HB", *(frame or (0, 0, width, height)), 0)
    return screen + loop + control + descriptor + b"\x02\x02\x4c\x01\0\x3b"


def jpeg(width: int = 480, height: int = 320, marker: int = 0xC0) -> bytes:
    """Return the headers of a JPEG; its EXIF has a preview, whose size is not that of the image."""
    preview = b"Exif\0\0" + b"\xff\xd8\xff\xc0\0\x11\x08\0\x50\0\x50" + bytes(20)
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    segments = ((0xE0, b"JFIF\0" + bytes(9)), (0xE1, preview), (0xDB, bytes(65)), (marker, frame))
    written = (bytes((0xFF, kind)) + struct.pack(">H", len(data) + 2) + data for kind, data in segments)
    return b"\xff\xd8" + b"".join(written) + b"\xff\xda\0\x0c\xff\xd9"


def webp(width: int = 480, height: int = 320, kind: bytes = b"VP8 ") -> bytes:
    """Return the headers of a WebP: lossy (`VP8 `), lossless (`VP8L`) or extended (`VP8X`)."""
    content = {
        b"VP8 ": b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width & 0x3FFF, height & 0x3FFF),
        b"VP8L": b"\x2f" + struct.pack("<I", (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14),
        b"VP8X": bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3],
    }[kind]
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def avif(width: int = 480, height: int = 320, brand: bytes = b"avif") -> bytes:
    """Return the boxes of an AVIF: a grid, with the size of its tiles first."""
    tile = min(width, 8), min(height, 8)
    sizes = b"".join(_box(b"ispe", bytes(4) + struct.pack(">II", *size)) for size in (tile, (width, height)))
    properties = _box(b"iprp", _box(b"ipco", _box(b"pixi", bytes(8)) + sizes))
    meta = _box(b"meta", bytes(4) + _box(b"hdlr", bytes(24)) + properties)
    brands = _box(b"ftyp", b"mif1" + bytes(4) + b"miaf" + brand)
    return brands + _box(b"free", b"") + meta + _box(b"mdat", bytes(9))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
