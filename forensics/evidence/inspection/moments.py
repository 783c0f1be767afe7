"""When rows were written, as their audit columns say: the latest of a block, found at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from forensics.evidence.bytewise import WORD, words

_TAB, _LINE_FEED = 9, 10
_LENGTH = 19  # of a moment to the second
# Text of four-digit years sorts as the time does; infinity and BC are no time that anything was
# written at.
_PLAUSIBLE = re.compile(rb"[12]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d")
_TRIES = 20


def latest_moment(text: bytes, width: int, places: Sequence[int]) -> str | None:
    """Return the latest time, to the second, that stands at some places of rows, or None.

    Args:
        text: rows that have as many fields as they ought to.
        width: how many that are.
        places: of columns that hold moments.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero((data == _TAB) | (data == _LINE_FEED)).reshape(-1, width)
    begins = np.concatenate(([0], ends[:-1, -1] + 1))
    padded = text + bytes(_LENGTH + WORD)
    found = []
    for place in places:
        starts = begins if place == 0 else ends[:, place - 1] + 1
        starts = starts[ends[:, place] - starts >= _LENGTH]
        found.append(_latest(padded, starts))
    return max(filter(None, found), default=None)


def _latest(padded: bytes, starts: np.ndarray) -> str | None:
    for _ in range(_TRIES):
        last = _last(padded, starts)
        if not len(last):
            return None
        at = int(last[0])
        if _PLAUSIBLE.match(padded, at):
            return padded[at : at + _LENGTH].decode("ascii")
        # Something else that sorts behind them all.
        starts = np.setdiff1d(starts, last, assume_unique=True)
    starts = np.array([at for at in starts.tolist() if _PLAUSIBLE.match(padded, at)], np.int64)
    for at in _last(padded, starts)[:1].tolist():
        return padded[at : at + _LENGTH].decode("ascii")
    return None


def _last(padded: bytes, starts: np.ndarray) -> np.ndarray:
    """Where the texts begin that sort last, of some as long as a moment."""
    for offset in (0, WORD, _LENGTH - WORD):
        if len(starts):
            there = words(padded, offset, ">u8")[starts].astype(np.uint64)
            starts = starts[there == there.max()]
    return starts
