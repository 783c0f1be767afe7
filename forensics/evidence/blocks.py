"""Blocks: runs of whole lines of COPY text, as they go from a side to whoever compares.

A row is held whole, and some kilobytes can unpack to one without an end: how long one may be is
bounded, and nothing beyond that is gathered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from forensics.errors import BackupError, UsageError
from forensics.model import MAX_ROW

Block = bytes | bytearray | memoryview

BLOCK_BYTES = 1 << 20
_SIZE = re.compile(r"\s*(\d+)\s*(?:([kmg])i?)?b?\s*", re.I)
_FACTORS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class LongRowError(BackupError):
    """A row is longer than is allowed. Whoever knows its table says so in words.

    Attributes:
        at: where in the stream it begins.
        size: how many bytes of it were found so far.
    """

    def __init__(self, at: int, size: int) -> None:
        super().__init__(f"A row that begins at byte {at} is longer than is allowed.")
        self.at = at
        self.size = size


def row_limit(text: str) -> int:
    """Return how many bytes a row may have, from a size as people write it.

    Args:
        text: a number with or without a unit: B, kB, MB or GB, each 1024 of the one before, as
            PostgreSQL reads them.

    Raises:
        UsageError: it is no size.
    """
    found = _SIZE.fullmatch(text)
    bytes_ = 0
    if found:
        bytes_ = int(found[1]) * _FACTORS.get((found[2] or "").lower(), 1)
    if not bytes_:
        raise UsageError(
            f"--max-row {text} is no size of a row.",
            f"Write a number with a unit: {MAX_ROW}, for instance.",
        )
    return bytes_


def read_blocks(
    read: Callable[[int], bytes], size: int = BLOCK_BYTES, max_row: int | None = None
) -> Iterator[bytes]:
    """Cut a byte stream into blocks of whole lines.

    A last line without a line feed is yielded as it is.

    Args:
        read: returns up to n bytes, and b"" at the end.
        size: bytes to ask for at a time; a longer line makes a longer block.
        max_row: how long a line may be, its line feed included; None is without limit.

    Raises:
        LongRowError: a line is longer; the whole lines before it have been yielded.
    """
    rest: list[bytes] = []
    held = at = 0
    for chunk in _pieces(read, size, max_row):
        if max_row is not None and held + len(chunk) > max_row:
            found = held + (chunk.find(b"\n") + 1 or len(chunk))
            if found > max_row:
                raise LongRowError(at, found)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest.append(chunk)
            held += len(chunk)
            continue
        rest.append(chunk[:cut])
        at += held + cut
        yield b"".join(rest)
        rest = []
        held = len(chunk) - cut
        if held:
            rest.append(chunk[cut:])
    if last := b"".join(rest):
        yield last


def _pieces(read: Callable[[int], bytes], size: int, max_row: int | None) -> Iterator[bytes]:
    """Yield what is read in pieces of which none is longer than a row may be."""
    while chunk := read(size):
        step = max_row or len(chunk)
        if len(chunk) <= step:
            yield chunk
            continue
        for start in range(0, len(chunk), step):
            yield chunk[start : start + step]
