"""Compressed bytes unpacked as they stream, as far as they go.

What can be unpacked before damage comes out first.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import lz4.frame
import zstandard
from isal import isal_zlib

_PIECE = 1 << 20  # bytes of unpacked data at a time
_LONGEST_END = 64  # more zeros than a stream, with its checksum and size, can end with
# zstandard cannot bound its output: this bounds it to 128 MB for the worst that can be made.
_ZSTD_STEP = 1 << 13
_ZLIB, _GZIP = 15, 31  # zlib's names for the two wrappings: its window's bits, plus 16 for gzip

_Damaged = Callable[[str], Exception]


def unpack(pieces: Iterable[bytes], compression: str | None, damaged: _Damaged) -> Iterator[bytes]:
    """Yield what compressed pieces unpack to, in pieces of about a megabyte, none empty.

    Args:
        pieces: the compressed bytes.
        compression: "gzip" (a zlib stream), "gzip file", "lz4", "zstd", "xz", "bzip2", or None.
        damaged: makes the error to raise.
    """
    if compression is None:
        return _text(pieces, damaged)
    if compression == "zstd":
        return _gathered(_unzstd(pieces, damaged))
    if compression in _DECOMPRESSORS:
        return _decompressed(pieces, compression, damaged)
    if compression == "gzip":
        return _inflated(pieces, _Inflater(_ZLIB, damaged), damaged)
    return _inflated(pieces, _Inflater(_GZIP, damaged), damaged)


def _text(pieces: Iterable[bytes], damaged: _Damaged) -> Iterator[bytes]:
    # No text of PostgreSQL holds a NUL. A lost sector does, and so does a block's header that is
    # taken for data because the length before it is corrupt.
    for piece in pieces:
        whole = piece.find(0)
        if whole < 0:
            yield piece
            continue
        if whole:
            yield piece[:whole]
        raise damaged("a NUL stands in its text")


# --- gzip and zlib --------------------------------------------------------------------------------


class _Inflater:
    """A gzip file, or a zlib stream, inflated; isal checks the checksum at its end."""

    def __init__(self, window: int, damaged: _Damaged) -> None:
        self._window = window
        self._damaged = damaged
        self._stream = isal_zlib.decompressobj(wbits=window)

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof)

    def inflate(self, piece: bytes) -> Iterator[bytes]:
        held = False  # whether more may come of what the stream has taken already
        while piece or held:
            if self._stream.eof:
                self._begin_again()
            try:
                out = self._stream.decompress(piece, _PIECE)
            except isal_zlib.error as error:
                raise self._damaged(f"its gzip data do not unpack ({error})") from error
            piece = self._stream.unconsumed_tail
            held = len(out) == _PIECE
            if self._stream.eof:
                piece, held = self._stream.unused_data, False
            if out:
                yield out

    def _begin_again(self) -> None:
        # gzip files may be strung together; zlib streams are not.
        if self._window == _ZLIB:
            raise self._damaged("bytes follow the end of its zlib stream")
        self._stream = isal_zlib.decompressobj(wbits=self._window)


def _inflated(pieces: Iterable[bytes], inflater: _Inflater, damaged: _Damaged) -> Iterator[bytes]:
    # Where the end of a file was never written it holds zeros, and they inflate to something. So
    # zeros at the end of what there is are held back until more follows; at the very end they
    # count only if the stream ends with them.
    zeros = 0
    for piece in pieces:
        body = piece.rstrip(b"\0")
        if body:
            while zeros:
                some = min(zeros, _PIECE)
                zeros -= some
                yield from inflater.inflate(bytes(some))
            yield from inflater.inflate(body)
        zeros += len(piece) - len(body)
    last: list[bytes] = []
    for _ in range(min(zeros, _LONGEST_END)):
        if not inflater.ended:
            last.extend(inflater.inflate(b"\0"))
    if not inflater.ended:
        raise damaged("its gzip data have no end")
    yield from last


# --- lz4, xz and bzip2 ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Decompressor:
    """What unpacks one stream, and what it raises where it cannot."""

    opens: Callable[[], Any]
    errors: tuple[type[Exception], ...]


_DECOMPRESSORS = {
    "lz4": _Decompressor(lz4.frame.LZ4FrameDecompressor, (RuntimeError, EOFError)),
    "xz": _Decompressor(lzma.LZMADecompressor, (lzma.LZMAError, OSError, EOFError)),
    "bzip2": _Decompressor(bz2.BZ2Decompressor, (OSError, EOFError)),
}


def _decompressed(pieces: Iterable[bytes], compression: str, damaged: _Damaged) -> Iterator[bytes]:
    kind = _DECOMPRESSORS[compression]
    reader = kind.opens()
    for piece in pieces:
        while piece or not (reader.needs_input or reader.eof):
            if reader.eof:
                reader = kind.opens()
            try:
                out = reader.decompress(piece, _PIECE)
            except kind.errors as error:
                raise damaged(f"its {compression} data do not unpack ({error})") from error
            piece = b""
            if reader.eof:
                piece = reader.unused_data or b""
            if out:
                yield out
    if not reader.eof:
        raise damaged(f"its {compression} data have no end")


# --- zstd -----------------------------------------------------------------------------------------


def _unzstd(pieces: Iterable[bytes], damaged: _Damaged) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().decompressobj()
    for piece in pieces:
        for at in range(0, len(piece), _ZSTD_STEP):
            step = piece[at : at + _ZSTD_STEP]
            while step:
                if reader.eof:
                    reader = zstandard.ZstdDecompressor().decompressobj()
                try:
                    out = reader.decompress(step)
                except (zstandard.ZstdError, MemoryError) as error:
                    raise damaged(f"its zstd data do not unpack ({error})") from error
                step = b""
                if reader.eof:
                    step = reader.unused_data
                if out:
                    yield out
    if not reader.eof:
        raise damaged("its zstd data have no end")


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            parts.append(piece)
            size += len(piece)
            if size >= _PIECE:
                yield b"".join(parts)
                parts, size = [], 0
    except Exception:  # whatever `damaged` makes: what came before it comes out first
        if parts:
            yield b"".join(parts)
        raise
    if parts:
        yield b"".join(parts)
