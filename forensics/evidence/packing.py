"""Compressed bytes unpacked as they stream, as far as they go: what can be unpacked before damage comes out first."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import lz4.frame
import zstandard
from isal import isal_zlib

_PIECE = 1 << 20  # bytes of unpacked data at a time
_LONGEST_END = 64  # more zeros than a stream, with its checksum and size, can end with
_ZSTD_STEP = (
    1 << 13
)  # zstandard cannot bound its output: this bounds it to 128 MB for the worst that can be made


def unpack(
    pieces: Iterable[bytes], compression: str | None, damaged: Callable[[str], Exception]
) -> Iterator[bytes]:
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
    if compression == "lz4":
        return _unlz4(pieces, damaged)
    if compression in _STANDARD:
        return _unpack_standard(pieces, compression, damaged)
    return _inflate(pieces, 15 if compression == "gzip" else 31, damaged)


def _text(pieces: Iterable[bytes], damaged: Callable[[str], Exception]) -> Iterator[bytes]:
    # No text of PostgreSQL holds a NUL. A lost sector does, and so does a block's header that is taken for data
    # because the length before it is corrupt.
    for piece in pieces:
        whole = piece.find(0)
        if whole < 0:
            yield piece
            continue
        if whole:
            yield piece[:whole]
        raise damaged("a NUL stands in its text")


def _inflate(
    pieces: Iterable[bytes], window: int, damaged: Callable[[str], Exception]
) -> Iterator[bytes]:
    # isal checks the Adler-32 or CRC-32 at the stream's end.
    inflater = isal_zlib.decompressobj(wbits=window)
    # Where the end of a file was never written it holds zeros, and they inflate to something. So zeros at the end of
    # what there is are held back until more follows; at the very end they count only if the stream ends with them.
    zeros = 0

    def inflated(piece: bytes) -> Iterator[bytes]:
        nonlocal inflater
        while piece:
            if inflater.eof:
                if window == 15:
                    raise damaged("bytes follow the end of its zlib stream")
                inflater = isal_zlib.decompressobj(
                    wbits=window
                )  # gzip files may be strung together
            try:
                out = inflater.decompress(piece, _PIECE)
            except isal_zlib.error as error:
                raise damaged(f"its gzip data do not unpack ({error})") from error
            piece = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            if out:
                yield out

    for piece in pieces:
        body = piece.rstrip(b"\0")
        if body:
            while zeros:
                some = min(zeros, _PIECE)
                zeros -= some
                yield from inflated(bytes(some))
            yield from inflated(body)
        zeros += len(piece) - len(body)
    last = [
        out for _ in range(min(zeros, _LONGEST_END)) if not inflater.eof for out in inflated(b"\0")
    ]
    if not inflater.eof:
        raise damaged("its gzip data have no end")
    yield from last


def _unlz4(pieces: Iterable[bytes], damaged: Callable[[str], Exception]) -> Iterator[bytes]:
    reader = lz4.frame.LZ4FrameDecompressor()
    for piece in pieces:
        while piece or not (reader.needs_input or reader.eof):
            if reader.eof:
                reader = lz4.frame.LZ4FrameDecompressor()
            try:
                out = reader.decompress(piece, _PIECE)
            except (RuntimeError, EOFError) as error:
                raise damaged(f"its lz4 data do not unpack ({error})") from error
            piece = (reader.unused_data or b"") if reader.eof else b""
            if out:
                yield out
    if not reader.eof:
        raise damaged("its lz4 data have no end")


def _unzstd(pieces: Iterable[bytes], damaged: Callable[[str], Exception]) -> Iterator[bytes]:
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
                step = reader.unused_data if reader.eof else b""
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


_STANDARD: dict[str, Callable[[], Any]] = {
    "xz": lzma.LZMADecompressor,
    "bzip2": bz2.BZ2Decompressor,
}


def _unpack_standard(
    pieces: Iterable[bytes], compression: str, damaged: Callable[[str], Exception]
) -> Iterator[bytes]:
    reader = _STANDARD[compression]()
    for piece in pieces:
        while piece or not (reader.needs_input or reader.eof):
            if reader.eof:
                reader = _STANDARD[compression]()
            try:
                out = reader.decompress(piece, _PIECE)
            except (lzma.LZMAError, OSError, EOFError) as error:
                raise damaged(f"its {compression} data do not unpack ({error})") from error
            piece = reader.unused_data if reader.eof else b""
            if out:
                yield out
    if not reader.eof:
        raise damaged(f"its {compression} data have no end")
