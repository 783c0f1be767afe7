"""Blocks: runs of whole lines of COPY text, as they go from a side to whoever compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Block = bytes | bytearray | memoryview

BLOCK_BYTES = 1 << 20


def read_blocks(read: Callable[[int], bytes], size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Cut a byte stream into blocks of whole lines.

    A last line without a line feed is yielded as it is.

    Args:
        read: returns up to n bytes, and b"" at the end.
        size: bytes to ask for at a time; a longer line makes a longer block.
    """
    rest: list[bytes] = []
    while chunk := read(size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest.append(chunk)
            continue
        rest.append(chunk[:cut])
        yield b"".join(rest)
        rest = []
        if cut < len(chunk):
            rest.append(chunk[cut:])
    if last := b"".join(rest):
        yield last
