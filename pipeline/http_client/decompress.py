"""Decodes gzip and deflate bodies in small steps, so that a decompression bomb is stopped early. Pure."""

import codecs
import struct
import zlib
from collections.abc import Iterator

STEP_BYTES = 65_536
"""Bytes that are decoded in one step. Chosen, not measured."""
MAX_MEMBERS = 1_000
"""Members of one gzip body: 15 MB of empty members would take seconds to decode. Chosen, not measured."""

MAX_LAYERS = 3
"""Times that one body may be gzip within gzip. Chosen, not measured."""
MAX_PACKED_BYTES = 30_000_000
"""Bytes of gzip within gzip that are decoded. Chosen, not measured."""

_CHARSETS = frozenset(
    ("utf-8", "ascii", "utf-16", "iso8859-1", "cp1252", "gb18030", "gbk", "big5", "shift_jis")
)
"""Charsets, by Python's names, that servers write into Content-Encoding by mistake."""
_GZIP_MAGIC = b"\x1f\x8b"
_TEXT_STARTS = (b"<", b"{", b"[", b" ", b"\t", b"\r", b"\n", b"\xef\xbb", b"\xff\xfe", b"\xfe\xff")
"""First bytes of uncompressed text: markup, JSON, white space or a byte order mark."""
_SAMPLE_BYTES = 64
"""Bytes that show whether a body is text. Compressed ones have a control character among so many."""
_CONTROL = frozenset(range(32)) - frozenset(b"\t\r\n")


class CorruptBody(ValueError):
    """A body cannot be decoded as its Content-Encoding says."""


class UnexpectedEncoding(ValueError):
    """A body is in an encoding that was not requested."""


class BodyDecoder:
    """Decodes one body by its Content-Encoding: none, gzip, or deflate with or without the zlib header.

    The bytes count more than the header: gzip is decoded without one too, and within gzip, up to `layers`
    times, gzip and zlib also where each is labelled as the other; text is returned as it is, whatever its
    label. Source: RFC 1952 (gzip), RFC 1950, RFC 1951.
    """

    def __init__(self, encoding: str, layers: int = MAX_LAYERS) -> None:
        self._encoding = _applied(encoding)
        self._layers = layers
        self._is_plain = False
        self._buffer = b""
        self._inflater: _Inflater | None = None
        self._within: BodyDecoder | None = None
        self._inflated = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of a piece in steps. Raises CorruptBody or UnexpectedEncoding."""
        if self._inflater is None and not self._is_plain:
            piece = self._buffer = self._buffer + piece
            if len(piece) < 2 and (self._encoding or piece in (b"", _GZIP_MAGIC[:1])):
                return
            self._begin(piece)
        if self._inflater is None:
            yield piece
            return
        for chunk in self._inflater.feed(piece):
            yield from self._unpack(chunk)

    def end(self) -> None:
        """End the body. Raises CorruptBody where it is truncated."""
        if self._inflater is None:
            if self._buffer and not self._is_plain:
                raise CorruptBody("truncated")
            return
        self._inflater.end()
        if self._within is not None:
            self._within.end()

    def _begin(self, start: bytes) -> None:
        labelled, asked_for = self._encoding, self._encoding in ("", "gzip", "deflate")
        framed = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
        if asked_for and self._layers and start.startswith(_GZIP_MAGIC):
            self._inflater = _Inflater(zlib.MAX_WBITS | 16, members=MAX_MEMBERS)
        elif not labelled or (labelled == "gzip" and start.startswith(_TEXT_STARTS)) or _is_text(start):
            self._is_plain = True
        elif asked_for and framed:
            self._inflater = _Inflater(zlib.MAX_WBITS)
        elif labelled == "deflate":
            self._inflater = _Inflater(-zlib.MAX_WBITS)
        elif asked_for:
            raise CorruptBody("no gzip")
        else:
            raise UnexpectedEncoding(labelled)

    def _unpack(self, chunk: bytes) -> Iterator[bytes]:
        """Yield inflated bytes, decoded once more if they are gzip."""
        if self._within is None:
            self._within = BodyDecoder("", self._layers - 1)
        self._inflated += len(chunk)
        if self._within.is_packed and self._inflated > MAX_PACKED_BYTES:
            raise CorruptBody("too large within")
        yield from self._within.feed(chunk)

    @property
    def is_packed(self) -> bool:
        """Return whether the body was gzip or deflate, as far as it is known."""
        return self._inflater is not None


def _is_text(start: bytes) -> bool:
    sample = start[:_SAMPLE_BYTES]
    return len(sample) == _SAMPLE_BYTES and sample.startswith(_TEXT_STARTS) and _CONTROL.isdisjoint(sample)


def _applied(encoding: str) -> str:
    """Return the one encoding of a header, "" for none, else the whole header."""
    names = [name.strip().lower().removeprefix("x-") for name in encoding.split(",")]
    applied = {name for name in names if name not in ("", "identity", "none") and not _is_charset(name)}
    return applied.pop() if len(applied) == 1 else "" if not applied else encoding.strip().lower()


def _is_charset(name: str) -> bool:
    try:
        return codecs.lookup(name).name in _CHARSETS or name.startswith(("iso-8859-", "windows-"))
    except (LookupError, ValueError):
        return False


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
