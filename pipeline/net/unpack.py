"""Decodes a body in small steps: a small archive of a huge file is stopped while it is small. Pure."""

import zlib
from collections.abc import Iterator
from functools import partial

STEP = 65_536
"""Bytes that are decoded at one time."""
_GZIP = b"\x1f\x8b"
_PLAIN = (b"<", b"{", b"[", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Broken(ValueError):
    """A body is not what its Content-Encoding says."""


class Unpacker:
    """Decodes gzip (of one member or several) and deflate (with or without zlib's frame).

    Servers that announce gzip and send text are taken by the text. Sources: RFC 1952, RFC 1950, RFC 1951.
    """

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding in ("gzip", "x-gzip")
        self._start = b""
        self._plain = False
        self._decoder: zlib._Decompress | None = None
        self._done = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what a piece of the body decodes to, at most STEP bytes at a time. Raises Broken."""
        if self._plain:
            yield piece
            return
        if self._decoder is None:
            self._start += piece
            if len(self._start) < 2:
                return
            piece, self._start = self._start, b""
            self._begin(piece)
        if self._plain:
            yield piece
        else:
            yield from self._decoded(piece)

    def end(self) -> None:
        """Say that the body is over. Raises Broken where it should go on."""
        if self._start or (self._decoder is not None and not self._decoder.eof and not self._plain):
            raise Broken("cut off")

    def _begin(self, piece: bytes) -> None:
        if self._gzip and not piece.startswith(_GZIP):
            if not piece.lstrip(b" \t\r\n").startswith(_PLAIN):
                raise Broken("no gzip")
            self._plain = True
            return
        self._decoder = self._new(piece)

    def _new(self, piece: bytes) -> "zlib._Decompress":
        if self._gzip:
            return zlib.decompressobj(zlib.MAX_WBITS | 16)
        framed = piece[0] & 0x0F == 8 and int.from_bytes(piece[:2], "big") % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)

    def _decoded(self, piece: bytes) -> Iterator[bytes]:
        while piece and not self._done and self._decoder is not None:
            try:
                found = self._decoder.decompress(piece, STEP)
            except zlib.error as error:
                raise Broken(str(error)) from error
            if found:
                yield found
            piece = self._decoder.unconsumed_tail
            if self._decoder.eof:
                piece = self._next_member(self._decoder.unused_data)
            elif not piece and len(found) == STEP:  # it may hold back more than it has input for
                yield from iter(partial(self._decoder.decompress, b"", STEP), b"")

    def _next_member(self, left: bytes) -> bytes:
        """Go on with another member of a gzip file; whatever else follows is padding."""
        if self._gzip and left.startswith(_GZIP):
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return left
        self._done = True
        return b""
