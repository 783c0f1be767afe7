"""Rows of a table whose key may be one of some: nearly all others are passed over by a few bytes.

Splitting every line of a table into fields costs more than comparing it. Here a line's key is
mixed into one number, of the whole block at once, and looked up in a table of bits. What is found
there is looked at as it is; what is not there has another key, for certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from forensics.evidence.blocks import Block
from forensics.evidence.bytewise import WORD, words
from forensics.store.values import LONGEST

_TAB, _LINE_FEED = 9, 10
_LONGEST_KEY = 128  # bytes of it that are looked at
_FEWEST_BITS, _MOST_BITS = 16, 24  # of a place in the table, of which each takes a byte
_BITS_PER_KEY = 5
_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
# What is left of a word of which only so many bytes are a field's.
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(WORD + 1)], dtype=np.uint64)


class Sieve:
    """Finds the lines that may have one of some keys.

    Args:
        keys: lines of the keys alone, in arrays of texts, each with its line feed; they are read
            once.
        places: at which places of a line the key's fields stand, in the order of the keys'.
        width: how many fields a line has.
    """

    def __init__(self, keys: Iterable[pa.Array], places: Sequence[int], width: int) -> None:
        self._places = places
        self._width = width
        held = [key for key in keys if len(key)]
        number = sum(map(len, held))
        shortest = min([_shortest(key) for key in held], default=0)
        # Where the key stands first, its beginning is where the line's is, and tells it apart.
        leads = list(places) == list(range(len(places))) and shortest >= WORD
        self._windows = _windows(min(shortest, _LONGEST_KEY), len(places)) if leads else []
        bits = min(max(number.bit_length() + _BITS_PER_KEY, _FEWEST_BITS), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._there = np.zeros(1 << bits, dtype=bool)
        of_keys = range(len(places))
        mixed = []
        for key in held:
            text, offsets = _laid_out(key)
            mixed.append(self._mixture(text, offsets, of_keys, len(places)))
        self._known = np.sort(np.concatenate(mixed)) if mixed else np.empty(0, dtype=np.uint64)
        self._there[self._known >> self._shift] = True

    def among(self, block: Block) -> tuple[np.ndarray, np.ndarray]:
        """Return where the lines of a block begin that may have one of the keys, and where they
        end, behind their line feeds."""
        data = np.frombuffer(block, dtype=np.uint8)
        feeds = np.flatnonzero(data == _LINE_FEED)
        offsets = np.zeros(len(feeds) + 1, dtype=np.int64)
        offsets[1:] = feeds + 1
        mixed = self._mixture(block, offsets, self._places, self._width)
        found = self._there[mixed >> self._shift]
        rows = np.flatnonzero(found)
        found[rows] = are_among(mixed[rows], self._known)
        # A field that is kept apart stands in the keys as a mark.
        found |= np.diff(offsets) > LONGEST
        rows = np.flatnonzero(found)
        return offsets[rows], offsets[rows + 1]

    def _mixture(
        self, block: Block, offsets: np.ndarray, places: Sequence[int], width: int
    ) -> np.ndarray:
        """One number for each line, the same for the same key."""
        if not self._windows:
            return _of_fields(block, offsets, places, width)
        # A line that is shorter than every key may be told apart by what follows it.
        text = b"".join((block, bytes(_LONGEST_KEY)))
        mixed = np.zeros(len(offsets) - 1, dtype=np.uint64)
        for window in self._windows:
            mixed = _mixed(mixed, words(text, window)[offsets[:-1]])
        return mixed


def _windows(size: int, fields: int) -> list[int]:
    """Where the words begin that tell keys of at least so many bytes apart: at their end, if they
    do at all; keys of several fields at their beginning, too."""
    found = {size - WORD, max(size - 2 * WORD, 0)}
    if fields > 1:
        found |= {0, size // 2 - WORD // 2}
    return sorted(found)


def are_among(numbers: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which numbers are among some that are known, ascending ones."""
    if not len(known):
        return np.zeros(len(numbers), dtype=bool)
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.asarray(known[places] == numbers)


def _of_fields(block: Block, offsets: np.ndarray, places: Sequence[int], width: int) -> np.ndarray:
    data = np.frombuffer(block, dtype=np.uint8)
    borders = np.flatnonzero((data == _TAB) | (data == _LINE_FEED))
    ends = borders.reshape(-1, width)
    found = words(b"".join((block, bytes(WORD))))
    mixed = np.zeros(len(ends), dtype=np.uint64)
    for place in places:
        starts = offsets[:-1] if place == 0 else ends[:, place - 1] + 1
        sizes = ends[:, place] - starts
        first = found[starts] & _MASKS[np.minimum(sizes, WORD)]
        last = found[np.maximum(starts, ends[:, place] - WORD)]
        last &= _MASKS[np.minimum(sizes, WORD)]
        mixed = _mixed(_mixed(mixed, first), last + sizes.astype(np.uint64))
    return mixed


def _mixed(mixed: np.ndarray, words: np.ndarray) -> np.ndarray:
    mixed = (mixed ^ words) * _ODD
    return np.asarray(mixed ^ (mixed >> _HALF))


def _laid_out(lines: pa.Array) -> tuple[bytes, np.ndarray]:
    """The text of some lines, and where each begins, and where the last ends."""
    offsets = _edges(lines)
    text = memoryview(lines.buffers()[2])[int(offsets[0]) : int(offsets[-1])]
    return bytes(text), offsets - offsets[0]


def _shortest(lines: pa.Array) -> int:
    """The length of the shortest of some lines, without its line feed."""
    return int(np.diff(_edges(lines)).min()) - 1


def _edges(lines: pa.Array) -> np.ndarray:
    kind = np.int64 if lines.type == pa.large_string() else np.int32
    edges = np.frombuffer(lines.buffers()[1], kind)
    return edges[lines.offset : lines.offset + len(lines) + 1].astype(np.int64)
