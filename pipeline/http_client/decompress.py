"""Decodes gzip and deflate bodies in small steps, so that a decompression bomb is stopped early. Pure."""

import struct
import zlib
from collections.abc import Iterator

STEP_BYTES = 65_536
"""Bytes that are decoded in one step. Chosen, not measured."""
MAX_MEMBERS = 1_000
"""Members of one gzip body: 15 MB of empty members would take seconds to decode. Chosen, not measured."""

_GZIP_MAGIC = b"\x1f\x8b"
_TEXT_STARTS = (b"<", b"{", b"[", b" ", b"\t", b"\r", b"\n", b"\xef\xbb", b"\xff\xfe", b"\xfe\xff")
"""First bytes of uncompressed text: markup, JSON, white space or a byte order mark."""


class CorruptBody(ValueError):
    """A body cannot be decoded as its Content-Encoding says."""


class UnexpectedEncoding(ValueError):
    """A body is in an encoding that was not requested."""


class BodyDecoder:
    """Decodes one body by its Content-Encoding: none, gzip, or deflate with or without the zlib header.

    Text that is labelled as gzip is returned as it is. Source: RFC 1952 (gzip), RFC 1950, RFC 1951.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower().removeprefix("x-")
        self._plain = self._encoding in ("", "identity")
        self._buffer = b""
        self._inflater: _Inflater | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of a piece in steps. Raises CorruptBody or UnexpectedEncoding."""
        if self._inflater is None and not self._plain:
            piece = self._buffer = self._buffer + piece
            if len(piece) < 2:
                return
            self._begin(piece)
        if self._inflater is None:
            yield piece
        else:
            yield from self._inflater.feed(piece)

    def end(self) -> None:
        """End the body. Raises CorruptBody where it is truncated."""
        if self._inflater is not None:
            self._inflater.end()
        elif self._buffer and not self._plain:
            raise CorruptBody("truncated")

    def _begin(self, start: bytes) -> None:
        if self._encoding == "deflate":
            framed = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
            self._inflater = _Inflater(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        elif self._encoding != "gzip":
            raise UnexpectedEncoding(self._encoding)
        elif start.startswith(_GZIP_MAGIC):
            self._inflater = _Inflater(zlib.MAX_WBITS | 16, members=MAX_MEMBERS)
        elif start.startswith(_TEXT_STARTS):
            self._plain = True
        else:
            raise CorruptBody("no gzip")


class _Inflater:
    """Inflates a stream; for gzip up to `members` members."""

    def __init__(self, window: int, members: int = 0) -> None:
        self._window = window
        self._members = members
        self._unread = b""
        self._finished = False
        self._open()

    def _open(self) -> None:
        self._stream = zlib.decompressobj(self._window)
        self._members -= 1
        self._crc = self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the inflated bytes of a piece, STEP_BYTES at a time. Raises CorruptBody."""
        piece, self._unread = self._unread + piece, b""
        while piece and not self._finished:
            if self._stream.eof:
                piece = self._next_member(piece)
                continue
            yield from self._inflate(piece)
            piece = self._stream.unused_data

    def _inflate(self, piece: bytes) -> Iterator[bytes]:
        """Yield the bytes of one member; zlib keeps what is more than a step."""
        full = True
        while (piece or full) and not self._stream.eof:
            try:
                decoded = self._stream.decompress(piece, STEP_BYTES)
            except zlib.error as error:
                raise CorruptBody(str(error)) from error
            self._crc = zlib.crc32(decoded, self._crc)
            self._size += len(decoded)
            if decoded:
                yield decoded
            piece, full = self._stream.unconsumed_tail, len(decoded) == STEP_BYTES

    def _next_member(self, piece: bytes) -> bytes:
        """Start the next gzip member; anything else after a member is ignored as padding."""
        if self._members < 0 or not (piece.startswith(_GZIP_MAGIC) or piece == _GZIP_MAGIC[:1]):
            self._finished = True
        elif len(piece) < len(_GZIP_MAGIC):
            self._unread = piece
            return b""
        elif self._members == 0:
            raise CorruptBody("too many members")
        else:
            self._open()
        return piece

    def end(self) -> None:
        """Raise CorruptBody where more than the gzip trailer is missing."""
        gzip = self._window > zlib.MAX_WBITS
        if not self._stream.eof and not (gzip and self._only_trailer_missing()):
            raise CorruptBody("truncated")

    def _only_trailer_missing(self) -> bool:
        """Tell whether only (part of) the gzip trailer is missing: checksum and length."""
        trailer = struct.pack("<II", self._crc, self._size % 2**32)
        return any(self._ends_with(trailer[-missing:]) for missing in range(1, 1 + len(trailer)))

    def _ends_with(self, rest: bytes) -> bool:
        trial = self._stream.copy()
        try:
            return not trial.decompress(rest) and trial.eof
        except zlib.error:
            return False
