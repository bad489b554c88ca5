"""Decodes a body in small steps: a small archive of a huge file is stopped while it is small. Pure."""

import struct
import zlib
from collections.abc import Iterator

STEP = 65_536
"""Bytes that are decoded at one time."""
MAX_MEMBERS = 1_000
"""Members of one gzip body: 15 MB of empty ones would keep the decoder busy for seconds."""

_GZIP = b"\x1f\x8b"
_TEXT = (b"<", b"{", b"[", b" ", b"\t", b"\r", b"\n", b"\xef\xbb", b"\xff\xfe", b"\xfe\xff")
"""How text begins that was announced as gzip: markup, JSON, space or a byte order mark."""


class CorruptBody(ValueError):
    """A body is not what its Content-Encoding says."""


class UnexpectedEncoding(ValueError):
    """A body is in an encoding that was not asked for."""


class BodyDecoder:
    """Decodes one body by its Content-Encoding: none, gzip, or deflate with or without zlib's frame.

    Servers that announce gzip and send text are taken by the text. Sources: RFC 1952, RFC 1950, RFC 1951.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower().removeprefix("x-")
        self._plain = self._encoding in ("", "identity")
        self._held = b""
        self._inflater: _Inflater | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body decodes to, STEP bytes at a time. Raises Broken or Unasked."""
        if self._inflater is None and not self._plain:
            piece = self._held = self._held + piece
            if len(piece) < 2:
                return
            self._begin(piece)
        if self._inflater is None:
            yield piece
        else:
            yield from self._inflater.feed(piece)

    def end(self) -> None:
        """Say that the body is over. Raises Broken where it should go on."""
        if self._inflater is not None:
            self._inflater.end()
        elif self._held and not self._plain:
            raise CorruptBody("cut off")

    def _begin(self, start: bytes) -> None:
        if self._encoding == "deflate":
            framed = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
            self._inflater = _Inflater(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        elif self._encoding != "gzip":
            raise UnexpectedEncoding(self._encoding)
        elif start.startswith(_GZIP):
            self._inflater = _Inflater(zlib.MAX_WBITS | 16, members=MAX_MEMBERS)
        elif start.startswith(_TEXT):
            self._plain = True
        else:
            raise CorruptBody("no gzip")


class _Inflater:
    """Inflates a stream; of gzip up to so many members, one after another."""

    def __init__(self, window: int, members: int = 0) -> None:
        self._window = window
        self._members = members
        self._left = b""
        self._over = False
        self._open()

    def _open(self) -> None:
        self._stream = zlib.decompressobj(self._window)
        self._members -= 1
        self._crc = self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece inflates to, STEP bytes at a time. Raises Broken."""
        piece, self._left = self._left + piece, b""
        while piece and not self._over:
            if self._stream.eof:
                piece = self._next_member(piece)
                continue
            yield from self._inflated(piece)
            piece = self._stream.unused_data

    def _inflated(self, piece: bytes) -> Iterator[bytes]:
        """Yield from one member; zlib holds back what is more than a step."""
        full = True
        while (piece or full) and not self._stream.eof:
            try:
                found = self._stream.decompress(piece, STEP)
            except zlib.error as error:
                raise CorruptBody(str(error)) from error
            self._crc = zlib.crc32(found, self._crc)
            self._size += len(found)
            if found:
                yield found
            piece, full = self._stream.unconsumed_tail, len(found) == STEP

    def _next_member(self, piece: bytes) -> bytes:
        """Go on with another member of a gzip body; whatever else follows is padding."""
        if self._members < 0 or not (piece.startswith(_GZIP) or piece == _GZIP[:1]):
            self._over = True
        elif len(piece) < len(_GZIP):
            self._left = piece
            return b""
        elif self._members == 0:
            raise CorruptBody("too many members")
        else:
            self._open()
        return piece

    def end(self) -> None:
        """Raise Broken where more than the checksum is missing."""
        gzip = self._window > zlib.MAX_WBITS
        if not self._stream.eof and not (gzip and self._only_trailer_missing()):
            raise CorruptBody("cut off")

    def _only_trailer_missing(self) -> bool:
        """Tell whether the body is whole and only (part of) gzip's own checksum and length is cut off."""
        trailer = struct.pack("<II", self._crc, self._size % 2**32)
        return any(self._ends_with(trailer[-missing:]) for missing in range(1, 1 + len(trailer)))

    def _ends_with(self, rest: bytes) -> bool:
        trial = self._stream.copy()
        try:
            return not trial.decompress(rest) and trial.eof
        except zlib.error:
            return False
