"""Bytes looked at all at once: what Python's own methods take several times as long for."""

from __future__ import annotations

import numpy as np

from forensics.evidence.blocks import Block

WORD = 8
_LINE_FEED = 10
_PIECE = 1 << 17  # as much as is worked on without new memory of the system's


def count_lines(block: Block) -> int:
    """Count the line feeds of a block; bytes.count takes four times as long."""
    data = np.frombuffer(block, dtype=np.uint8)
    lines = 0
    for start in range(0, len(data), _PIECE):
        lines += int(np.count_nonzero(data[start : start + _PIECE] == _LINE_FEED))
    return lines


def words(text: Block | np.ndarray, start: int = 0, kind: str = "<u8") -> np.ndarray:
    """The eight bytes from each place of a text on, as numbers, from `start` on.

    Args:
        kind: how the bytes of a number stand: ">u8" sorts as the text does.
    """
    return np.ndarray((len(text) - WORD + 1 - start,), kind, text, start, (1,))
