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


class Mixture:
    """Makes one number of a line's key, the same for the same key.

    Args:
        places: at which places of a line the key's fields stand.
        width: how many fields a line has.
        shortest: the length of the shortest key there may be; 0 where that is not known.
    """

    def __init__(self, places: Sequence[int], width: int, shortest: int) -> None:
        self._places, self._width = places, width
        # Where the key stands first, its beginning is where the line's is, and tells it apart.
        leads = list(places) == list(range(len(places))) and shortest >= WORD
        self.shortest = shortest if leads else 0
        self._windows = _windows(min(shortest, _LONGEST_KEY), len(places)) if leads else []

    def __call__(self, block: Block, offsets: np.ndarray) -> np.ndarray:
        """The numbers of lines that begin at `offsets`, of which the last is where they end."""
        return self._mixture(block, offsets, self._places, self._width)

    def of_keys(self, keys: pa.Array) -> np.ndarray:
        """The numbers of keys, each a line of its fields, in the order of `places`."""
        text, offsets = _laid_out(keys)
        return self._mixture(text, offsets, range(len(self._places)), len(self._places))

    def _mixture(
        self, block: Block, offsets: np.ndarray, places: Sequence[int], width: int
    ) -> np.ndarray:
        if not self._windows:
            return _of_fields(block, offsets, places, width)
        # A line that is shorter than every key may be told apart by what follows it.
        text = b"".join((block, bytes(_LONGEST_KEY)))
        mixed = np.zeros(len(offsets) - 1, dtype=np.uint64)
        for window in self._windows:
            mixed = _mixed(mixed, words(text, window)[offsets[:-1]])
        return mixed


class Known:
    """Finds numbers among some: by a table of bits first, which nearly all others do not pass.

    Args:
        numbers: those that are known.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        bits = min(max(len(numbers).bit_length() + _BITS_PER_KEY, _FEWEST_BITS), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._there = np.zeros(1 << bits, dtype=bool)
        self._numbers = np.sort(numbers)
        self._there[self._numbers >> self._shift] = True

    def among(self, numbers: np.ndarray) -> np.ndarray:
        """Which of some numbers are known."""
        found = self._there[numbers >> self._shift]
        rows = np.flatnonzero(found)
        found[rows] = are_among(numbers[rows], self._numbers)
        return np.asarray(found)


class Sieve:
    """Finds the lines that may have one of some keys.

    Args:
        keys: lines of the keys alone, in arrays of texts, each with its line feed; they are read
            once.
        places: at which places of a line the key's fields stand, in the order of the keys'.
        width: how many fields a line has.
    """

    def __init__(self, keys: Iterable[pa.Array], places: Sequence[int], width: int) -> None:
        held = [key for key in keys if len(key)]
        self._mixture = Mixture(places, width, shortest_of(held))
        self._known = Known(numbers_of(held, self._mixture))

    def among(self, block: Block) -> tuple[np.ndarray, np.ndarray]:
        """Return where the lines of a block begin that may have one of the keys, and where they
        end, behind their line feeds."""
        offsets = line_offsets(block)
        found = self._known.among(self._mixture(block, offsets))
        # A field that is kept apart stands in the keys as a mark.
        found |= np.diff(offsets) > LONGEST
        rows = np.flatnonzero(found)
        return offsets[rows], offsets[rows + 1]


def line_offsets(block: Block) -> np.ndarray:
    """Where the lines of a block begin, and where the last one ends, behind its line feed."""
    feeds = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _LINE_FEED)
    offsets = np.zeros(len(feeds) + 1, dtype=np.int64)
    offsets[1:] = feeds + 1
    return offsets


def shortest_of(keys: Sequence[pa.Array]) -> int:
    """The length of the shortest of some keys, none of whose arrays is empty; 0 without any."""
    return min([int(np.diff(_edges(key)).min()) - 1 for key in keys], default=0)


def numbers_of(keys: Sequence[pa.Array], mixture: Mixture) -> np.ndarray:
    """The numbers of some keys."""
    mixed = [mixture.of_keys(key) for key in keys]
    return np.concatenate([np.empty(0, dtype=np.uint64), *mixed])


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


def _edges(lines: pa.Array) -> np.ndarray:
    kind = np.int64 if lines.type == pa.large_string() else np.int32
    edges = np.frombuffer(lines.buffers()[1], kind)
    return edges[lines.offset : lines.offset + len(lines) + 1].astype(np.int64)
